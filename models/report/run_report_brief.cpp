// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <string>

#include "report/quantity_text.h"
#include "report/report_table.h"
#include "report/run_report.h"

namespace pefsim::report {

std::string brief_text(const report_header& header, std::size_t columns) {
    return fmt::format("{}: {}\n", header.scenario, header.shown() ? "shown" : "NOT SHOWN") +
           verdict_text(header, columns) + ending_text(header.ending, columns);
}

std::string brief_text(const run_record& of, const run_facts& facts, std::size_t columns) {
    const violation_log& log = of.violations;
    const std::string title = fmt::format("Violations{}{}", facts.label.empty() ? "" : " of ", facts.label);
    if (log.total() == 0) {
        return title + ": none\n";
    }
    std::string result = fmt::format("{}: {}\n", title, count_text(log.total()));
    for (std::size_t i = 0; i < violation_kinds; ++i) {
        const auto kind = static_cast<violation_kind>(i);
        const auto first = std::ranges::find_if(
            log.groups(), [kind](const violation_group& group) { return group.first.kind == kind; });
        if (is_note(kind) || first == log.groups().end()) {
            continue;
        }
        const std::string line = fmt::format("{}: {}, first at {}: {}", to_name(kind),
                                             count_text(log.count(kind)), time_text(in_ns(first->first.when)),
                                             in_words(first->first));
        result += fmt::format("  {}\n", wrapped(line, 4, columns));
    }
    return result;
}

}  // namespace pefsim::report
