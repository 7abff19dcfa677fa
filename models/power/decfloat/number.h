// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "power/int128.h"

/// Decimal floating-point numbers of the Power ISA (3.0B Book I 5.4): IEEE 754 decimal with densely packed digits.
/// Intel's decimal library does the arithmetic and the packing of digits.
namespace pefsim::power::decfloat {

/// The powers of ten that coefficients and their products with ten need.
inline constexpr auto powers_of_ten = [] {
    std::array<uint128, 36> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i) {
        powers[i] = powers[i - 1] * 10;
    }
    return powers;
}();

/// Number of decimal digits of a coefficient; 0 has none.
constexpr int digits_of(uint128 coefficient) {
    int count = 0;
    while (count < static_cast<int>(powers_of_ten.size()) &&
           coefficient >= powers_of_ten[static_cast<std::size_t>(count)]) {
        ++count;
    }
    return count;
}

/// DFP Short, Long and Extended. Exponents are those of the coefficient's last digit.
struct format {
    int digits;
    int bias;
    int largest_exponent;

    [[nodiscard]] constexpr int smallest_exponent() const { return -bias; }
    /// Exponents of the first digit of the largest and of the smallest normal numbers.
    [[nodiscard]] constexpr int emax() const { return largest_exponent + digits - 1; }
    [[nodiscard]] constexpr int emin() const { return smallest_exponent() + digits - 1; }
    [[nodiscard]] constexpr uint128 largest_coefficient() const {
        return powers_of_ten[static_cast<std::size_t>(digits)] - 1;
    }
};
inline constexpr format short_format{7, 101, 90};
inline constexpr format long_format{16, 398, 369};
inline constexpr format extended_format{34, 6176, 6111};

enum class kind : std::uint8_t { finite, infinity, quiet_nan, signalling_nan };

/// A datum. The coefficient of what is no number is the trailing significand field: the payload of a NaN, and what
/// stands behind an infinity.
struct number {
    kind what = kind::finite;
    bool negative = false;
    int exponent = 0;
    uint128 coefficient = 0;

    [[nodiscard]] constexpr bool finite() const { return what == kind::finite; }
    [[nodiscard]] constexpr bool infinite() const { return what == kind::infinity; }
    [[nodiscard]] constexpr bool nan() const { return what >= kind::quiet_nan; }
    [[nodiscard]] constexpr bool signalling() const { return what == kind::signalling_nan; }
    [[nodiscard]] constexpr bool zero() const { return finite() && coefficient == 0; }
};

inline constexpr number default_nan{.what = kind::quiet_nan};

number decode_short(std::uint32_t dpd);
number decode_long(std::uint64_t dpd);
number decode_extended(uint128 dpd);

/// Of numbers that the format can hold. Payloads lose the digits that do not fit.
std::uint32_t encode_short(const number& value);
std::uint64_t encode_long(const number& value);
uint128 encode_extended(const number& value);

/// FPSCR[FPRF] of a result: class and sign (4.2.2).
std::uint32_t class_of(const number& value, const format& in);

}  // namespace pefsim::power::decfloat
