// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

#include "power/ieee/number.h"
#include "power/ieee/wide.h"

/// The common case of quad precision: operands that are zero or normal, round to nearest, a result that is zero or
/// normal. Half as many steps as arithmetic.h, which has the same results.
namespace pefsim::power::ieee::quad {

/// A result as FPSCR describes it.
struct delivered {
    uint128 bits = 0;
    bool inexact = false;
    bool incremented = false;
    bool good = false;  ///< false: the rest means nothing
};

inline constexpr uint128 sign_bit = uint128{1} << 127;
inline constexpr uint128 hidden_bit = uint128{1} << 112;

/// An operand taken apart.
struct operand {
    uint128 bits = 0;
    int exponent = 0;  ///< biased

    explicit operand(uint128 datum) : bits(datum), exponent(static_cast<int>(datum >> 112 & 0x7fff)) {}

    [[nodiscard]] bool is_zero() const { return bits << 1 == 0; }
    [[nodiscard]] bool is_normal() const { return static_cast<unsigned>(exponent) - 1 < 0x7ffe; }
    [[nodiscard]] uint128 sign() const { return bits & sign_bit; }
    /// Bit 112 is the leading one of a normal number.
    [[nodiscard]] uint128 significand() const { return (bits & (hidden_bit - 1)) | hidden_bit; }
};

/// Rounds significand * 2^(exponent - 127), biased; bit 127 is set and bit 0 stands for all that was below it.
[[gnu::always_inline]] inline delivered rounded(uint128 sign, int exponent, uint128 significand) {
    constexpr std::uint64_t half = 0x4000;
    const uint128 kept = significand >> 15;
    const auto lost = static_cast<std::uint64_t>(significand) & 0x7fff;
    const bool increment = lost + (static_cast<std::uint64_t>(kept) & 1) > half;
    // A carry out of the fraction steps the exponent, to which the hidden bit adds one.
    const uint128 magnitude = (uint128{static_cast<std::uint64_t>(exponent - 1)} << 112) + kept +
                              (increment ? 1 : 0);
    return {sign | magnitude, lost != 0, increment, exponent >= 1 && exponent <= 0x7ffd};
}
[[gnu::always_inline]] inline delivered exactly(uint128 bits) { return {.bits = bits, .good = true}; }
inline delivered unusual() { return {}; }

[[gnu::always_inline]] inline delivered add(uint128 first, uint128 second) {
    const bool swapped = first << 1 < second << 1;
    const operand a(swapped ? second : first);  // the larger one
    const operand b(swapped ? first : second);
    if (!a.is_normal() || !b.is_normal()) [[unlikely]] {
        return a.is_normal() && b.is_zero() ? exactly(a.bits) : unusual();
    }
    const uint128 larger = a.significand() << 14;  // a bit of room for the carry
    const uint128 smaller = shift_right_jam(b.significand() << 14, a.exponent - b.exponent);
    const uint128 sum = a.sign() == b.sign() ? larger + smaller : larger - smaller;
    if (sum == 0) [[unlikely]] {
        return exactly(0);
    }
    const int shift = leading_zeros(sum);
    return rounded(a.sign(), a.exponent + 1 - shift, sum << shift);
}

/// first - second. A NaN keeps its sign: it is not of the common case.
[[gnu::always_inline]] inline delivered subtract(uint128 first, uint128 second) {
    return add(first, second ^ sign_bit);
}

[[gnu::always_inline]] inline delivered multiply(uint128 first, uint128 second) {
    const operand a(first);
    const operand b(second);
    const uint128 sign = a.sign() ^ b.sign();
    if (!a.is_normal() || !b.is_normal()) [[unlikely]] {
        const bool zero = (a.is_zero() && (b.is_normal() || b.is_zero())) || (a.is_normal() && b.is_zero());
        return zero ? exactly(sign) : unusual();
    }
    const normalised_magnitude exact = normalised(product(a.significand() << 15, b.significand() << 15));
    return rounded(sign, a.exponent + b.exponent - binary128.bias() + 1 - exact.shift, exact.significand);
}

inline delivered divide(uint128 first, uint128 second) {
    const operand a(first);
    const operand b(second);
    const uint128 sign = a.sign() ^ b.sign();
    if (!a.is_normal() || !b.is_normal()) [[unlikely]] {
        return a.is_zero() && b.is_normal() ? exactly(sign) : unusual();
    }
    const with_rest ratio = quotient(a.significand() << 14, b.significand() << 15);  // between 1/4 and 1
    const int shift = leading_zeros(ratio.value);
    return rounded(sign, a.exponent - b.exponent + binary128.bias() - shift,
                   (ratio.value << shift) | (ratio.exact ? 0 : 1));
}

/// first * second + addend.
[[gnu::always_inline]] inline delivered multiply_add(uint128 first, uint128 second, uint128 addend) {
    const operand a(first);
    const operand b(second);
    const operand c(addend);
    if (!a.is_normal() || !b.is_normal() || !c.is_normal()) [[unlikely]] {
        return c.is_zero() && a.is_normal() && b.is_normal() ? multiply(first, second)
               : c.is_normal() &&
                       ((a.is_zero() && (b.is_normal() || b.is_zero())) || (a.is_normal() && b.is_zero()))
                   ? exactly(addend)
                   : unusual();
    }
    // Bit 254 of both has the weight of its exponent; bit 255 is room for the carry.
    wide larger = product(a.significand() << 15, b.significand() << 14);
    wide smaller{c.significand() << 14, 0};
    int exponent = a.exponent + b.exponent - binary128.bias() + 1;
    uint128 sign = a.sign() ^ b.sign();
    uint128 other_sign = c.sign();
    int distance = exponent - c.exponent;
    if (distance < 0) {
        std::swap(larger, smaller);
        std::swap(sign, other_sign);
        exponent = c.exponent;
        distance = -distance;
    }
    smaller = shift_right_jam(smaller, distance);
    if (sign == other_sign) {
        larger = larger + smaller;
    } else if (larger < smaller) {
        larger = smaller - larger;
        sign = other_sign;
    } else {
        larger = larger - smaller;
    }
    if ((larger.high | larger.low) == 0) [[unlikely]] {
        return exactly(0);
    }
    const normalised_magnitude exact = normalised(larger);
    return rounded(sign, exponent + 1 - exact.shift, exact.significand);
}

/// first * second - subtrahend.
[[gnu::always_inline]] inline delivered multiply_subtract(uint128 first, uint128 second, uint128 subtrahend) {
    return multiply_add(first, second, subtrahend ^ sign_bit);
}

inline delivered square_root(uint128 datum) {
    const operand a(datum);
    if (!a.is_normal() || a.sign() != 0) [[unlikely]] {
        return a.is_zero() ? exactly(datum) : unusual();
    }
    // The radicand is below 4 and its exponent even: the bias is odd.
    const bool even = a.exponent % 2 == 0;
    const with_rest r = root(a.significand() << (even ? 15 : 14));
    return rounded(0, (a.exponent - (even ? 1 : 0) + binary128.bias()) / 2, r.value | (r.exact ? 0 : 1));
}

}  // namespace pefsim::power::ieee::quad
