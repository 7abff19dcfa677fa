// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

/// How a floating-point number in single format stands in a register, which has double format. Only bits move: nothing is
/// rounded, no exception occurs.
namespace pefsim::cpu::power::isa {

/// DOUBLE(word) of Power ISA 3.0B Book I 4.6.2.
constexpr std::uint64_t double_of_single(std::uint32_t word) {
    const std::uint64_t sign = std::uint64_t{word >> 31} << 63;
    const std::uint32_t exponent = word >> 23 & 0xff;
    const std::uint64_t fraction = word & 0x7f'ffff;
    if (exponent == 0xff) {
        return sign | std::uint64_t{0x7ff} << 52 | fraction << 29;
    }
    if (exponent != 0) {
        return sign | std::uint64_t{exponent + 1023 - 127} << 52 | fraction << 29;
    }
    if (fraction == 0) {
        return sign;
    }
    const auto shift = static_cast<unsigned>(std::countl_zero(fraction)) -
                       40;  // makes bit 23 the leading one
    return sign | std::uint64_t{1023 - 126 - shift} << 52 | (fraction << (shift + 29) & 0xf'ffff'ffff'ffff);
}

/// SINGLE(value) of 4.6.3. A number too small for single format, whose result is undefined, becomes zero.
constexpr std::uint32_t single_of_double(std::uint64_t value) {
    const auto exponent = static_cast<unsigned>(value >> 52 & 0x7ff);
    if (exponent > 896) {
        return static_cast<std::uint32_t>((value >> 62 << 30) | (value >> 29 & 0x3fff'ffff));
    }
    const auto sign = static_cast<std::uint32_t>(value >> 63 << 31);
    if (exponent < 874) {
        return sign;
    }
    const std::uint64_t fraction = std::uint64_t{1} << 52 | (value & 0xf'ffff'ffff'ffff);
    return sign | static_cast<std::uint32_t>(fraction >> (896 + 30 - exponent));
}

}  // namespace pefsim::cpu::power::isa
