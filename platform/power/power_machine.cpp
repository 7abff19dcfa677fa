// SPDX-License-Identifier: Apache-2.0
#include "platform/power/power_machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "abi/platform.h"
#include "exposure/ledger.h"
#include "platform/power/core_place.h"
#include "platform/power/guest_view.h"
#include "platform/power/profile_file.h"
#include "platform/seeds.h"
#include "power/debug/disassembler.h"
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
        return {stopped, "the guest asked for a reboot, which ends the run"};
    case how::os_term:
        return panic_ending(fmt::format("the guest's operating system gave up: {}", readable(end.text)));
    }
    return {terminated, "the guest has ended"};
}

}  // namespace

power_machine::power_machine(const sc_core::sc_module_name& name, const power_machine_config& config,
                             std::uint64_t seed)
    : machine(name, config, seed, ultravisor::esm_entry::kernel_entry),
      instruction_limit_(config.instruction_limit),
      patience_(config.watchdog) {
    recorder().ledger().learn_mappings();
    if (!config.report_ordinary_stores) {
        recorder().ledger().leave_out_ordinary_stores();
    }
    for (unsigned number = 0; number < config.cpus; ++number) {
        auto& cpu = cpus_.emplace_back(std::make_unique<power_cpu>(
            fmt::format("cpu{}", number).c_str(), recorder(),
            power_cpu::config{.number = number,
                              .quantum = config.quantum,
                              .time_slice = config.time_slice,
                              .report_ordinary_stores = config.report_ordinary_stores,
                              .attention_leaves = config.attention_leaves,
                              .instruction_limit = config.instruction_limit,
                              .translator = config.translator,
                              .costs = config.costs},
            partition_));
        cpu->engine().seed(seed_for(seed, random_stream::cores, number));
        connect(*cpu);
    }
    if (config.firmware) {
        add_firmware(config, seed);
        panic_ = std::make_unique<kernel_panic>(host().terminal());
    }
    if (config.tools.any()) {
        tools_ = std::make_unique<power_tools>(config.tools, cpus_, memory(), partition_);
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
                                                    .esm_blob = boot.esm_blob,
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

void power_machine::name_places(const power::debug::symbol_lookup& symbols) {
    symbols_ = &symbols;
    recorder().ledger().name_places([&symbols](std::uint64_t pc) { return text_of(symbols.at(pc)); });
}

std::optional<report::run_ending> power_machine::look() {
    const sc_core::sc_time& now = sc_core::sc_time_stamp();
    if (attendant_) {
        if (auto end = attendant_()) {
            return end;
        }
    }
    if (panic_ && panic_->over(now)) {
        return panic_->ending("");
    }
    const sc_core::sc_time silence = watchdog_.silence(now);
    if (auto panic = silent_panic(silence)) {
        return panic;
    }
    const bool patient = patience_ == sc_core::SC_ZERO_TIME || silence < patience_;
    return patient ? std::nullopt : std::optional(hung(patience_));
}

/// A kernel that panics before it has a console says nothing, but stands in panic(), which does not return.
std::optional<report::run_ending> power_machine::silent_panic(const sc_core::sc_time& silence) {
    const sc_core::sc_time grace(100, sc_core::SC_MS);
    looked_for_panic_ = std::min(looked_for_panic_, silence);
    if (!panic_ || panic_->seen() || symbols_ == nullptr || silence < looked_for_panic_ + grace) {
        return std::nullopt;
    }
    looked_for_panic_ = silence;
    for (const auto& cpu : cpus_) {
        const std::vector<std::string> functions = functions_of(*cpu);
        if (const auto at = std::ranges::find(functions, "panic"); !cpu->stopped() && at != functions.end()) {
            return panic_ending(fmt::format("the guest's kernel panicked without a word{}",
                                            at + 1 == functions.end() ? "" : ": " + at[1] + " called panic"));
        }
    }
    return std::nullopt;
}

std::vector<std::string> power_machine::functions_of(const power_cpu& cpu) const {
    if (symbols_ == nullptr) {
        return {};
    }
    std::vector<std::uint64_t> places = backtrace(cpu.state(), memory(), partition_);
    places.insert(places.begin(), cpu.state().nip);
    std::vector<std::string> names;
    for (const std::uint64_t each : places) {
        if (const power::debug::symbol_at found = symbols_->at(each); !found.name.empty()) {
            names.emplace_back(found.name);
        }
    }
    return names;
}

report::run_ending power_machine::how_it_ended() const {
    using enum report::ending_kind;
    if (const auto& end = host().end()) {
        if (end->what == hypervisor::guest_end::how::reboot && panic_ && panic_->seen()) {
            return panic_->ending(", and asked for a reboot");
        }
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
        if (cpu->stopped()) {
            if (ending().kind == report::ending_kind::hung) {
                lines.push_back(fmt::format("{} is stopped", cpu->basename()));
            }
        } else {
            lines.push_back(fmt::format("{} {} {}", cpu->basename(), cpu->idle() ? "waits (H_CEDE) at" : "at",
                                        place_of(cpu->state(), memory(), partition_, symbols_)));
            add_callers(lines, *cpu);
        }
        if (cpu->ended() == power_cpu::ending::lost) {
            lines.push_back(text_of_first_interrupt(*cpu));
        }
    }
    return lines;
}

power_machine::first_interrupt power_machine::first_interrupt_of(const power_cpu& cpu) const {
    power::registers before = cpu.state();
    before.nip = cpu.engine().interrupted_at().nip;
    before.msr = cpu.engine().interrupted_at().msr;
    return {.nip = before.nip, .word = guest_view(before, memory(), partition_).instruction(before.nip)};
}

std::string power_machine::text_of_first_interrupt(const power_cpu& cpu) const {
    const first_interrupt first = first_interrupt_of(cpu);
    const std::string place = name_of_place(first.nip, symbols_);
    return first.word ? fmt::format("{} was first interrupted at {} by {:#010x}, {}", cpu.basename(), place,
                                    *first.word, power::debug::disassemble(*first.word, first.nip))
                      : fmt::format("{} was first interrupted at {}, where no instruction can be fetched",
                                    cpu.basename(), place);
}

/// Of a run that went wrong.
void power_machine::add_callers(std::vector<std::string>& lines, const power_cpu& cpu) const {
    std::string callers;
    if (!ending().good()) {
        for (const std::uint64_t each : backtrace(cpu.state(), memory(), partition_)) {
            const std::string symbol = symbols_ == nullptr ? std::string() : text_of(symbols_->at(each));
            callers += fmt::format("{}{}", callers.empty() ? "" : ", ",
                                   symbol.empty() ? fmt::format("{:#x}", each) : symbol);
        }
    }
    if (!callers.empty()) {
        lines.push_back(fmt::format("{} came there from {}", cpu.basename(), callers));
    }
}

std::uint64_t power_machine::instructions() const {
    std::uint64_t sum = 0;
    for (const auto& cpu : cpus_) {
        sum += cpu->engine().instructions();
    }
    return sum;
}

void power_machine::add_to_report(nlohmann::ordered_json& run) const {
    if (tools_ && tools_->profile() != nullptr) {
        const power::debug::no_symbols none;
        const power::debug::symbol_lookup& symbols = symbols_ == nullptr ? none : *symbols_;
        run["profile"] = profile_json(*tools_->profile(), symbols);
    }
}

/// With a limit: of the CPU that comes to it first.
machine::progress power_machine::how_far() const {
    if (instruction_limit_ == 0) {
        return {.done = instructions(), .unit = "instructions"};
    }
    std::uint64_t most = 0;
    for (const auto& cpu : cpus_) {
        most = std::max(most, cpu->engine().instructions());
    }
    return {.done = most, .unit = "instructions", .of = instruction_limit_};
}

}  // namespace pefsim::platform
