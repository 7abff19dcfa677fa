// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

/// What differs between two runs, by their JSON reports. Names of files are no difference.
namespace pefsim::report {

/// One thing that both have, or one of them.
struct difference {
    std::string name;
    std::string a;  ///< for people; empty when A does not have it
    std::string b;
    std::string ratio{};  ///< B to A: "x 1.25"; empty where there is none
    double weight = 0;    ///< how far the ratio is from 1: its logarithm, either way; infinite from or to 0
};

struct comparison {
    struct part {
        std::string title;
        std::vector<difference> rows;       ///< the largest ratio first
        std::vector<std::string> only_a{};  ///< names
        std::vector<std::string> only_b{};
    };
    std::vector<std::string> warnings;   ///< why these two are hard to compare: scenarios, schema versions
    std::vector<part> parts;             ///< none is empty
    std::vector<std::string> elsewhere;  ///< other members that differ, as places in the report

    [[nodiscard]] bool equal() const { return warnings.empty() && parts.empty() && elsewhere.empty(); }
};

/// \throws std::invalid_argument saying what about `report` shows that it is none of pefsim's
void check_is_report(const nlohmann::ordered_json& report);

/// Of two reports (check_is_report()).
comparison compare_reports(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b);

/// In lines of at most 100 columns. `a` and `b` are what the reports are called.
std::string comparison_text(const comparison& of, std::string_view a, std::string_view b);
/// As a page.
std::string comparison_page(const comparison& of, std::string_view a, std::string_view b);

}  // namespace pefsim::report
