// SPDX-License-Identifier: Apache-2.0
#include "report/run_ending.h"

#include <fmt/format.h>

#include "report/report_table.h"

namespace pefsim::report {

std::string_view to_name(ending_kind kind) {
    switch (kind) {
    case ending_kind::not_started:
        return "not_started";
    case ending_kind::finished:
        return "finished";
    case ending_kind::stopped:
        return "stopped";
    case ending_kind::panicked:
        return "panicked";
    case ending_kind::out_of_memory:
        return "out_of_memory";
    case ending_kind::terminated:
        return "terminated";
    case ending_kind::waits_for_ever:
        return "waits_for_ever";
    case ending_kind::hung:
        return "hung";
    case ending_kind::time_limit:
        return "time_limit";
    case ending_kind::instruction_limit:
        return "instruction_limit";
    case ending_kind::halted:
        return "halted";
    case ending_kind::signalled:
        return "signalled";
    case ending_kind::interrupted:
        return "interrupted";
    case ending_kind::scenario_error:
        return "scenario_error";
    }
    return "?";
}

std::string ending_text(const run_ending& ending, std::size_t columns) {
    constexpr std::size_t indent = 2;
    std::string result = wrapped(fmt::format("Ended: {}{}", ending.text,
                                             ending.partial() ? " (this report is partial)" : ""),
                                 0, columns) +
                         '\n';
    for (const std::string& each : ending.details) {
        result += fmt::format("{:{}}{}\n", "", indent, wrapped(each, 2 * indent, columns));
    }
    return result;
}

nlohmann::ordered_json ending_json(const run_ending& ending) {
    return {{"kind", to_name(ending.kind)},
            {"text", ending.text},
            {"partial", ending.partial()},
            {"details", ending.details}};
}

}  // namespace pefsim::report
