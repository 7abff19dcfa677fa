// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "power/ieee/environment.h"
#include "power/ieee/host.h"

/// Conversions on the host's floating-point unit: no NaNs, numbers that both formats have, round to nearest where the
/// format or FPSCR[RN] rounds. Whether a result is inexact is seen by converting it back.
namespace pefsim::power::ieee::host {

/// A number of another format. `inexact` means nothing unless `good`.
template <typename T>
struct converted {
    T value{};
    bool inexact = false;
    bool good = false;
};

// --- between formats

[[gnu::always_inline]] inline converted<double> widened(float value) {
    return {value, false, value == value};
}
[[gnu::always_inline]] inline converted<float> narrowed(double value) {
    const auto result = static_cast<float>(value);
    return {result, result != value, is_ordinary(result) || value == 0};
}

/// Of a number in binary16, in the low bits; denormal numbers are not good.
[[gnu::always_inline]] inline converted<float> widened(std::uint16_t half) {
    const std::uint32_t exponent = half >> 10 & 0x1f;
    const std::uint32_t magnitude = half & 0x7fff;
    const std::uint32_t moved = (magnitude << 13) + (magnitude != 0 ? (127 - 15) << 23 : 0);
    return {std::bit_cast<float>((half & 0x8000U) << 16 | moved), false, exponent - 1 < 30 || magnitude == 0};
}
/// To binary16, of numbers that are normal there.
[[gnu::always_inline]] inline converted<std::uint16_t> narrowed_to_half(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t magnitude = bits & 0x7fff'ffff;
    const std::uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    const std::uint32_t moved = magnitude == 0 ? 0 : (rounded >> 13) - ((127 - 15) << 10);
    const bool normal = magnitude >= std::uint32_t{127 - 14} << 23 && rounded < std::uint32_t{127 + 16} << 23;
    return {static_cast<std::uint16_t>((bits >> 16 & 0x8000U) | moved), (magnitude & 0x1fff) != 0,
            normal || magnitude == 0};
}

// --- to and from integers

/// Truncated to I, of numbers within the range of I, and of std::int64_t.
template <std::integral I, std::floating_point F>
[[gnu::always_inline]] inline converted<I> truncated(F value) {
    constexpr F limit = sizeof(I) == 8 ? F{0x1p63} : std::is_signed_v<I> ? F{0x1p31} : F{0x1p32};
    const bool fits = value < limit && (std::is_signed_v<I> ? value >= -limit : value >= 0);
    const auto whole = static_cast<std::int64_t>(fits ? value : F{0});
    return {static_cast<I>(whole), static_cast<F>(whole) != value, fits};
}

/// To F, of integers that are no larger than 2^62.
template <std::floating_point F, std::integral I>
[[gnu::always_inline]] inline converted<F> from_integer(I value) {
    constexpr std::int64_t limit = std::int64_t{1} << 62;
    const auto number = static_cast<std::int64_t>(value);
    const auto result = static_cast<F>(number);
    const bool fits = sizeof(I) < 8 || (number <= limit && number >= (std::is_signed_v<I> ? -limit : 0));
    return {result, static_cast<std::int64_t>(fits ? result : F{0}) != number, fits};
}

// --- to an integral number of the same format

/// Any number: those without a fraction are good whatever their size.
template <rounding mode, std::floating_point F>
[[gnu::always_inline]] inline converted<F> to_integral(F value) {
    constexpr F whole_from = sizeof(F) == 8 ? F{0x1p52} : F{0x1p23};  // from here on numbers have no fraction
    constexpr F below_half = sizeof(F) == 8 ? F{0.5} - F{0x1p-54} : F{0.5} - F{0x1p-25};
    using integer = std::conditional_t<sizeof(F) == 8, std::int64_t, std::int32_t>;
    const F magnitude = std::abs(value);
    const F small = magnitude < whole_from ? value : F{0};
    F result{};
    if constexpr (mode == rounding::nearest) {
        result = (std::abs(small) + whole_from) - whole_from;  // its sign follows
    } else if constexpr (mode == rounding::nearest_away) {
        result = static_cast<F>(static_cast<integer>(small + std::copysign(below_half, small)));
    } else {
        const auto cut = static_cast<F>(static_cast<integer>(small));
        const F up = mode == rounding::upward && cut < small ? F{1} : F{0};
        const F down = mode == rounding::downward && cut > small ? F{1} : F{0};
        result = cut + up - down;
    }
    result = magnitude < whole_from ? std::copysign(result, value) : value;
    return {result, result != value, value == value};
}

}  // namespace pefsim::power::ieee::host
