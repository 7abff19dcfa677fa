// SPDX-License-Identifier: Apache-2.0
#include "platform/power/power_options.h"

#include <fmt/format.h>

#include <array>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "platform/about.h"
#include "platform/input_file.h"
#include "platform/power/core_place.h"
#include "platform/quantity.h"
#include "power/debug/elf_symbols.h"
#include "power/debug/symbol_file.h"

namespace pefsim::platform {
namespace {

std::string console_input_of(const std::filesystem::path& file) {
    constexpr std::uint64_t largest = std::uint64_t{1} << 30;
    return file == "-" ? content_of_standard_input(largest) : content_of(file, largest);
}

/// Before hours of simulation, not after.
void open_output(std::optional<output::whole_file>& file, std::string_view option,
                 const std::filesystem::path& place) {
    if (!place.empty()) {
        file.emplace(option, place);
    }
}

/// "FILE", or "FILE:" and how it is used. A name with another colon is a name.
disk_config parse_disk(std::string_view text) {
    constexpr std::array accesses{std::pair{std::string_view(":read_only"), disk_access::read_only},
                                  std::pair{std::string_view(":snapshot"), disk_access::snapshot}};
    for (const auto& [ending, access] : accesses) {
        if (text.ends_with(ending)) {
            return {.image = text.substr(0, text.size() - ending.size()), .access = access};
        }
    }
    return {.image = text};
}

}  // namespace

void power_options::declare_devices(parameter_set& parameters, power_machine_config& machine) {
    parameters.add("disk", disks_, "FILE[:read_only|:snapshot]",
                   "raw image behind a virtio-blk device: written to, unless it is read_only, or a snapshot "
                   "that keeps what is "
                   "written in memory and loses it at the end; may be repeated");
    const auto files = [this](bool written) {
        std::vector<std::filesystem::path> named;
        for (const std::string& each : disks_) {
            const disk_config disk = parse_disk(each);
            if ((disk.access == disk_access::read_write) == written) {
                named.push_back(disk.image);
            }
        }
        return named;
    };
    parameters.add_files("disk", output::file_use::input, [files] { return files(false); });
    parameters.add_files("disk", output::file_use::output, [files] { return files(true); });
    parameters.add("network", machine.network, "a virtio-net device, and something at its other end");
    parameters.add("net.backend", machine.network_backend,
                   {{"peer", network_kind::peer}, {"user", network_kind::user}},
                   "what that is: the simulator's own peer, or the host's network by address translation, "
                   "with which a run "
                   "is not deterministic");
    parameters.add("entropy", machine.entropy, "a virtio-rng device");
    machine.declare_devices(parameters);
    machine.declare_network(parameters);
}

void power_options::declare(parameter_set& parameters, power_machine_config& machine) {
    using output::file_use;
    parameters.add(
        "stop-on", stops_, "trap|attn|illegal",
        "end the run before a trap interrupt, attn, or an interrupt for an illegal instruction; a list, "
        "may be repeated");
    parameters.add("dump-state", dump_state_, file_use::output,
                   "write every architected register at the end into this JSON file");
    parameters.add("instruction_limit", instruction_limit_, quantity::count, "instructions",
                   "each CPU halts behind so many, at a taken branch or the end of 4 KiB; 0: never");
    parameters.add("translator", translator_,
                   "make host code of what the guest executes often; without it everything is interpreted, "
                   "with the same "
                   "results");
    parameters.add("translator.memory", translator_memory_, quantity::bytes, "bytes",
                   "of host code of each CPU at most; when full, all is made anew");
    parameters.add("translator.perf-map", translator_perf_map_,
                   "host code has names of the guest's symbols in perf: writes /tmp/perf-PID.map");
    parameters.add("report_stores", report_stores_,
                   "an ordinary guest's stores go to the exposure ledger, too; slow");
    parameters.add("symbols", symbols_file_, file_use::input,
                   "names of places: System.map, /proc/kallsyms, or an ELF file that has them; otherwise the "
                   "program's own");
    parameters.add("watchdog", machine.watchdog,
                   "simulated time without a sign of life after which the guest hangs: no console character, "
                   "device access, "
                   "call of firmware or hypercall but those of idle processors; 0: never");
    parameters.add(
        "console", console_name_,
        "where the guest's console is: terminal (typed to while the run goes on; Ctrl-A x ends it), pty, or "
        "a file or FIFO for its output; otherwise standard output");
    parameters.add_files("console", file_use::output, [this] {
        return std::vector{guest_console::file_of(console_name_).value_or(std::filesystem::path())};
    });
    parameters.add("console-input", console_file_, file_use::input,
                   "what H_GET_TERM_CHAR gives; -: standard input, read to its end before the run");
    parameters.add("host-read", host_reads_, "PLACE[:SIZE]",
                   "an address or symbol where the host looks at the end; 64 bytes; may be repeated");
    parameters.add(
        "host-attack", host_attacks_, "ACT:PLACE@TIME",
        "what the host does to the page of an address or symbol at a simulated time: tamper, replay, "
        "swap, take_page, take_slot, terminate; may be repeated");
    parameters.add("secret", secrets_, "text",
                   "8 to 4096 characters that must not reach the host; may be repeated");
    parameters.add(
        "canary", canaries_, "text",
        "8 to 4096 characters; the report tells where they reach the host, and who wrote them; may be "
        "repeated");
    parameters.add("canaries", canaries_file_, file_use::input, "a file with such a text in each line");
    tools_.declare(parameters, [&machine] { return machine.cpus; });
    parameters.add("coverage", coverage_, "count executions of each instruction of the table; slow");
    parameters.add(
        "coverage.lcov", line_coverage_, file_use::output,
        "write how often each line of source was executed into this file, for lcov and genhtml, if "
        "the program or the file of --symbols has DWARF; slow");
    declare_devices(parameters, machine);
}

std::unique_ptr<power::debug::symbol_lookup> power_options::symbols(const power::elf_image* program) const {
    return symbols_file_.empty()
               ? power::debug::symbols_of(program)
               : about("symbols", [this] { return power::debug::read_symbols(symbols_file_.string()); });
}

std::optional<covered_lines>
power_options::lines(const std::filesystem::path& program,
                     std::vector<power::debug::moved_symbols::piece> moved) const {
    return line_coverage_.empty() ? std::nullopt : about("coverage.lcov", [&] {
        return std::make_optional<covered_lines>(symbols_file_.empty() ? program : symbols_file_,
                                                 std::move(moved));
    });
}

void power_options::settle_translator(power_machine_config& machine,
                                      const power::debug::symbol_lookup& symbols) const {
    constexpr std::uint64_t least = std::uint64_t{256} << 10;
    constexpr std::uint64_t most = std::uint64_t{1} << 30;
    require(translator_memory_ >= least && translator_memory_ <= most, "translator.memory: 256KiB to 1GiB");
    require(translator_ || !translator_perf_map_,
            "translator.perf-map: there is no host code without translator=yes");
    if (!translator_) {
        machine.translator.reset();
        return;
    }
    machine.translator->code_bytes = translator_memory_;
    if (translator_perf_map_) {
        machine.translator->perf_name = [&symbols](std::uint64_t ea) { return name_of_place(ea, &symbols); };
    }
}

void power_options::settle(power_machine_config& machine, const power::debug::symbol_lookup& symbols) {
    for (const std::string& each : disks_) {
        machine.disks.push_back(parse_disk(each));
        require(!machine.disks.back().image.empty(), fmt::format("disk: '{}' names no file", each));
    }
    require(machine.network || machine.pcap.empty(), "net.pcap: there are no frames without network=yes");
    settle_stops(machine);
    settle_tools(machine.tools);
    machine.instruction_limit = instruction_limit_;
    settle_translator(machine, symbols);
    machine.report_ordinary_stores = report_stores_;
    require(console_name_ != "terminal" || console_file_ != "-",
            "console-input: standard input is the terminal of console=terminal");
    console_ = about("console", [this] { return guest_console::open(console_name_); });
    if (!console_file_.empty()) {
        console_input_ = about("console-input", [&] { return console_input_of(console_file_); });
    }
    for (const std::string& each : host_reads_) {
        looks_.push_back(about("host-read", [&] { return place_to_look::parse(each, symbols); }));
    }
    for (const std::string& each : host_attacks_) {
        attacks_.push_back(about("host-attack", [&] { return host_attack::parse(each, symbols); }));
    }
    if (!canaries_file_.empty()) {
        about("canaries", [&] {
            std::istringstream lines(content_of(canaries_file_, std::uint64_t{1} << 20));
            for (std::string line; std::getline(lines, line);) {
                canaries_.push_back(line);
            }
            return 0;
        });
    }
    for (const auto& [option, texts] : {std::pair("secret", &secrets_), std::pair("canary", &canaries_)}) {
        for (const std::string& each : *texts) {
            require(each.size() >= 8 && each.size() <= 4096,
                    fmt::format("{}: '{}' has not 8 to 4096 characters", option, each));
        }
    }
    open_output(dump_file_, "dump-state", dump_state_);
    open_output(profile_file_, "profile", tools_.profile());
    open_output(line_coverage_file_, "coverage.lcov", line_coverage_);
}

void power_options::settle_stops(power_machine_config& machine) {
    for (std::string_view list : stops_) {
        while (!list.empty()) {
            const std::size_t end = std::min(list.find(','), list.size());
            const std::string_view word = list.substr(0, end);
            list.remove_prefix(std::min(end + 1, list.size()));
            if (word == "trap") {
                machine.tools.stop_before.trap = true;
            } else if (word == "illegal") {
                machine.tools.stop_before.illegal = true;
            } else if (word == "attn") {
                machine.attention_leaves = true;
            } else {
                throw std::invalid_argument(
                    fmt::format("stop-on: '{}' is not one of trap, attn, illegal", word));
            }
        }
    }
}

void power_options::settle_tools(power_tools::config& tools) {
    tools_.settle();
    tools.instruction_trace = tools_.instruction_trace();
    tools.trace_window = tools_.window();
    tools.trace_from = tools_.trace_from();
    tools.trace_to = tools_.trace_to();
    tools.profile_period = tools_.profile_period();
    tools.debugger = tools_.gdb_port().has_value();
    tools.coverage = coverage_;
    tools.line_coverage = !line_coverage_.empty();
}

}  // namespace pefsim::platform
