// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <map>
#include <string>
#include <tlm_utils/simple_initiator_socket.h>
#include <vector>

#include "memory/guest_memory.h"
#include "platform/native/native_scenario.h"
#include "trace/signal.h"

using namespace pefsim;

/// A thread of the host that reads the guest's memory, page after page, as long as the guest runs.
class nosy_host : public sc_core::sc_module {
    SC_HAS_PROCESS(nosy_host);

public:
    tlm_utils::simple_initiator_socket<nosy_host> memory{"memory"};

    nosy_host(const sc_core::sc_module_name& name, trace::recorder& recorder,
              const platform::native_machine_config& machine)
        : sc_module(name),
          accesses_(memory, memory::world::hypervisor, machine.costs,
                    recorder.ledger().name_initiator(basename())),
          pages_(machine.memory_size / abi::page_size),
          page_(recorder, this->name(), "page", "that it looks at"),
          read_(recorder.metrics(), this->name(), "pages_read", "pages", "that it was let at"),
          refused_(recorder.metrics(), this->name(), "pages_refused", "pages", "that it was kept from") {
        SC_THREAD(look);
    }

private:
    void look() {
        std::vector<std::byte> content(abi::page_size);
        for (abi::gfn page = 0;; page = (page + 1) % pages_) {
            page_.set(page, sc_core::sc_time_stamp());
            sc_core::sc_time delay;
            (accesses_.read(abi::page_base(page), content, delay) ? read_ : refused_).add();
            wait(delay + sc_core::sc_time(1, sc_core::SC_US));
        }
    }

    memory::guest_memory accesses_;
    abi::gfn pages_;
    trace::signal<std::uint64_t> page_;
    report::counter read_;
    report::counter refused_;
};

/// A secure guest writes blocks while the host looks on: all that there is to see is what goes to the device.
class my_host_scenario : public platform::native_scenario {
public:
    my_host_scenario()
        : native_scenario("my_host", "The host reads all of a guest's memory while the guest does I/O.") {}

    void configure(platform::native_machine_config& machine) override {
        machine.memory_size = std::uint64_t{32} << 20;
        machine.secure = true;
        machine.policy = platform::host_policy::bus_error;
        machine.platform_dma_ops = platform::dma_operations::swiotlb;
        machine.disks = {platform::disk_config{}};
    }

    void build(platform::native_machine& machine) override {
        auto& host = machine.own<nosy_host>("nosy_host", machine.recorder(), config());
        host.memory.bind(machine.memory().initiators);
    }

    void guest_main(guest::kernel& kernel, cpu::native::native_cpu& cpu) override {
        const guest::buffer block = kernel.alloc(4096);
        for (std::uint64_t sector = 0; sector < 512; ++sector) {
            cpu.fill(block.at(), 4096, std::byte{0x5a});
            kernel.block(0).write(cpu, sector, block.at(), 4096);
        }
    }

    void judge(platform::native_machine& after, platform::session& session) override {
        const std::uint64_t read = after.counter("nosy_host", "pages_read");
        const std::uint64_t refused = after.counter("nosy_host", "pages_refused");
        const std::map<std::string, std::uint64_t> seen = seen_by_host(after.recorder().ledger());
        std::string text = fmt::format(
            "The host read {} pages and was kept from {}. What it saw, by writer:\n", read, refused);
        for (const auto& [writer, bytes] : seen) {
            text += fmt::format("  {:<20}{:>8} bytes\n", writer, bytes);
        }
        session.add_text(text);
        session.expect(after.finished(), "the guest did its work");
        session.expect(!seen.empty(), "the host saw what the guest shares with its device");
        session.expect(after.canaries_seen() == 0, "no canary reached the host");
    }

private:
    /// Bytes that stand where the host can read them, and that it has read since they were written, by the driver call
    /// or the device that wrote them.
    static std::map<std::string, std::uint64_t> seen_by_host(const exposure::ledger& ledger) {
        std::map<std::string, std::uint64_t> seen;
        for (const auto& [page, extents] : ledger.pages()) {
            for (const exposure::exposed_extent& each : extents) {
                if (each.host_reads != 0 && ledger.initiator(each.last_reader) == "nosy_host") {
                    const std::string call = ledger.origin(each.writer.origin);
                    seen[call.empty() ? std::string(ledger.initiator(each.writer.initiator)) : call] +=
                        each.end - each.begin;
                }
            }
        }
        return seen;
    }
};

int main(int argc, char** argv) { return platform::run_scenario<my_host_scenario>(argc, argv); }
