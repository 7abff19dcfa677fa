// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace pefsim::report {

/// Shortens what of a JSON report grows with its run, for a page of limited size.
/// \param halvings each halves what a list may have
/// \returns what was left out, a clause each: "violations.kept: 200 of 1,000 are here"
std::vector<std::string> cut_report(nlohmann::ordered_json& report, unsigned halvings);

/// The same for a text: its first lines.
std::vector<std::string> cut_text(std::string& text, unsigned halvings);

}  // namespace pefsim::report
