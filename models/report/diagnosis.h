// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "report/report_table.h"
#include "report/run_reader.h"

/// Why a run went as it did, in one or two plain sentences: rules that look at what the report of a machine has on
/// record (a member of "runs"), never at what the scenario is called or meant to do. What no rule knows is not named.
namespace pefsim::report {

struct finding {
    std::string_view rule;  ///< its name
    std::string cause;      ///< what happened, in whole sentences
    std::string remedy{};   ///< what would have helped; empty where nothing is known
    std::optional<double> when_ns{};
};

struct diagnosis_rule {
    std::string_view name;
    std::string_view looks_at;  ///< for docs/page.md, which a test compares
    std::optional<finding> (*look)(const run_reader& run);
};

/// What explains more stands before what may follow from it: a tampered page before the end of its guest.
std::span<const diagnosis_rule> diagnosis_rules();

/// What the rules find in one machine's part of a JSON report, in their order. Nothing, if it was a healthy run.
std::vector<finding> diagnose(const nlohmann::ordered_json& run);

/// "causes" of a machine's part of the JSON report.
nlohmann::ordered_json causes_json(std::span<const finding> found);
/// "Cause: ...", with what would have helped; of a machine that has a label, with that.
std::string cause_text(const finding& what, std::string_view label, std::size_t columns = report_columns);

}  // namespace pefsim::report
