// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "cpu/power/instructions/vector_shape.h"

/// Rearrangements of elements that VMX and VSX both have.
namespace pefsim::cpu::power::isa {

/// Byte i is the byte of a || b that byte i of `control` names, or its mirror image when `from_right`.
template <bool from_right>
[[gnu::always_inline]] inline vector_register permuted(vector_in a, vector_in b, vector_in control) {
    std::array<vector_register, 2> source{b, a};  // on the host, byte n of a || b stands at 31 - n
    const auto byte_at = [&](std::uint64_t selects, unsigned lane) {
        const std::uint64_t n = (selects >> 8 * lane ^ (from_right ? 0 : 31)) & 31;
        return std::uint64_t{reinterpret_cast<const std::uint8_t*>(source.data())[n]} << 8 * lane;
    };
    vector_register result;
#pragma GCC unroll 8
    for (unsigned lane = 0; lane < 8; ++lane) {
        result.low |= byte_at(control.low, lane);
        result.high |= byte_at(control.high, lane);
    }
    return result;
}
inline constexpr auto vperm = [](vector_in a, vector_in b, vector_in c) { return permuted<false>(a, b, c); };
inline constexpr auto vpermr = [](vector_in a, vector_in b, vector_in c) { return permuted<true>(a, b, c); };

/// Elements of a and b in turn, from element `first` of both.
template <typename T, unsigned first>
inline constexpr auto merge = [](vector_in a, vector_in b) -> vector_register {
    const elements<T> from_a(a);
    const elements<T> from_b(b);
    elements<T> result;
    for (unsigned i = 0; i < elements<T>::count / 2; ++i) {
        result[2 * i] = from_a[first + i];
        result[2 * i + 1] = from_b[first + i];
    }
    return result;
};

/// Element UIM in all elements.
template <typename T>
inline constexpr auto splat_element = [](vector_in b, unsigned uim) { return splat(element<T>(b, uim)); };

/// Bits of c choose: 0 those of a, 1 those of b.
inline constexpr auto select_bits = [](auto a, auto b, auto c) { return (a & ~c) | (b & c); };

}  // namespace pefsim::cpu::power::isa
