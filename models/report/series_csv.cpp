// SPDX-License-Identifier: Apache-2.0
#include "report/series_csv.h"

namespace pefsim::report {

std::string series_csv(const nlohmann::ordered_json& series) {
    std::string text;
    const auto add = [&text, first = true](const std::string& value) mutable {
        text += first ? value : ',' + value;
        first = false;
    };
    for (auto each = add; const nlohmann::ordered_json& column : series["columns"]) {
        each(column["name"].get<std::string>());
    }
    text += '\n';
    for (const nlohmann::ordered_json& row : series["rows"]) {
        for (auto each = add; const nlohmann::ordered_json& value : row) {
            each(value.dump());
        }
        text += '\n';
    }
    return text;
}

}  // namespace pefsim::report
