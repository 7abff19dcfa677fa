// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <fmt/format.h>

#include "platform/native/native_scenario.h"
#include "report/violations.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

constexpr const char* what_it_shows = R"(
what goes wrong without bounce buffers: the host reads ciphertext, each refused access on record.

What goes wrong without bounce buffers: a secure guest whose devices do not offer ACCESS_PLATFORM, on a platform
without a hook, hands guest physical addresses of secure pages to the host. The device asks for its ring, is refused,
and reads the ciphertext that the hypervisor got by UV_PAGE_OUT (or gets a bus error, with --host.policy bus_error).
No plaintext leaks, and no I/O is done: it is corruption, not exposure. The report lists each refused access.)";

class direct_in_secure_guest : public platform::native_scenario {
public:
    direct_in_secure_guest() : native_scenario("direct_in_secure_guest", what_it_shows) {}

    void configure(platform::native_machine_config& machine) override {
        machine.secure = true;
        machine.access_platform = false;
        machine.disks = {{.size = std::uint64_t{1} << 20}};
    }

    void declare(platform::parameter_set& parameters) override {
        parameters.add("patience", patience_, "how long the guest waits for its request");
    }

    void guest_main(guest::kernel& kernel, cpu::native::native_cpu& cpu) override {
        const guest::buffer data = kernel.alloc(block_size);
        cpu.fill(data.at(), block_size, std::byte{0});
        const std::array segments{guest::segment{data.at(), block_size}};
        kernel.block(0).submit(cpu,
                               {.operation = guest::block_operation::read, .sector = 0, .data = segments},
                               [this](cpu::native::native_cpu&, const guest::block_completion& how) {
                                   answered_ = true;
                                   succeeded_ = how.ok();
                               });
        kernel.cpu_scheduler().wait_until(
            cpu, [this] { return answered_; }, cpu.now() + patience_);
    }

    void judge(platform::native_machine& after, platform::session& in) override {
        const report::violation_log& log = after.recorder().violations();
        in.expect(after.guest_secure(), "the guest made itself secure");
        in.expect(after.devices_with(guest::dma_ops_choice::virtio_direct) == 1,
                  "virtio chose virtio_direct_dma_ops: no ACCESS_PLATFORM, no hook");
        in.expect(log.count(report::violation_kind::refused_access) > 0,
                  "the device's accesses to secure pages were refused, each on record with its page's state");
        if (after.config().policy == platform::host_policy::page_out) {
            in.expect(after.counter("ultravisor", "pages_encrypted") > 0,
                      "the host got the pages by UV_PAGE_OUT, as ciphertext");
        }
        in.expect(!succeeded_, fmt::format("the guest's request did not succeed ({})",
                                           answered_ ? "it ended in an error" : "it was never answered"));
        in.expect(after.canaries_seen() == 0, "still no plaintext reached the host: no canary was seen");
    }

private:
    static constexpr std::uint32_t block_size = 4096;

    sc_core::sc_time patience_{20, sc_core::SC_MS};
    bool answered_ = false;
    bool succeeded_ = false;
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<direct_in_secure_guest>(argc, argv); }
