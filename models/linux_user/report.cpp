// SPDX-License-Identifier: Apache-2.0
#include "linux_user/report.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>

#include "linux_user/system_calls.h"
#include "power/debug/disassembler.h"
#include "report/run_ending.h"

namespace pefsim::linux_user {
namespace {

using json = nlohmann::ordered_json;

std::string signal_name(int signal) {
    const char* const name = ::sigabbrev_np(signal);
    return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("SIG{}", name);
}

/// "main+0x24"; empty outside all symbols.
std::string place(const power::elf_image& image, std::uint64_t address) {
    const auto at = image.relocatable() ? std::nullopt : image.find(address);
    return !at               ? std::string()
           : at->offset == 0 ? std::string(at->of->name)
                             : fmt::format("{}+{:#x}", at->of->name, at->offset);
}

json system_calls(const run_statistics& statistics) {
    json calls = json::object();
    for (const system_call_row& row : system_call_table()) {
        if (const std::uint64_t count = statistics.system_calls[row.number]; count != 0) {
            calls[std::string(row.name)] = count;
        }
    }
    return calls;
}

json faults(const run_statistics& statistics, const power::elf_image& image) {
    json list = json::array();
    for (const run_statistics::fault& each : statistics.faults) {
        list.push_back({{"signal", signal_name(each.signal)},
                        {"code", each.code},
                        {"address", fmt::format("{:#x}", each.address)},
                        {"nip", fmt::format("{:#x}", each.nip)},
                        {"symbol", place(image, each.nip)}});
    }
    return list;
}

/// "0x10000590 <main+0x24>: lwz r3,0(r4)".
std::string standing(const process& after, const power::elf_image& image) {
    const std::uint64_t nip = after.core.state.nip;
    std::string text = fmt::format("{:#x}", nip);
    if (const std::string symbol = place(image, nip); !symbol.empty()) {
        text += fmt::format(" <{}>", symbol);
    }
    if (std::uint32_t word = 0; after.memory.get(nip, word)) {
        text += fmt::format(": {}", power::debug::disassemble(word, nip));
    }
    return text;
}

report::run_ending ending_of(const process& after, const power::elf_image& image, const end_of_program& end) {
    using enum report::ending_kind;
    if (!end.waits_in.empty()) {
        return {waits_for_ever,
                fmt::format("the program waits in {} for what cannot come", end.waits_in),
                {fmt::format("it stood at {}", standing(after, image))}};
    }
    if (end.signal == 0) {
        return {finished, fmt::format("the program exited with status {}", end.status)};
    }
    const std::uint64_t limit = after.settings().instruction_limit;
    if (end.signal == SIGXCPU && limit != 0 && after.core.instructions() >= limit) {
        return {instruction_limit,
                fmt::format("the program had not finished at the instruction limit of {}", limit),
                {fmt::format("it stood at {}", standing(after, image))}};
    }
    if (end.signal == after.statistics.sent_from_outside) {
        return {interrupted,
                fmt::format("{} from outside ended the program", signal_name(end.signal)),
                {fmt::format("it stood at {}", standing(after, image))}};
    }
    report::run_ending killed{signalled, fmt::format("the program was killed by {} at {}",
                                                     signal_name(end.signal), standing(after, image))};
    const run_statistics::fault& last = after.statistics.last_fault;
    if (last.signal == end.signal && last.nip == after.core.state.nip) {
        killed.details.push_back(fmt::format("code {}, address {:#x}", last.code, last.address));
    }
    return killed;
}

}  // namespace

json make_report(const process& after, const power::elf_image& image, const end_of_program& end) {
    const run_statistics& statistics = after.statistics;
    json unknown = json::object();
    for (const auto& [number, count] : statistics.unknown_system_calls) {
        unknown[system_call_name(number)] = count;
    }
    json ending = {{"status", end.status}};
    if (end.signal != 0) {
        ending["signal"] = signal_name(end.signal);
    }
    if (!end.waits_in.empty()) {
        ending["waits_for_ever_in"] = end.waits_in;
    }
    return {{"scenario", "user_program"},
            {"program", after.settings().program},
            {"arguments", after.settings().arguments},
            {"end", ending},
            {"ended", report::ending_json(ending_of(after, image, end))},
            {"instructions", after.core.instructions()},
            {"simulated_ns", after.clock.elapsed()},
            {"peak_bytes_mapped", after.memory.peak_bytes()},
            {"system_calls", system_calls(statistics)},
            {"system_calls_not_implemented", unknown},
            {"faults", {{"count", statistics.fault_count}, {"first", faults(statistics, image)}}}};
}

std::string report_text(const json& report) {
    const json& end = report["end"];
    std::string text = fmt::format(
        "{}: {}, {} instructions, {:.6f} s simulated\n", report["program"].get<std::string>(),
        end.contains("signal") ? fmt::format("killed by {}", end["signal"].get<std::string>())
        : end.contains("waits_for_ever_in")
            ? fmt::format("waits for ever in {}", end["waits_for_ever_in"].get<std::string>())
            : fmt::format("exit status {}", end["status"].get<int>()),
        report["instructions"].get<std::uint64_t>(), report["simulated_ns"].get<double>() / 1e9);
    text += fmt::format("Ended: {}\n", report["ended"]["text"].get<std::string>());
    for (const json& detail : report["ended"]["details"]) {
        text += fmt::format("  {}\n", detail.get<std::string>());
    }
    for (const auto& [name, count] : report["system_calls"].items()) {
        const bool missing = report["system_calls_not_implemented"].contains(name);
        text += fmt::format("  {:20}{:>10}{}\n", name, count.get<std::uint64_t>(),
                            missing ? "  ENOSYS: not implemented" : "");
    }
    for (const json& fault : report["faults"]["first"]) {
        text += fmt::format("  {} (code {}) at {} {}, address {}\n", fault["signal"].get<std::string>(),
                            fault["code"].get<int>(), fault["nip"].get<std::string>(),
                            fault["symbol"].get<std::string>(), fault["address"].get<std::string>());
    }
    return text;
}

}  // namespace pefsim::linux_user
