// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace pefsim::output {

/// Of this pefsim: "0.1.0", as its project() says.
std::string_view version();

}  // namespace pefsim::output
