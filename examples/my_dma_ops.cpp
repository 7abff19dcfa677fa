// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <set>
#include <vector>

#include "abi/ucall.h"
#include "dma_ops/swiotlb_dma_ops.h"
#include "platform/native/native_scenario.h"

using namespace pefsim;

/// SWIOTLB that does not copy whole pages: it shares them with the host where they stand, and leaves them shared.
class share_in_place : public dma_ops::swiotlb_dma_ops {
public:
    share_in_place(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters,
                   bool whole_pages_only)
        : swiotlb_dma_ops(name, recorder, parameters),
          whole_pages_only_(whole_pages_only),
          share_call_(recorder.ledger().name_origin("share_in_place.share")),
          pages_shared_(recorder.metrics(), this->name(), "pages_shared", "pages", "shared in place"),
          bytes_in_place_(recorder.metrics(), this->name(), "bytes_in_place", "bytes",
                          "mapped where they stand") {}

    std::string_view operations() const override { return "share_in_place"; }

private:
    /// A buffer in part of a page has neighbours, and what is shared is the page.
    bool in_place(const dma_ops::mapping& what) const {
        return !whole_pages_only_ ||
               (abi::page_offset(what.original) == 0 && what.size % abi::page_size == 0);
    }

    abi::dma_addr map(cpu::native::native_cpu& cpu, const dma_ops::mapping& what) override {
        if (!in_place(what)) {
            return swiotlb_dma_ops::map(cpu, what);
        }
        const abi::gfn last = abi::gfn_of(what.original + (what.size - 1));
        for (abi::gfn page = abi::gfn_of(what.original); page <= last; ++page) {
            if (shared_.insert(page).second && !share(cpu, page)) {
                shared_.erase(page);
                return dma_ops::dma_mapping_error;
            }
        }
        bytes_in_place_.add(what.size);
        return abi::dma_addr{what.original.value() + what.device->dma_offset};
    }

    void unmap(cpu::native::native_cpu& cpu, const dma_ops::mapping& what, unsigned attributes) override {
        if (!in_place(what)) {
            swiotlb_dma_ops::unmap(cpu, what, attributes);
        }
    }

    void sync_for_cpu(cpu::native::native_cpu& cpu, const dma_ops::mapping& what, abi::dma_addr from,
                      std::size_t size) override {
        if (!in_place(what)) {
            swiotlb_dma_ops::sync_for_cpu(cpu, what, from, size);
        }
    }

    void sync_for_device(cpu::native::native_cpu& cpu, const dma_ops::mapping& what, abi::dma_addr from,
                         std::size_t size) override {
        if (!in_place(what)) {
            swiotlb_dma_ops::sync_for_device(cpu, what, from, size);
        }
    }

    /// The Ultravisor zeroes a page that changes sides, so what stands in it is carried over.
    bool share(cpu::native::native_cpu& cpu, abi::gfn page) {
        const cpu::native::native_cpu::call_scope named(cpu, share_call_);  // who writes, to the ledger
        const cpu::native::native_cpu::irqs_off nobody_writes_meanwhile(cpu);
        std::vector<std::byte> content(abi::page_size);
        cpu.read(abi::page_base(page), content);
        if (cpu.ultracall(abi::ucall::uv_share_page, {page, 1}) != abi::u_status::u_success) {
            return false;
        }
        cpu.write(abi::page_base(page), content);
        pages_shared_.add();
        return true;
    }

    bool whole_pages_only_;
    std::uint64_t share_call_;
    std::set<abi::gfn> shared_;
    report::counter pages_shared_;
    report::counter bytes_in_place_;
};

/// The same blocks, again and again, by these operations or by SWIOTLB's own.
class my_dma_ops_scenario : public platform::native_scenario {
public:
    my_dma_ops_scenario()
        : native_scenario("my_dma_ops", "Writes and reads blocks in pages that are shared in place.") {}

    void configure(platform::native_machine_config& machine) override {
        machine.secure = true;
        machine.platform_dma_ops = platform::dma_operations::swiotlb;
        machine.disks = {platform::disk_config{}};
    }

    void declare(platform::parameter_set& parameters) override {
        parameters.add("in-place", in_place_, "share whole pages in place; no: SWIOTLB copies everything");
        parameters.add("whole-pages", whole_pages_, "only these; no: a page with neighbours is shared, too");
    }

    void build(platform::native_machine& machine) override {
        if (in_place_) {
            machine.use_as_platform(machine.own<share_in_place>(
                "share_in_place", machine.recorder(),
                dma_ops::swiotlb_dma_ops::config{.pool_size = config().swiotlb_size,
                                                 .cpus = config().areas_of_pool(),
                                                 .costs = config().costs},
                whole_pages_));
        }
    }

    void guest_main(guest::kernel& kernel, cpu::native::native_cpu& cpu) override {
        const guest::buffer block = kernel.alloc(abi::page_size);
        const sc_core::sc_time begin = cpu.now();
        for (std::uint64_t round = 1; round <= rounds; ++round) {
            cpu.fill(block.at(), abi::page_size, std::byte(round));
            kernel.block(0).write(cpu, 0, block.at(), abi::page_size);
            cpu.fill(block.at(), abi::page_size, std::byte{0});
            kernel.block(0).read(cpu, 0, block.at(), abi::page_size);
            same_ += cpu.load<std::uint8_t>(block.at(abi::page_size - 1)) == round ? 1 : 0;
        }
        duration_ = cpu.now() - begin;
    }

    void judge(platform::native_machine& after, platform::session& session) override {
        const std::string_view module = in_place_ ? "share_in_place" : "swiotlb";
        const std::uint64_t copied = after.counter(module, "bytes_to_bounce") +
                                     after.counter(module, "bytes_from_bounce");
        session.add_text(fmt::format(
            "{} blocks of 64 KiB: {:.0f} us, {} bytes bounced, {} pages shared in place\n", 2 * rounds,
            duration_.to_seconds() * 1e6, copied, after.counter(module, "pages_shared")));
        session.expect(after.finished() && same_ == rounds, "the guest read what it had written");
        session.expect(after.device_accesses_not_shared() == 0, "devices met shared pages only");
        session.expect(after.canaries_seen() == 0, "no canary reached the host");
    }

private:
    static constexpr std::uint64_t rounds = 32;
    bool in_place_ = true;
    bool whole_pages_ = true;
    std::uint64_t same_ = 0;
    sc_core::sc_time duration_;
};

int main(int argc, char** argv) { return platform::run_scenario<my_dma_ops_scenario>(argc, argv); }
