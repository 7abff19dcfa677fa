// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTML as pefsim writes it: one file that needs no other and no network, and runs nothing but its own script.
namespace pefsim::report {

/// Text, or an attribute's value in double quotes. What is not UTF-8, and control characters that HTML does not have,
/// become U+FFFD.
std::string html_escaped(std::string_view text);

/// `<tag attributes>content</tag>`; `content` is HTML.
std::string html_element(std::string_view tag, std::string_view attributes, std::string_view content);

/// A table in a region that scrolls by itself where the screen is narrow. Cells are HTML.
struct html_table {
    struct column {
        std::string title;
        std::string look{};  ///< "number", "long", or nothing
    };
    std::string caption;
    std::vector<column> columns;
    std::vector<std::vector<std::string>> rows{};
    std::vector<std::string> row_ids{};  ///< of the first rows

    [[nodiscard]] std::string text() const;
};

/// The page, with the style and the policy that every page of pefsim has.
/// \param data what the script reads; empty: the page has no script
std::string html_page(std::string_view title, std::string_view body, std::string_view data);

}  // namespace pefsim::report
