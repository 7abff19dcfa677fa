// SPDX-License-Identifier: Apache-2.0
#include "report/report_table.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "output/help_text.h"
#include "report/quantity_text.h"

namespace pefsim::report {

namespace {

// A longer name gets a line of its own.
constexpr std::size_t widest_name = 38;
// A description beside the rest has so many columns at least, or stands below.
constexpr std::size_t least_description = 28;
constexpr std::size_t below_indent = 6;

/// "1,024 requests" in its two halves.
std::pair<std::string_view, std::string_view> number_and_unit(std::string_view quantity) {
    const std::size_t space = std::min(quantity.find(' '), quantity.size());
    return {quantity.substr(0, space), quantity.substr(std::min(space + 1, quantity.size()))};
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
    return output::wrapped(text, columns, indent, indent);
}

std::string counted(std::uint64_t count, std::string_view what) {
    return fmt::format("{} {}{}", count_text(count), what, count == 1 ? "" : "s");
}

std::string section(std::string_view title, const std::string& body) {
    return body.empty() ? std::string() : fmt::format("\n{}\n{}", title, body);
}

template <class Size>
std::size_t report_table::widest(Size size) const {
    std::size_t result = 0;
    for (const row& r : rows_) {
        result = std::max<std::size_t>(result, size(r));
    }
    return result;
}

std::string report_table::text(std::size_t columns) const {
    const std::size_t name = widest(
        [](const row& r) { return r.name.size() > widest_name ? 0 : r.name.size(); });
    const std::size_t number = widest([](const row& r) { return number_and_unit(r.quantity).first.size(); });
    const std::size_t unit = widest([](const row& r) { return number_and_unit(r.quantity).second.size(); });
    const std::size_t beside = widest([](const row& r) { return r.beside.size(); });
    const std::size_t at = 2 + name + 2 + number + 1 + unit + (beside == 0 ? 0 : 2 + beside) + 3;
    const bool below = columns < report_columns && at + least_description > columns;
    std::string result;
    for (const row& r : rows_) {
        std::string line = fmt::format("  {:<{}}  ", r.name, name);
        if (r.name.size() > name) {
            line = fmt::format("  {}\n  {:<{}}  ", r.name, "", name);
        }
        line += fmt::format("{:>{}} {:<{}}", number_and_unit(r.quantity).first, number,
                            number_and_unit(r.quantity).second, unit);
        line += beside == 0 ? std::string() : fmt::format("  {:>{}}", r.beside, beside);
        line += r.description.empty() || below ? std::string() : "   " + wrapped(r.description, at, columns);
        line.erase(line.find_last_not_of(' ') + 1);
        if (below && !r.description.empty()) {
            line += fmt::format("\n{:{}}{}", "", below_indent, wrapped(r.description, below_indent, columns));
        }
        result += line + '\n';
    }
    return result;
}

}  // namespace pefsim::report
