// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace pefsim::report {

/// "series" of a run's JSON report as comma-separated values: names, then rows.
std::string series_csv(const nlohmann::ordered_json& series);

}  // namespace pefsim::report
