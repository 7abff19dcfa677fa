// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/int128.h"

namespace pefsim::power::ieee {

/// An interchange format of IEEE 754: sign, biased exponent, fraction.
struct format {
    int exponent_bits = 0;
    int fraction_bits = 0;

    [[nodiscard]] constexpr int precision() const { return fraction_bits + 1; }
    [[nodiscard]] constexpr int bias() const { return (1 << (exponent_bits - 1)) - 1; }
    [[nodiscard]] constexpr int emax() const { return bias(); }
    [[nodiscard]] constexpr int emin() const { return 1 - bias(); }
    /// By how much an enabled overflow or underflow changes the exponent: 192, 1536, 24576 (4.4.3.2).
    [[nodiscard]] constexpr int wrap() const { return 3 << (exponent_bits - 2); }
    [[nodiscard]] constexpr std::uint32_t exponent_mask() const { return (1U << exponent_bits) - 1; }
};
inline constexpr format binary16{5, 10};
inline constexpr format binary32{8, 23};
inline constexpr format binary64{11, 52};
inline constexpr format binary128{15, 112};

/// The number classes that arithmetic tells apart.
enum class kind : std::uint8_t { zero, finite, infinity, quiet_nan, signaling_nan };

/// A floating-point datum of any format.
struct number {
    kind is = kind::zero;
    bool negative = false;
    int exponent = 0;         ///< finite: the magnitude is significand * 2^(exponent - 127)
    uint128 significand = 0;  ///< finite: bit 127 is set; NaN: the fraction, from bit 126 downwards

    [[nodiscard]] constexpr bool is_nan() const { return is >= kind::quiet_nan; }
};

inline constexpr uint128 leading_bit = uint128{1} << 127;
inline constexpr uint128 quiet_bit = uint128{1} << 126;

inline constexpr number default_nan{kind::quiet_nan, false, 0, quiet_bit};

constexpr number zero(bool negative) { return {.negative = negative}; }
constexpr number infinity(bool negative) { return {.is = kind::infinity, .negative = negative}; }

constexpr int leading_zeros(uint128 value) {
    const auto high = static_cast<std::uint64_t>(value >> 64);
    return high != 0 ? __builtin_clzll(high) : 64 + __builtin_clzll(static_cast<std::uint64_t>(value));
}

/// significand * 2^(exponent - 127) of a magnitude that is not zero, with bit 127 set.
constexpr number normalised(bool negative, int exponent, uint128 significand) {
    const int shift = leading_zeros(significand);
    return {kind::finite, negative, exponent - shift, significand << shift};
}

/// The datum in the low bits of `bits`.
constexpr number decode(uint128 bits, const format& f) {
    const bool negative = (bits >> (f.exponent_bits + f.fraction_bits) & 1) != 0;
    const auto biased = static_cast<std::uint32_t>(bits >> f.fraction_bits) & f.exponent_mask();
    const uint128 fraction = bits << (128 - f.fraction_bits) >> 1;  // from bit 126 downwards
    if (biased == f.exponent_mask()) {
        if (fraction == 0) {
            return infinity(negative);
        }
        return {(fraction & quiet_bit) != 0 ? kind::quiet_nan : kind::signaling_nan, negative, 0, fraction};
    }
    if (biased != 0) {
        return {kind::finite, negative, static_cast<int>(biased) - f.bias(), leading_bit | fraction};
    }
    return fraction == 0 ? zero(negative) : normalised(negative, f.emin(), fraction);
}

/// The datum in a format that holds it exactly, as round() makes it. What lies outside of the format loses its upper
/// exponent bits: it can only be the result of an enabled overflow that the scaling did not bring back.
constexpr uint128 encode(const number& n, const format& f) {
    const uint128 sign = uint128{n.negative} << (f.exponent_bits + f.fraction_bits);
    const uint128 special = sign | uint128{f.exponent_mask()} << f.fraction_bits;
    const uint128 fraction = (n.significand & ~leading_bit) >> (127 - f.fraction_bits);
    switch (n.is) {
    case kind::zero:
        return sign;
    case kind::infinity:
        return special;
    case kind::quiet_nan:
    case kind::signaling_nan:
        return special | fraction;
    case kind::finite:
        break;
    }
    if (n.exponent < f.emin()) {
        const int shift = 127 - f.fraction_bits + f.emin() - n.exponent;
        return shift > 127 ? sign : sign | n.significand >> shift;
    }
    const auto biased = static_cast<std::uint32_t>(n.exponent + f.bias()) & f.exponent_mask();
    return sign | uint128{biased} << f.fraction_bits | fraction;
}

/// FPSCR[FPRF] of a datum of a format (4.2.2, Figure 48).
constexpr std::uint32_t class_of(const number& n, const format& f) {
    switch (n.is) {
    case kind::zero:
        return n.negative ? 0b10010 : 0b00010;
    case kind::infinity:
        return n.negative ? 0b01001 : 0b00101;
    case kind::finite:
        break;
    default:
        return 0b10001;
    }
    if (n.exponent < f.emin()) {
        return n.negative ? 0b11000 : 0b10100;
    }
    return n.negative ? 0b01000 : 0b00100;
}

}  // namespace pefsim::power::ieee
