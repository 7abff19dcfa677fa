// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/gcc_decimal.h"

#include <bit>

namespace pefsim::conformance::gcc {
namespace {

using dd = float __attribute__((mode(DD)));
using td = float __attribute__((mode(TD)));

template <typename decimal, typename word>
word compute(operation what, word a, word b) {
    const auto x = std::bit_cast<decimal>(a);
    const auto y = std::bit_cast<decimal>(b);
    switch (what) {
    case operation::add:
        return std::bit_cast<word>(x + y);
    case operation::subtract:
        return std::bit_cast<word>(x - y);
    case operation::multiply:
        return std::bit_cast<word>(x * y);
    default:
        return std::bit_cast<word>(x / y);
    }
}

}  // namespace

std::uint64_t decimal64(operation what, std::uint64_t a, std::uint64_t b) { return compute<dd>(what, a, b); }
uint128 decimal128(operation what, uint128 a, uint128 b) { return compute<td>(what, a, b); }

int compare64(std::uint64_t a, std::uint64_t b) {
    const auto x = std::bit_cast<dd>(a);
    const auto y = std::bit_cast<dd>(b);
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
}

std::uint64_t narrowed(uint128 a) {
    return std::bit_cast<std::uint64_t>(static_cast<dd>(std::bit_cast<td>(a)));
}
std::uint64_t of_integer(std::int64_t a) { return std::bit_cast<std::uint64_t>(static_cast<dd>(a)); }
std::int64_t to_integer(std::uint64_t a) { return static_cast<std::int64_t>(std::bit_cast<dd>(a)); }

}  // namespace pefsim::conformance::gcc
