// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// The report of a run as a page: one HTML file that needs no network. Verdict, ending, cause and violations are HTML;
/// the pictures are drawn by the page's script (models/report/page/) from the JSON report that stands in it. Same
/// report, same bytes. docs/page.md explains what one sees.
namespace pefsim::report {

/// What the JSON report does not say.
struct page_facts {
    std::string text{};                             ///< the report for people
    std::vector<std::string> changed_parameters{};  ///< names of those that have not their default
    std::string replay{};  ///< a line of shell that makes the run again, unless the report has one
};

inline constexpr std::size_t largest_page = 2'000'000;  ///< bytes

/// \param report as session writes it: header, "runs" and so on. Members that it does not have are left out.
/// \param limit the page is not larger: its lists are cut, and it says what was left out
std::string run_page(const nlohmann::ordered_json& report, const page_facts& facts,
                     std::size_t limit = largest_page);

}  // namespace pefsim::report
