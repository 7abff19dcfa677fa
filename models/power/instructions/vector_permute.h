// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "power/instructions/vector_shape.h"

/// Rearrangements of elements that VMX and VSX both have.
namespace pefsim::power::isa {

/// Byte i is table[index.byte[i]].
template <std::size_t size>
[[gnu::always_inline]] inline vector_register looked_up(const std::array<std::uint8_t, size>& table,
                                                        vector_in index) {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
#pragma GCC unroll 8
    for (unsigned shift = 0; shift < 64; shift += 8) {
        high |= std::uint64_t{table[index.high >> shift & 0xff]} << shift;
        low |= std::uint64_t{table[index.low >> shift & 0xff]} << shift;
    }
    return joined(high, low);
}

/// Byte i is the byte of a || b that byte i of `control` names, or its mirror image when `from_right`.
template <bool from_right>
[[gnu::always_inline]] inline vector_register permuted(vector_in a, vector_in b, vector_in control) {
    // On the host, byte n of a || b stands at 31 - n.
    const auto source = std::bit_cast<std::array<std::uint8_t, 32>>(std::array{b, a});
    constexpr auto place = [](std::uint64_t n) { return (from_right ? n : ~n) & 0x1f1f'1f1f'1f1f'1f1f; };
    return looked_up(source, {.low = place(control.low), .high = place(control.high)});
}
inline constexpr auto vperm = [](vector_in a, vector_in b, vector_in c) { return permuted<false>(a, b, c); };
inline constexpr auto vpermr = [](vector_in a, vector_in b, vector_in c) { return permuted<true>(a, b, c); };

/// Elements of a and b in turn, from element `first` of both.
template <typename T, unsigned first>
inline constexpr auto merge = [](vector_in a, vector_in b) {
    return shuffled<T, [](unsigned i) { return first + i / 2 + i % 2 * elements<T>::count; }>(a, b);
};

/// Element UIM in all elements.
template <typename T>
inline constexpr auto splat_element = [](vector_in b, unsigned uim) { return splat(element<T>(b, uim)); };

/// Elements first .. first + count - 1 of a || b.
template <typename T, unsigned first>
inline constexpr auto window =
    [](vector_in a, vector_in b) { return shuffled<T, [](unsigned i) { return first + i; }>(a, b); };
/// The same where an immediate says which is the first.
template <facility needs, operand first, typename T>
handler select_window(std::uint32_t word, unsigned index, op& decoded) {
    constexpr auto by_first = []<unsigned... n>(std::integer_sequence<unsigned, n...>) {
        return std::array<selector, elements<T>::count>{from_ab<needs, window<T, n>>...};
    }
    (std::make_integer_sequence<unsigned, elements<T>::count>());
    return by_first[static_cast<unsigned>(info_of(first).value(word))](word, index, decoded);
}

/// Bits of c choose: 0 those of a, 1 those of b.
inline constexpr auto select_bits = [](auto a, auto b, auto c) { return (a & ~c) | (b & c); };

}  // namespace pefsim::power::isa
