// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "report/comparison.h"
#include "report/html_text.h"
#include "report/report_table.h"

namespace pefsim::report {
namespace {

constexpr std::string_view equal_text = "Nothing differs.";

std::string joined(const std::vector<std::string>& names) {
    std::string result;
    for (const std::string& each : names) {
        result += (result.empty() ? "" : ", ") + each;
    }
    return result;
}

std::string row_text(const difference& row) {
    constexpr std::size_t name_columns = 46;
    constexpr std::size_t value_columns = 19;
    const bool fits = row.a.size() < value_columns && row.b.size() < value_columns;
    if (!fits) {  // texts
        return fmt::format("  {}\n    A: {}\n    B: {}\n", wrapped(row.name, 4),
                           wrapped(row.a.empty() ? "-" : row.a, 7), wrapped(row.b.empty() ? "-" : row.b, 7));
    }
    const std::string name = row.name.size() < name_columns
                                 ? fmt::format("  {:<{}}", row.name, name_columns)
                                 : fmt::format("  {}\n{:{}}", wrapped(row.name, 4), "", name_columns + 2);
    return fmt::format("{}{:>{}}{:>{}}  {}\n", name, row.a.empty() ? "-" : row.a, value_columns,
                       row.b.empty() ? "-" : row.b, value_columns, row.ratio);
}

}  // namespace

std::string comparison_text(const comparison& of, std::string_view a, std::string_view b) {
    std::string result = fmt::format("A: {}\nB: {}\n", a, b);
    for (const std::string& each : of.warnings) {
        result += wrapped("Careful: " + each, 2) + '\n';
    }
    if (of.equal()) {
        return result + std::string(equal_text) + '\n';
    }
    for (const comparison::part& part : of.parts) {
        std::string body;
        for (const difference& row : part.rows) {
            body += row_text(row);
        }
        for (const auto& [which, names] : {std::pair{"A", &part.only_a}, std::pair{"B", &part.only_b}}) {
            if (!names->empty()) {
                body += "  " + wrapped(fmt::format("only in {}: {}", which, joined(*names)), 4) + '\n';
            }
        }
        result += section(part.title, body);
    }
    if (!of.elsewhere.empty()) {
        result += section("Other members that differ", "  " + wrapped(joined(of.elsewhere), 2) + '\n');
    }
    return result;
}

std::string comparison_page(const comparison& of, std::string_view a, std::string_view b) {
    std::string body = fmt::format("<header><h1>What differs</h1><p>A: {}<br>B: {}</p></header>\n<main>\n",
                                   html_escaped(a), html_escaped(b));
    for (const std::string& each : of.warnings) {
        body += html_element("p", "class=\"bad\"", html_escaped("Careful: " + each)) + '\n';
    }
    if (of.equal()) {
        body += html_element("p", "", equal_text);
    }
    for (const comparison::part& part : of.parts) {
        body += html_element("h2", "", html_escaped(part.title)) + '\n';
        html_table table{
            .caption = part.title,
            .columns = {{"What", "long"}, {"A", "number"}, {"B", "number"}, {"B to A", "number"}}};
        for (const difference& row : part.rows) {
            table.rows.push_back({html_escaped(row.name), html_escaped(row.a.empty() ? "-" : row.a),
                                  html_escaped(row.b.empty() ? "-" : row.b), html_escaped(row.ratio)});
        }
        body += table.rows.empty() ? "" : table.text();
        for (const auto& [which, names] : {std::pair{"A", &part.only_a}, std::pair{"B", &part.only_b}}) {
            if (!names->empty()) {
                body += html_element("p", "",
                                     html_escaped(fmt::format("Only in {}: {}", which, joined(*names))));
            }
        }
    }
    if (!of.elsewhere.empty()) {
        body += html_element("h2", "", "Other members that differ") +
                html_element("p", "", html_escaped(joined(of.elsewhere)));
    }
    return html_page("What differs between two runs", body + "</main>", "");
}

}  // namespace pefsim::report
