// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text of --help. All programs write theirs in one form, which packaging/manual_page reads.
namespace pefsim::output {

/// Text broken into lines of at most `columns`, each after `indent` blanks but for the first, which begins in column
/// `begin`. Words are broken after '|' if they must.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent = 0,
                    std::size_t begin = 0);

/// "  --name VALUE                    what it is", the description in lines of its own column.
std::string option_row(std::string_view option, std::string_view what, std::size_t columns);

}  // namespace pefsim::output
