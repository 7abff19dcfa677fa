// SPDX-License-Identifier: Apache-2.0
#include "bare_metal/guest_options.h"

#include <fmt/format.h>

#include <bit>
#include <functional>
#include <stdexcept>
#include <string_view>

#include "platform/input_file.h"
#include "platform/quantity.h"
#include "power/debug/register_file.h"
#include "power/engine/interrupt.h"

namespace pefsim::bare_metal {
namespace {

using platform::parse_integer;

constexpr std::uint64_t process_table_size = 4096;

/// Does `what`; what it complains about is about `option`.
template <typename F>
auto about(std::string_view option, F what) {
    try {
        return what();
    } catch (const std::invalid_argument& wrong) {
        throw std::invalid_argument(fmt::format("{}: {}", option, wrong.what()));
    }
}

/// "FROM:TO"; either may be missing.
/// \param closed TO belongs to it
template <typename F>
auto range_of(std::string_view text, F parse, bool closed = false) {
    using value = decltype(parse(text));
    std::pair<std::optional<value>, std::optional<value>> range;
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        throw std::invalid_argument(fmt::format("'{}' is not FROM:TO", text));
    }
    if (colon != 0) {
        range.first = parse(text.substr(0, colon));
    }
    if (colon + 1 != text.size()) {
        range.second = parse(text.substr(colon + 1));
    }
    if (range.first && range.second &&
        (*range.second < *range.first || (!closed && *range.second == *range.first))) {
        throw std::invalid_argument(fmt::format("'{}' is empty", text));
    }
    return range;
}

/// A number of up to 128 bits: hexadecimal when it has more than 64.
power::vector_register parse_register_value(std::string_view text) {
    constexpr std::size_t digits_of_a_doubleword = 16;
    const bool wide = (text.starts_with("0x") || text.starts_with("0X")) &&
                      text.size() > 2 + digits_of_a_doubleword &&
                      text.size() <= 2 + 2 * digits_of_a_doubleword;
    if (!wide) {
        return {.low = parse_integer(text), .high = 0};
    }
    const std::size_t split = text.size() - digits_of_a_doubleword;
    return {.low = parse_integer(fmt::format("0x{}", text.substr(split))),
            .high = parse_integer(text.substr(0, split))};
}

std::pair<std::string, power::vector_register> parse_register(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
        throw std::invalid_argument(fmt::format("'{}' is not NAME=VALUE", text));
    }
    return {std::string(text.substr(0, equals)), parse_register_value(text.substr(equals + 1))};
}

std::string console_input_of(const std::filesystem::path& file) {
    constexpr std::uint64_t largest = std::uint64_t{1} << 30;
    return file == "-" ? platform::content_of_standard_input(largest) : platform::content_of(file, largest);
}

/// Before hours of simulation, not after.
void open_output(std::optional<output::whole_file>& file, std::string_view option,
                 const std::filesystem::path& place) {
    if (!place.empty()) {
        file.emplace(option, place);
    }
}

}  // namespace

