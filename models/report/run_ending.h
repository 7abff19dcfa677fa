// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "report/report_table.h"

/// How a run ended: what every report says under its verdict.
namespace pefsim::report {

enum class ending_kind : std::uint8_t {
    not_started,
    finished,           ///< the guest has done all that it had to do
    stopped,            ///< where the user wanted it to stop
    panicked,           ///< the guest cannot go on, and says so
    out_of_memory,      ///< a panic for want of guest memory
    terminated,         ///< Ultravisor or hypervisor ended the guest
    waits_for_ever,     ///< nothing will happen any more
    hung,               ///< no sign of life for as long as the user wanted to wait
    time_limit,         ///< of simulated time
    instruction_limit,  ///< of a CPU
    halted,             ///< a CPU cannot execute anything any more
    signalled,          ///< a program by a signal
    interrupted,        ///< by the user, from outside: SIGINT, SIGTERM, a debugger's kill
    scenario_error,     ///< a mistake in the scenario's own code
};
std::string_view to_name(ending_kind kind);

struct run_ending {
    ending_kind kind = ending_kind::not_started;
    std::string text = "not started";  ///< a clause: "the guest finished"
    std::vector<std::string>
        details{};  ///< a clause each: who waited for what, where a CPU stood, console lines

    /// The guest has done what it had to do, or stands where the user wanted it.
    [[nodiscard]] bool good() const { return kind == ending_kind::finished || kind == ending_kind::stopped; }
    /// The run was cut off from outside: its figures are those of a part.
    [[nodiscard]] bool partial() const {
        return kind == ending_kind::time_limit || kind == ending_kind::instruction_limit ||
               kind == ending_kind::interrupted;
    }
};

/// "Ended: ..." and a line for each detail, in lines of at most `columns`.
std::string ending_text(const run_ending& ending, std::size_t columns = report_columns);
/// The members kind, text, partial and details.
nlohmann::ordered_json ending_json(const run_ending& ending);

}  // namespace pefsim::report
