// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace pefsim::report {

/// A report for people as a terminal shows it: headings bold, what was shown green, what was not and violations red.
/// Only escape sequences (ECMA-48, SGR) come in: without them it is `text`.
std::string coloured(std::string_view text);

}  // namespace pefsim::report