void guest_options::declare(platform::parameter_set& parameters,
                            const platform::power_machine_config& machine) {
    using output::file_use;
    using platform::quantity;
    parameters.add("elf", elf_, file_use::input,
                   "program: ELF32 or ELF64 for PowerPC, either byte order, loaded at p_paddr");
    parameters.add("load", loads_, "FILE@ADDRESS", "a file that is loaded as it is; may be repeated");
    parameters.add_files("load", file_use::input, [this] {
        std::vector<std::filesystem::path> files;
        for (const std::string& each : loads_) {
            files.emplace_back(each.substr(0, each.rfind('@')));
        }
        return files;
    });
    parameters.add("pc", pc_, "address", "first instruction; otherwise the ELF file's entry");
    parameters.add(
        "msr", msr_, "number",
        "MSR at the start; otherwise ME, SF of ELF64 and flat images, LE of a little-endian ELF file. "
        "LPCR[ILE] follows LE");
    parameters.add(
        "set-register", set_registers_, "NAME=VALUE",
        "r0..r31, f0..f31, v0..v31, vs0..vs63, cr, fpscr, vscr, or a special purpose register by name; "
        "may be repeated");
    parameters.add("process-table", process_table_,
                   "address or symbol of 4 KiB: the partition's process table, for radix translation");
    parameters.add(
        "stop-on", stops_, "trap|attn|illegal",
        "end the run before a trap interrupt, attn, or an interrupt for an illegal instruction; a list, "
        "may be repeated");
    parameters.add("dump-state", dump_state_, file_use::output,
                   "write every architected register at the end into this JSON file");
    parameters.add("instruction_limit", instruction_limit_, quantity::count, "instructions",
                   "each CPU halts behind so many, at a taken branch or the end of 4 KiB; 0: never");
    parameters.add("report_stores", report_stores_,
                   "an ordinary guest's stores go to the exposure ledger, too; slow");
    parameters.add("console-input", console_file_, file_use::input,
                   "what H_GET_TERM_CHAR gives; -: standard input, read to its end before the run");
    parameters.add("host-read", host_reads_, "PLACE[:SIZE]",
                   "an address or symbol where the host looks at the end; 64 bytes; may be repeated");
    parameters.add("secret", secrets_, "text",
                   "8 to 4096 characters that must not reach the host; may be repeated");
    parameters.add(
        "gdb", gdb_port_, "port",
        "GDB drives the run by this TCP port of localhost; 0: a free one, named on standard error");
    parameters.add("instruction-trace", instruction_trace_, file_use::output,
                   "record instructions for trace_render; with several CPUs in FILE.0, FILE.1 ...");
    parameters.add_files("instruction-trace", file_use::output, [this, &machine] {
        platform::power_tools::config tools;
        tools.instruction_trace = instruction_trace_;
        std::vector<std::filesystem::path> files;
        for (unsigned core = 0; core < machine.cpus && machine.cpus > 1 && !instruction_trace_.empty();
             ++core) {
            files.emplace_back(tools.trace_of(core, machine.cpus));
        }
        return files;
    });
    parameters.add("instruction-trace.numbers", trace_numbers_,
                   "FROM:TO, instructions by number, not TO itself");
    parameters.add("instruction-trace.time", trace_times_,
                   "FROM:TO, simulated time: what begins in a quantum that does so there");
    parameters.add("instruction-trace.addresses", trace_addresses_, "FIRST:LAST, instructions by address");
    parameters.add("profile", profile_, file_use::output, "write a sampled profile by symbol into this file");
    parameters.add("profile.period", profile_period_, quantity::count, "instructions",
                   "from one sample to the next");
    parameters.add("coverage", coverage_, "count executions of each instruction of the table; slow");
}

void guest_options::settle(platform::power_machine_config& machine) {
    settle_images();
    settle_stops(machine);
    settle_tools(machine.tools);
    machine.instruction_limit = instruction_limit_;
    machine.report_ordinary_stores = report_stores_;
    for (const std::string& each : set_registers_) {
        registers_.push_back(about("set-register", [&] { return parse_register(each); }));
    }
    if (!process_table_.empty()) {
        process_table_at_ = about("process-table",
                                  [&] { return place_to_look::parse(process_table_, program()).address; });
        platform::require(*process_table_at_ % process_table_size == 0,
                          fmt::format("process-table: {:#x} is not a multiple of 4 KiB", *process_table_at_));
    }
    if (!console_file_.empty()) {
        console_input_ = about("console-input", [&] { return console_input_of(console_file_); });
    }
    for (const std::string& each : host_reads_) {
        looks_.push_back(about("host-read", [&] { return place_to_look::parse(each, program()); }));
    }
    for (const std::string& each : secrets_) {
        platform::require(each.size() >= 8 && each.size() <= 4096,
                          fmt::format("secret: '{}' has not 8 to 4096 characters", each));
    }
    open_output(dump_file_, "dump-state", dump_state_);
    open_output(profile_file_, "profile", profile_);
}

