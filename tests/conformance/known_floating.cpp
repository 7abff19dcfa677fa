// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/conditions.h"

namespace pefsim::conformance {
namespace {

// clang-format off
constexpr known_difference table[] = {
    {"f* xs* xv*", nullptr, {{{place::nothing}}}, ""},
};
// clang-format on

}  // namespace

std::span<const known_difference> known_floating() { return table; }

}  // namespace pefsim::conformance
