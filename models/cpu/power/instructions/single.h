// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

/// Single precision in memory and vectors, double precision in floating-point registers: the conversions that are no
/// arithmetic (Power ISA 3.0B Book I 4.6.2, 4.6.3).
namespace pefsim::cpu::power::isa {

/// DOUBLE(word): 4.6.2. It quiets no NaN.
[[gnu::always_inline]] inline std::uint64_t from_single(std::uint32_t word) {
    constexpr std::uint32_t special = 0x7f80'0000;
    if ((word & special) == special) [[unlikely]] {
        return std::uint64_t{word & 0x8000'0000} << 32 | std::uint64_t{0x7ff} << 52 |
               std::uint64_t{word & 0x7f'ffff} << 29;
    }
    return std::bit_cast<std::uint64_t>(static_cast<double>(std::bit_cast<float>(word)));
}
/// SINGLE(value): 4.6.3. What binary32 cannot hold gives bits without meaning, as the ISA has them.
[[gnu::always_inline]] inline std::uint32_t to_single(std::uint64_t value) {
    const auto exponent = static_cast<int>(value >> 52 & 0x7ff);
    if (exponent > 896 || value << 1 == 0) [[likely]] {
        return static_cast<std::uint32_t>(value >> 32 & 0xc000'0000) |
               static_cast<std::uint32_t>(value >> 29 & 0x3fff'ffff);
    }
    const std::uint64_t significand = std::uint64_t{1} << 52 | (value & ((std::uint64_t{1} << 52) - 1));
    const std::uint64_t denormal = exponent < 874 ? 0 : significand >> (926 - exponent);
    return static_cast<std::uint32_t>(value >> 32 & 0x8000'0000) | static_cast<std::uint32_t>(denormal);
}

}  // namespace pefsim::cpu::power::isa