void guest_options::settle_images() {
    platform::require(!elf_.empty() || !loads_.empty(),
                      "elf: there is nothing to execute; --elf FILE or --load FILE@ADDRESS is needed");
    if (!elf_.empty()) {
        program_ = about(
            "elf", [&] { return std::make_unique<power::elf_image>(power::elf_image::read(elf_.string())); });
    }
    for (const std::string& each : loads_) {
        images_.push_back(about("load", [&] { return platform::flat_image::parse(each); }));
    }
    platform::require(pc_ || program_, "pc: flat images have no entry; --pc ADDRESS is needed");
}

void guest_options::settle_stops(platform::power_machine_config& machine) {
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

void guest_options::settle_tools(platform::power_tools::config& tools) {
    tools.instruction_trace = instruction_trace_;
    tools.coverage = coverage_;
    tools.profile_period = profile_.empty() ? 0 : profile_period_;
    tools.debugger = gdb_port_.has_value();
    platform::require(profile_period_ != 0, "profile.period: 0 is less than 1");
    platform::require(!gdb_port_ || *gdb_port_ <= 65535,
                      fmt::format("gdb: {} is no port; 0 to 65535 are allowed", gdb_port_.value_or(0)));
    if (!trace_numbers_.empty()) {
        const auto range = about("instruction-trace.numbers",
                                 [&] { return range_of(trace_numbers_, parse_integer); });
        tools.trace_window.from = range.first.value_or(tools.trace_window.from);
        tools.trace_window.to = range.second.value_or(tools.trace_window.to);
    }
    if (!trace_addresses_.empty()) {
        const auto range = about("instruction-trace.addresses",
                                 [&] { return range_of(trace_addresses_, parse_integer, true); });
        tools.trace_window.where.first = range.first.value_or(tools.trace_window.where.first);
        tools.trace_window.where.last = range.second.value_or(tools.trace_window.where.last);
    }
    if (!trace_times_.empty()) {
        const auto range = about("instruction-trace.time",
                                 [&] { return range_of(trace_times_, platform::parse_duration); });
        tools.trace_from = range.first.value_or(sc_core::SC_ZERO_TIME);
        tools.trace_to = range.second;
    }
}

std::uint64_t guest_options::start_msr() const {
    if (msr_) {
        return *msr_;
    }
    return power::msr_me | (program_ && !program_->wide() ? 0 : power::msr_sf) |
           (program_ && program_->little_endian() ? power::msr_le : 0);
}

void guest_options::prepare(platform::power_machine& machine) const {
    if (program_) {
        about("elf", [&] { platform::load(machine.memory().ram(), *program_); });
    }
    for (const platform::flat_image& each : images_) {
        about("load", [&] { platform::load(machine.memory().ram(), each); });
    }
    if (process_table_at_) {
        machine.partition().use(
            {.base = *process_table_at_, .size_exponent = std::bit_width(process_table_size) - 1U});
    }
    const platform::entry_point entry = program_ ? platform::entry_of(*program_) : platform::entry_point{};
    for (std::size_t n = 0; n < machine.cpus(); ++n) {
        cpu::power_cpu& core = machine.cpu(n);
        core.state().msr = start_msr();
        core.state().nip = pc_.value_or(entry.address);
        core.state().gpr[2] = entry.toc.value_or(0);
        if (little_endian()) {
            core.set_lpcr(power::lpcr::ile, power::lpcr::ile);
        }
        for (const auto& [name, value] : registers_) {
            about("set-register", [&, &which = name, &what = value] {
                power::debug::write_register(core.engine(), which, what);
            });
        }
        if (machine.firmware() == nullptr && (core.state().msr & power::msr_s) != 0) {
            throw std::invalid_argument(fmt::format(
                "msr: {:#x} has the bit S, which needs an Ultravisor (ultravisor=yes)", core.state().msr));
        }
        core.start();
    }
}

}  // namespace pefsim::bare_metal
