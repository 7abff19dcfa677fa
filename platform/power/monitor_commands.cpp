// SPDX-License-Identifier: Apache-2.0
#include "platform/power/monitor_commands.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <stdexcept>

#include "exposure/ledger.h"
#include "memory/page_state.h"
#include "platform/machine_config.h"
#include "platform/power/host_look.h"
#include "platform/power/power_machine.h"
#include "platform/power/stack_words.h"
#include "platform/quantity.h"
#include "report/metrics.h"

namespace pefsim::platform {
namespace {

struct row {
    std::string_view name;
    std::string_view arguments;
    std::string_view description;
    std::string (monitor_commands::*execute)(std::size_t core, monitor_commands::arguments);
};

// clang-format off
constexpr std::array rows{
    row{"help",       "",        "shows this",                                             &monitor_commands::help},
    row{"page",       "PLACE",   "state of a page, and whether the host can read it",      &monitor_commands::page},
    row{"ledger",     "PLACE",   "who wrote what the host can read in a page, and who looked",
                                                                                         &monitor_commands::ledger},
    row{"statistics", "[WORD]",  "what was counted, if WORD is a part of its name",        &monitor_commands::statistics},
    row{"trace",      "on|off",  "records instructions from now on (--instruction-trace FILE), or no more",
                                                                                         &monitor_commands::trace},
};
// clang-format on

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\n\r";
    const std::size_t first = text.find_first_not_of(blanks);
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

std::string time_text(const sc_core::sc_time& when) {
    return fmt::format("@ {:.0f} ns", when / sc_core::sc_time(1, sc_core::SC_NS));
}

}  // namespace

std::string monitor_commands::operator()(std::size_t core, std::string_view words) {
    words = trimmed(words);
    const std::string_view name = words.substr(0, words.find(' '));
    const std::string_view rest = trimmed(words.substr(name.size()));
    for (const row& each : rows) {
        if (each.name != name) {
            continue;
        }
        try {
            require(each.arguments.empty() || each.arguments.front() == '[' || !rest.empty(),
                    fmt::format("{} is missing", each.arguments));
            return (this->*each.execute)(core, rest);
        } catch (const std::invalid_argument& error) {
            return fmt::format("{}: {}\n", name, error.what());
        }
    }
    return fmt::format("there is no command '{}'; monitor help shows those that there are\n", name);
}

std::string monitor_commands::help(std::size_t /*core*/, arguments /*none*/) {
    std::string text;
    for (const row& each : rows) {
        text += fmt::format("monitor {:<10} {:<7}  {}\n", each.name, each.arguments, each.description);
    }
    return text + "PLACE: a physical address, a symbol, or @ and an effective address of this core\n";
}

std::uint64_t monitor_commands::physical(std::size_t core, std::string_view place) const {
    std::uint64_t real = 0;
    if (place.starts_with('@')) {
        const power::registers& state = machine_.cpu(core).state();
        const auto found = stack_words(state, machine_.memory(), machine_.partition())
                               .real_address(parse_integer(place.substr(1)), state.msr);
        require(found.has_value(), fmt::format("'{}' has no translation on this core", place));
        real = *found;
    } else {
        real = physical_place(place, symbols_);
    }
    require(machine_.memory().ram().contains(abi::phys_addr{real}, 1),
            fmt::format("'{}' is {:#x}, where no RAM is", place, real));
    return real;
}

std::string monitor_commands::page(std::size_t core, arguments place) {
    const std::uint64_t real = physical(core, place);
    const abi::gfn gfn = abi::gfn_of(abi::phys_addr{real});
    const exposure::ledger& seen = machine_.recorder().ledger();
    std::string text = fmt::format("page {:#x} .. {:#x}: {}, {}\n", abi::page_base(gfn).value(),
                                   abi::page_base(gfn).value() + abi::page_size - 1,
                                   memory::to_name(machine_.memory().states()[gfn]),
                                   seen.exposed(gfn) ? "the host can read it" : "the host cannot read it");
    for (const exposure::exposed_pages& each : seen.exposures()) {
        if (gfn >= each.first && gfn < each.first + each.pages && !each.call.empty()) {
            text += fmt::format("  {} {} by {}, {}\n", time_text(each.when), each.call,
                                seen.initiator(each.by.initiator), seen.origin(each.by.origin));
        }
    }
    return text;
}

std::string monitor_commands::ledger(std::size_t core, arguments place) {
    const std::uint64_t real = physical(core, place);
    const abi::gfn gfn = abi::gfn_of(abi::phys_addr{real});
    const std::uint64_t base = abi::page_base(gfn).value();
    const exposure::ledger& seen = machine_.recorder().ledger();
    if (!seen.exposed(gfn)) {
        return fmt::format("page {:#x} is {}: the host cannot read it, and nothing of it is on record\n",
                           base, memory::to_name(machine_.memory().states()[gfn]));
    }
    std::string text;
    for (const exposure::exposed_extent& each : seen.extents(gfn)) {
        text += fmt::format(
            "{} {:#x} .. {:#x} by {}, {}, {}: {}\n",
            real - base >= each.begin && real - base < each.end ? '*' : ' ', base + each.begin,
            base + each.end - 1, seen.initiator(each.writer.initiator), seen.origin(each.writer.origin),
            time_text(each.written),
            each.host_reads == 0
                ? "nobody has looked"
                : fmt::format("{} has looked, {} times", seen.initiator(each.last_reader), each.host_reads));
    }
    return text.empty() ? fmt::format("page {:#x}: nothing that was written there stands on record\n", base)
                        : text;
}

std::string monitor_commands::statistics(std::size_t /*core*/, arguments part_of_name) {
    const report::metric_registry& metrics = machine_.recorder().metrics();
    std::string text = fmt::format("{}\n", time_text(sc_core::sc_time_stamp()));
    const auto add = [&](const report::metric_name& name, std::string_view label, std::uint64_t value) {
        const std::string full = fmt::format("{}.{}{}{}", name.scope, name.name, label.empty() ? "" : " ",
                                             label);
        if (value != 0 && full.find(part_of_name) != std::string::npos) {
            text += fmt::format("{:>14} {:<13} {}\n", value, name.unit, full);
        }
    };
    for (const report::counter* each : metrics.counters) {
        add(each->name(), {}, each->value());
    }
    for (const report::level* each : metrics.levels) {
        add(each->name(), {}, each->value());
    }
    for (const report::tally* each : metrics.tallies) {
        for (std::size_t n = 0; n < each->labels().size(); ++n) {
            add(each->name(), each->labels()[n], each->count(n));
        }
    }
    return text;
}

std::string monitor_commands::trace(std::size_t /*core*/, arguments on_or_off) {
    require(on_or_off == "on" || on_or_off == "off", fmt::format("'{}' is not on or off", on_or_off));
    require(machine_.tools()->switch_traces(on_or_off == "on"),
            "there is nowhere to record to; the run needs --instruction-trace FILE");
    return fmt::format("instructions are {}\n",
                       on_or_off == "on" ? "recorded from now on" : "not recorded any more");
}

}  // namespace pefsim::platform
