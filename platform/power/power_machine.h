// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <utility>
#include <vector>

#include "cpu/power_cpu/power_cpu.h"
#include "firmware/firmware.h"
#include "firmware/machine_description.h"
#include "platform/machine.h"
#include "platform/power/kernel_panic.h"
#include "platform/power/power_tools.h"
#include "platform/power/watchdog.h"
#include "power/debug/symbols.h"
#include "power/mmu/partition.h"
#include "report/run_ending.h"

namespace pefsim::platform {

/// What firmware starts: where it stands, and what it is told.
struct boot_configuration {
    std::string command_line{};
    std::optional<firmware::extent> kernel{};
    std::optional<firmware::extent> initrd{};
    std::optional<firmware::extent> esm_blob{};
    bool dynamic_windows = true;
};

/// A machine with POWER9 cores. What they execute is whatever stands in memory.
struct power_machine_config : machine_config {
    /// Stores of an ordinary guest, whose memory is all exposed, go to the exposure ledger, too; it takes them off the
    /// fast path.
    bool report_ordinary_stores = false;
    bool attention_leaves = false;        ///< `attn` ends the run
    std::uint64_t instruction_limit = 0;  ///< of each core; 0: none
    std::optional<power::region_translator::options> translator{
        std::in_place};                            ///< of each core; none: interpreted
    std::optional<boot_configuration> firmware{};  ///< nullopt: a machine without
    sc_core::sc_time watchdog{};  ///< so long without a sign of life ends the run (life_signs); 0: never
    power_tools::config tools;
};

/// A machine with a POWER guest: real code on POWER9 cores.
///
/// Modules below it, besides a machine's: cpu0 .. . The run ends when a core does not run any more: the guest has made
/// H_EXIT or was ended, `attn`, a stop of the tools, a limit, or an interrupt without a handler; and when a kernel has
/// panicked, or the watchdog sees no sign of life.
class power_machine : public machine {
public:
    /// \throws std::invalid_argument for a configuration that cannot be, or an instruction trace that cannot be written
    power_machine(const sc_core::sc_module_name& name, const power_machine_config& config,
                  std::uint64_t seed);
    ~power_machine() override;

    cpu::power_cpu& cpu(std::size_t number) { return *cpus_.at(number); }
    [[nodiscard]] std::size_t cpus() const { return cpus_.size(); }
    /// What the cores share: the process table.
    power::mmu::partition& partition() { return partition_; }
    /// What starts an operating system, and serves RTAS; nullptr on a machine without.
    pefsim::firmware::firmware* firmware() { return firmware_.get(); }
    /// nullptr when the configuration asks for none.
    power_tools* tools() { return tools_.get(); }

    /// Where the ending says that a core stood, and the exposure ledger that it stored, these names are used. They must
    /// outlive the machine.
    void name_places(const power::debug::symbol_lookup& symbols);
    /// The functions that a core is in, as far as its places have names: where it is, and who called, innermost first.
    /// Empty without name_places().
    [[nodiscard]] std::vector<std::string> functions_of(const cpu::power_cpu& cpu) const;
    /// The first interrupt of a cascade that ended a core (power_cpu::ending::lost): where, and the instruction there,
    /// if the core could have fetched it.
    struct first_interrupt {
        std::uint64_t nip = 0;
        std::optional<std::uint32_t> word{};
    };
    [[nodiscard]] first_interrupt first_interrupt_of(const cpu::power_cpu& cpu) const;
    /// Asked before the run and after each millisecond of simulated time: what else ends the run.
    void attend(std::function<std::optional<report::run_ending>()> by) { attendant_ = std::move(by); }

    [[nodiscard]] progress how_far() const override;
    /// "profile", with profile_json(), if there is one.
    void add_to_report(nlohmann::ordered_json& run) const override;
    [[nodiscard]] std::uint64_t instructions() const;

private:
    SC_HAS_PROCESS(power_machine);

    void stop();
    void add_firmware(const power_machine_config& config, std::uint64_t seed);
    void group_guest_signals();
    std::optional<report::run_ending> look() override;
    [[nodiscard]] report::run_ending how_it_ended() const override;
    [[nodiscard]] std::vector<std::string> what_cpus_do() const override;
    [[nodiscard]] std::optional<report::run_ending> silent_panic(const sc_core::sc_time& silence);
    [[nodiscard]] std::string text_of_first_interrupt(const cpu::power_cpu& cpu) const;
    void add_callers(std::vector<std::string>& lines, const cpu::power_cpu& cpu) const;

    power::mmu::partition partition_;
    const power::debug::symbol_lookup* symbols_ = nullptr;
    std::vector<std::unique_ptr<cpu::power_cpu>> cpus_;
    std::unique_ptr<pefsim::firmware::firmware> firmware_;
    std::unique_ptr<power_tools> tools_;
    std::unique_ptr<kernel_panic> panic_;
    watchdog watchdog_{*this};
    std::uint64_t instruction_limit_;
    sc_core::sc_time patience_;  // of the watchdog's owner; 0: endless
    sc_core::sc_time looked_for_panic_;
    std::function<std::optional<report::run_ending>()> attendant_;
};

}  // namespace pefsim::platform
