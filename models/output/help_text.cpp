// SPDX-License-Identifier: Apache-2.0
#include "output/help_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace pefsim::output {

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent, std::size_t begin) {
    std::string result;
    std::size_t column = begin;
    bool first = true;  // in its line
    bool glued = false;
    const auto new_line = [&] {
        result += '\n' + std::string(indent, ' ');
        column = indent;
        first = true;
    };
    while (!text.empty()) {
        std::size_t end = std::min(text.find(' '), text.size());
        if (const std::size_t bar = text.substr(0, end).rfind('|', columns - indent - 1);
            end > columns - indent && bar != std::string_view::npos) {
            end = bar + 1;
        }
        if (end == 0) {
            text.remove_prefix(1);
            continue;
        }
        const std::string_view word = text.substr(0, end);
        const std::size_t blank = first || glued ? 0 : 1;
        if (!first && column + blank + word.size() > columns) {
            new_line();
        } else {
            result += std::string(blank, ' ');
            column += blank;
        }
        result += word;
        column += word.size();
        first = false;
        glued = word.ends_with('|');
        text.remove_prefix(std::min(end + (glued ? 0 : 1), text.size()));
    }
    return result;
}

std::string option_row(std::string_view option, std::string_view what, std::size_t columns) {
    constexpr std::size_t column = 34;
    const std::string line = fmt::format("  {:<{}} ", option, column - 3);
    return line + wrapped(what, columns, column, line.size()) + '\n';
}

}  // namespace pefsim::output
