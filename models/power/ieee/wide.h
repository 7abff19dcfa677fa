// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include "power/ieee/number.h"

/// Integers of 256 bits, for exact products, and the long division and square root that give 128 bits.
namespace pefsim::power::ieee {

struct wide {
    uint128 high = 0;
    uint128 low = 0;

    friend wide operator+(const wide& a, const wide& b) {
        const uint128 low = a.low + b.low;
        return {a.high + b.high + (low < a.low ? 1 : 0), low};
    }
    friend wide operator-(const wide& a, const wide& b) {
        return {a.high - b.high - (a.low < b.low ? 1 : 0), a.low - b.low};
    }
    friend bool operator<(const wide& a, const wide& b) {
        return a.high != b.high ? a.high < b.high : a.low < b.low;
    }
};

/// value >> count; what is lost is gathered in bit 0.
[[gnu::always_inline]] inline uint128 shift_right_jam(uint128 value, int count) {
    if (count == 0) {
        return value;
    }
    if (count > 127) {
        return value != 0 ? 1 : 0;
    }
    return value >> count | (value << (128 - count) != 0 ? 1 : 0);
}
[[gnu::always_inline]] inline wide shift_right_jam(const wide& value, int count) {
    if (count == 0) {
        return value;
    }
    if (count >= 128) {
        return {0, shift_right_jam(value.high, count - 128) | (value.low != 0 ? 1 : 0)};
    }
    return {value.high >> count, value.high << (128 - count) | shift_right_jam(value.low, count)};
}

[[gnu::always_inline]] inline wide product(uint128 a, uint128 b) {
    const auto a1 = static_cast<std::uint64_t>(a >> 64);
    const auto b1 = static_cast<std::uint64_t>(b >> 64);
    const auto a0 = static_cast<std::uint64_t>(a);
    const auto b0 = static_cast<std::uint64_t>(b);
    const uint128 top = uint128{a1} * b1;
    const uint128 cross = uint128{a1} * b0;
    const uint128 other = uint128{a0} * b1;
    const uint128 bottom = uint128{a0} * b0;
    const uint128 middle = (bottom >> 64) + static_cast<std::uint64_t>(cross) +
                           static_cast<std::uint64_t>(other);
    return {top + (cross >> 64) + (other >> 64) + (middle >> 64),
            middle << 64 | static_cast<std::uint64_t>(bottom)};
}

/// A normalised magnitude: bit 127 of the significand is set, and bit 0 stands for everything below it.
struct normalised_magnitude {
    int shift = 0;  ///< by how much the value was shifted to the left
    uint128 significand = 0;
};
/// The upper 128 bits of a value that is not zero.
[[gnu::always_inline]] inline normalised_magnitude normalised(wide value) {
    int shift = 0;
    if (value.high == 0) {
        value = {value.low, 0};
        shift = 128;
    }
    const int rest = leading_zeros(value.high);
    value = {value.high << rest | value.low >> 1 >> (127 - rest), value.low << rest};
    return {shift + rest, value.high | (value.low != 0 ? 1 : 0)};
}

/// What a division or a root leaves besides its result.
struct with_rest {
    uint128 value = 0;
    bool exact = false;
};

/// dividend / divisor, which must be below 2^64.
[[gnu::always_inline]] inline std::uint64_t quotient_of_128(uint128 dividend, std::uint64_t divisor) {
#if defined(__x86_64__)
    std::uint64_t quotient = 0;
    std::uint64_t rest = 0;
    __asm__("divq %[divisor]"
            : "=a"(quotient), "=d"(rest)
            : "a"(static_cast<std::uint64_t>(dividend)),
              "d"(static_cast<std::uint64_t>(dividend >> 64)), [divisor] "r"(divisor)
            : "cc");
    return quotient;
#else
    return static_cast<std::uint64_t>(dividend / divisor);
#endif
}

/// The next 64 bits of rest / divisor, and what then is the rest: Knuth, "The Art of Computer Programming", 4.3.1,
/// algorithm D with digits of 64 bits. rest < divisor; bit 127 of the divisor is set.
inline std::uint64_t next_digit(uint128& rest, uint128 divisor) {
    const auto d1 = static_cast<std::uint64_t>(divisor >> 64);
    const auto d0 = static_cast<std::uint64_t>(divisor);
    const bool largest = static_cast<std::uint64_t>(rest >> 64) == d1;
    std::uint64_t digit = largest ? ~std::uint64_t{0} : quotient_of_128(rest, d1);
    uint128 left = rest - uint128{digit} * d1;
    while (left >> 64 == 0 && uint128{digit} * d0 > left << 64) {
        --digit;
        left += d1;
    }
    rest = (left << 64) - uint128{digit} * d0;
    return digit;
}

/// 2^128 * dividend / divisor. dividend < divisor; bit 127 of the divisor is set.
inline with_rest quotient(uint128 dividend, uint128 divisor) {
    const std::uint64_t high = next_digit(dividend, divisor);
    const std::uint64_t low = next_digit(dividend, divisor);
    return {uint128{high} << 64 | low, dividend == 0};
}

/// The root of value, which is at least 2^126.
inline std::uint64_t root_of_128(uint128 value) {
    constexpr std::uint64_t largest = ~std::uint64_t{0};
    // The host's root lacks some eleven bits; Newton's step leaves an error of one.
    const double estimate = std::sqrt(static_cast<double>(value));
    auto root = estimate >= 0x1p64 ? largest : static_cast<std::uint64_t>(estimate);
    const uint128 square = uint128{root} * root;
    const uint128 distance = square > value ? square - value : value - square;
    const auto step = static_cast<std::uint64_t>(static_cast<double>(distance) / (2 * estimate));
    root = square > value ? root - step : step > largest - root ? largest : root + step;
    while (uint128{root} * root > value) {
        --root;
    }
    while (root != largest && uint128{root + 1} * (root + 1) <= value) {
        ++root;
    }
    return root;
}

/// The root of 2^128 * value, which is at least 2^126: Zimmermann, "Karatsuba Square Root", 1999, with digits of 64
/// bits.
inline with_rest root(uint128 value) {
    const std::uint64_t high = root_of_128(value);
    const uint128 rest = value - uint128{high} * high;  // at most 2 * high
    // The next 64 bits are rest * 2^64 / (2 * high), or one or two less.
    std::uint64_t low = rest >> 1 >= high ? ~std::uint64_t{0} : quotient_of_128(rest << 63, high);
    for (;; --low) {
        const uint128 candidate = uint128{high} << 64 | low;
        const wide square = product(candidate, candidate);
        if (!(wide{value, 0} < square)) {
            return {candidate, square.high == value && square.low == 0};
        }
    }
}

}  // namespace pefsim::power::ieee
