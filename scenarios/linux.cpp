// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "platform/power/operating_system.h"
#include "platform/power/power_scenario.h"

using namespace pefsim;  // NOLINT(google-build-using-namespace): a scenario is a program, not a library

namespace {

class linux_scenario : public platform::power_scenario {
public:
    linux_scenario()
        : power_scenario(
              "linux",
              "Boots a Linux kernel for ppc64le, as it is, on a pSeries machine: firmware, device tree, "
              "virtio devices. Its console is standard output; the report comes after it, unless --quiet.") {}

    void configure(platform::power_machine_config& machine) override {
        machine.time_limit = sc_core::sc_time(600, sc_core::SC_SEC);
        machine.memory_size = std::uint64_t{512} << 20;
        guest_.command_line = "console=hvc0";
    }
    void declare(platform::parameter_set& parameters) override { guest_.declare(parameters); }
    void prepare(platform::power_machine_config& machine) override { guest_.settle(machine); }
    [[nodiscard]] const power::elf_image* program() const override { return guest_.program(); }
    void load(platform::power_machine& machine) override { guest_.load(machine); }
    void judge(platform::power_machine& after, platform::session& in) override {
        in.expect(after.finished(), fmt::format("the guest powers the machine off: {}", after.ending().text));
    }

private:
    platform::operating_system guest_;
};

}  // namespace

int main(int argc, char** argv) { return platform::run_scenario<linux_scenario>(argc, argv); }
