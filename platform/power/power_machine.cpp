// SPDX-License-Identifier: Apache-2.0
#include "platform/power/power_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "abi/platform.h"
#include "platform/power/core_place.h"
#include "platform/seeds.h"
#include "report/run_ending.h"

namespace pefsim::platform {

using cpu::power_cpu;

namespace {

/// When simulation begins, for the guest's clock: the day of the patch series.
constexpr std::chrono::sys_days first_day = std::chrono::year(2018) / std::chrono::July / 20;

report::run_ending ending_of(const hypervisor::guest_end& end) {
    using how = hypervisor::guest_end::how;
    using enum report::ending_kind;
    switch (end.what) {
    case how::exit:
        return {finished, fmt::format("the guest ended itself with status {}", end.status)};
    case how::power_off:
        return {finished, "the guest powered the machine off"};
    case how::reboot:
        return {stopped, "the guest asked for a reboot"};
    case how::os_term:
        return {panicked, fmt::format("the guest's operating system gave up: {}", end.text)};
    }
    return {terminated, "the guest has ended"};
}

}  // namespace

power_machine::power_machine(const sc_core::sc_module_name& name, const power_machine_config& config,
                             std::uint64_t seed)
    : machine(name, config, seed, ultravisor::esm_entry::kernel_entry) {
    for (unsigned number = 0; number < config.cpus; ++number) {
        auto& cpu = cpus_.emplace_back(std::make_unique<power_cpu>(
            fmt::format("cpu{}", number).c_str(), recorder(),
            power_cpu::config{.number = number,
                              .quantum = config.quantum,
                              .report_ordinary_stores = config.report_ordinary_stores,
                              .attention_leaves = config.attention_leaves,
                              .instruction_limit = config.instruction_limit,
                              .costs = config.costs},
            partition_));
        cpu->engine().seed(seed_for(seed, random_stream::cores, number));
        connect(*cpu);
    }
    if (config.firmware) {
        add_firmware(config, seed);
    }
    if (config.tools.any()) {
        tools_ = std::make_unique<power_tools>(config.tools, cpus_);
    }
    SC_METHOD(stop);
    dont_initialize();
    for (const auto& cpu : cpus_) {
        sensitive << cpu->halted_event();
    }
    group_guest_signals();
    group_signals();
}

power_machine::~power_machine() = default;

void power_machine::add_firmware(const power_machine_config& config, std::uint64_t seed) {
    const boot_configuration& boot = *config.firmware;
    pefsim::firmware::machine_description described{.ram_size = config.memory_size,
                                                    .cpus = config.cpus,
                                                    .bridge = host_bridge(),
                                                    .xive = config.xive,
                                                    .command_line = boot.command_line,
                                                    .kernel = boot.kernel,
                                                    .initrd = boot.initrd,
                                                    .dynamic_windows = boot.dynamic_windows};
    std::mt19937_64 random(seed_for(seed, random_stream::firmware));
    std::ranges::generate(described.rng_seed, [&] { return static_cast<std::byte>(random()); });
    firmware_ = std::make_unique<pefsim::firmware::firmware>(
        "firmware", recorder(), pefsim::firmware::firmware::config{.machine = described, .date = first_day});
    host().firmware(*firmware_);
}

void power_machine::group_guest_signals() {
    for (const auto& cpu : cpus_) {
        recorder().group(cpu->name(), fmt::format("POWER9 core {}", cpu->number()));
    }
}

void power_machine::stop() { sc_core::sc_stop(); }

report::run_ending power_machine::how_it_ended() const {
    using enum report::ending_kind;
    if (const auto& end = host().end()) {
        return ending_of(*end);
    }
    if (tools_ && tools_->stopped()) {
        const power_tools::stop& at = *tools_->stopped();
        return {stopped, fmt::format("{} at {:#x} on cpu{}", at.interrupt, at.nip, at.core)};
    }
    for (const auto& cpu : cpus_) {
        const std::uint64_t nip = cpu->state().nip;
        switch (cpu->ended()) {
        case power_cpu::ending::none:
            break;
        case power_cpu::ending::terminated:
            return ended_by_supervisor();
        case power_cpu::ending::attention:
            return {stopped, fmt::format("attn at {:#x} on {}", nip, cpu->basename())};
        case power_cpu::ending::controlled:
            return {interrupted, "the debugger ended the guest"};
        case power_cpu::ending::instruction_limit:
            return {instruction_limit,
                    fmt::format("{} had not finished at the instruction limit", cpu->basename())};
        case power_cpu::ending::lost:
            return {halted,
                    fmt::format("an interrupt at its own vector {:#x} on {}: nothing there can handle it",
                                nip, cpu->basename())};
        }
    }
    return {interrupted, "simulation was stopped"};
}

std::vector<std::string> power_machine::what_cpus_do() const {
    std::vector<std::string> lines;
    for (const auto& cpu : cpus_) {
        if (!cpu->stopped()) {
            lines.push_back(fmt::format("{} {} {}", cpu->basename(), cpu->idle() ? "waits (H_CEDE) at" : "at",
                                        place_of(cpu->state(), memory(), partition_, symbols_)));
        }
        if (cpu->ended() == power_cpu::ending::lost) {
            power::registers before = cpu->state();
            before.nip = cpu->engine().interrupted_at().nip;
            before.msr = cpu->engine().interrupted_at().msr;
            lines.push_back(fmt::format("{} was first interrupted at {}", cpu->basename(),
                                        place_of(before, memory(), partition_, symbols_)));
        }
    }
    return lines;
}

std::uint64_t power_machine::instructions() const {
    std::uint64_t sum = 0;
    for (const auto& cpu : cpus_) {
        sum += cpu->engine().instructions();
    }
    return sum;
}

std::string power_machine::progress() const {
    return fmt::format("{} million instructions", instructions() / 1'000'000);
}

}  // namespace pefsim::platform
