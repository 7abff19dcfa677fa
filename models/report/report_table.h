// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The layout of the report for people.
namespace pefsim::report {

inline constexpr std::size_t report_columns = 100;  ///< unless a terminal says how many

/// Text in lines of at most `columns`, broken at spaces, each after the first behind `indent` spaces.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns = report_columns);

/// A title and what stands under it; nothing when that is empty.
std::string section(std::string_view title, const std::string& body);

/// "1 change", "2 changes".
std::string counted(std::uint64_t count, std::string_view what);

/// Rows of a name, a quantity (numbers end and units begin in one column), a rate, share or peak beside it, and a
/// description that may take several lines. In fewer than report_columns a description that would have little room
/// beside the rest stands below it.
class report_table {
public:
    void add(std::string name, std::string quantity, std::string beside, std::string description) {
        rows_.push_back({std::move(name), std::move(quantity), std::move(beside), std::move(description)});
    }
    [[nodiscard]] std::string text(std::size_t columns = report_columns) const;

private:
    struct row {
        std::string name;
        std::string quantity;
        std::string beside;
        std::string description;
    };
    template <class Size>
    [[nodiscard]] std::size_t widest(Size size) const;

    std::vector<row> rows_;
};

}  // namespace pefsim::report
