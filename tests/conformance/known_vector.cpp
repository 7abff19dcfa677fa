// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/conditions.h"

namespace pefsim::conformance {
namespace {

/// CR6 says that a digit or a sign is none.
bool no_decimal(const sample& s) { return (s.ours->cr & 0x10) != 0; }

bool keeps_all_digits(const sample& s) { return (s.before->vsr[32 + fields::a.of(s.word)][1] & 0xffff) > 31; }
bool target_is_source(const sample& s) {
    return fields::t.of(s.word) == fields::a.of(s.word) || fields::t.of(s.word) == fields::b.of(s.word);
}
bool sum_is_zero(const sample& s) {
    const auto& sum = s.ours->vsr[32 + fields::t.of(s.word)];
    return sum[1] == 0 && sum[0] >> 4 == 0;
}

// clang-format off
constexpr known_difference table[] = {
    {"bcd*", no_decimal, {{{place::target}, {place::cr, cr6}}}, "6.17: the result is undefined when an operand is no decimal number"},
    {"bcdadd. bcdsub. bcds. bcdus. bcdsr. bcdtrunc. bcdutrunc. bcdctsq.", nullptr, {{{place::cr, cr6}}},
     "6.17: LT, GT and EQ are those of the whole result, and SO is overflow; qemu compares what it has left of it"},
    {"bcdadd. bcdsub.", sum_is_zero, {{{place::target}, {place::cr, cr6}}},
     "6.17: PS says which of the two positive sign codes an unbounded result has that is zero; qemu gives -0 + -0 a negative one"},
    {"bcdcpsgn. bcdtrunc. bcdutrunc.", target_is_source, {{{place::target}, {place::cr, cr6}}},
     "6.17: operands are those from before; qemu reads one after it has written the target"},
    {"bcdtrunc.", keeps_all_digits, {{{place::target}, {place::cr, cr6}}},
     "6.17: a length above 31 keeps all digits; qemu takes large ones for negative"},
    {"vrldmi", nullptr, {{{place::target}}}, "6.9.5: inserts under the mask; qemu clears what is outside, as vrldnm does"},
    {"vexptefp vlogefp vrefp vrsqrtefp", nullptr, {{{place::target}}}, "6.10.6: estimates, as exact as an implementation likes"},
};
// clang-format on

}  // namespace

std::span<const known_difference> known_vector() { return table; }

}  // namespace pefsim::conformance
