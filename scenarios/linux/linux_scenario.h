// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "platform/power/operating_system.h"
#include "platform/power/power_scenario.h"

namespace pefsim::linux_guest {

/// Scenarios that boot Linux, as it is: the guest's files, its devices, and what an image's init says of its checks
/// (scenarios/linux/README.md):
///
///     ### NAME-OK ...                           shown
///     ### NAME-FAIL ...                         not shown
///     ### WROTE vda FIRST BYTES SHA256          compared with what stands on the disk, in the host's hands
class linux_scenario : public platform::power_scenario {
public:
    using power_scenario::power_scenario;

    void configure(platform::power_machine_config& machine) override;
    void declare(platform::parameter_set& parameters) override;
    void prepare(platform::power_machine_config& machine) override;
    void run(platform::session& in) override;

    [[nodiscard]] const power::elf_image* program() const override { return guest_.program(); }
    [[nodiscard]] std::filesystem::path program_file() const override { return guest_.program_file(); }
    [[nodiscard]] std::vector<power::debug::moved_symbols::piece> moved() const override {
        return guest_.where_it_runs();
    }
    void load(platform::power_machine& machine) override { guest_.load(machine); }
    void judge(platform::power_machine& after, platform::session& in) override;

protected:
    /// The kernel's command line, unless the user gives one; console=hvc0 without this.
    void boot_with(std::string command_line) { usual_command_line_ = std::move(command_line); }
    /// Between prepare() and the end of run(); what run() changes is what a machine becomes.
    [[nodiscard]] platform::power_machine_config& machine() { return *machine_; }
    /// The command line with which a machine of this configuration is to boot.
    [[nodiscard]] std::string command_line(std::uint64_t seed) const;
    /// A disk in memory where the user has named none.
    void settle_disks();

    /// The guest has powered the machine off.
    static void judge_end(const platform::power_machine& after, platform::session& in);
    /// What init said.
    static void judge_checks(platform::power_machine& after, platform::session& in);

private:
    std::string usual_command_line_ = "console=hvc0";
    std::filesystem::path image_;
    std::uint64_t fetch_ = std::uint64_t{64} << 10;
    platform::operating_system guest_;
    platform::power_machine_config* machine_ = nullptr;
};

}  // namespace pefsim::linux_guest
