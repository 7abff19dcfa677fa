// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

/// How a floating-point number in single format stands in a register, which has double format. Only bits move: nothing
/// is rounded, no NaN becomes quiet, no exception occurs.
namespace pefsim::power::isa {

/// DOUBLE(word) of Power ISA 3.0B Book I 4.6.2.
[[gnu::always_inline]] inline std::uint64_t double_of_single(std::uint32_t word) {
    constexpr std::uint32_t special = 0x7f80'0000;
    if ((word & special) == special) [[unlikely]] {
        return std::uint64_t{word & 0x8000'0000} << 32 | std::uint64_t{0x7ff} << 52 |
               std::uint64_t{word & 0x7f'ffff} << 29;
    }
    return std::bit_cast<std::uint64_t>(static_cast<double>(std::bit_cast<float>(word)));
}

/// SINGLE(value) of 4.6.3. A number too small for single format, whose result is undefined, becomes zero.
[[gnu::always_inline]] inline std::uint32_t single_of_double(std::uint64_t value) {
    const auto exponent = static_cast<unsigned>(value >> 52 & 0x7ff);
    if (exponent > 896 || value << 1 == 0) [[likely]] {
        return static_cast<std::uint32_t>((value >> 62 << 30) | (value >> 29 & 0x3fff'ffff));
    }
    const std::uint64_t significand = std::uint64_t{1} << 52 | (value & 0xf'ffff'ffff'ffff);
    const std::uint64_t denormal = exponent < 874 ? 0 : significand >> (896 + 30 - exponent);
    return static_cast<std::uint32_t>(value >> 63 << 31 | denormal);
}

}  // namespace pefsim::power::isa
