// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/core.h"

/// What fixed-point instructions leave in CR and XER (Power ISA 3.0B Book I 3.2.2, 3.3.8, 3.3.9).
namespace pefsim::power::isa {

/// Bits of XER, as positions from the right.
namespace xer {
inline constexpr unsigned so = 31;
inline constexpr unsigned ov = 30;
inline constexpr unsigned ca = 29;
inline constexpr unsigned ov32 = 19;
inline constexpr unsigned ca32 = 18;
inline constexpr std::uint64_t length = 0x7f;  ///< of string accesses; a mask

constexpr std::uint64_t bit(unsigned position) { return std::uint64_t{1} << position; }
}  // namespace xer

[[gnu::always_inline]] inline unsigned xer_bit(const core& c, unsigned position) {
    return static_cast<unsigned>(c.state[spr::xer] >> position & 1);
}

[[gnu::always_inline]] inline void set_ca(core& c, bool carry, bool carry_32) {
    std::uint64_t& word = c.state[spr::xer];
    word = (word & ~(xer::bit(xer::ca) | xer::bit(xer::ca32))) | std::uint64_t{carry} << xer::ca |
           std::uint64_t{carry_32} << xer::ca32;
}

/// OV and OV32; OV is remembered in SO.
[[gnu::always_inline]] inline void set_ov(core& c, bool overflow, bool overflow_32) {
    std::uint64_t& word = c.state[spr::xer];
    word = (word & ~(xer::bit(xer::ov) | xer::bit(xer::ov32))) | std::uint64_t{overflow} << xer::ov |
           std::uint64_t{overflow_32} << xer::ov32 | std::uint64_t{overflow} << xer::so;
}

/// The carries out of every bit of `sum` = a + b + carry.
[[gnu::always_inline]] inline std::uint64_t carries(std::uint64_t a, std::uint64_t b, std::uint64_t sum) {
    return (a & b) | ((a | b) & ~sum);
}
/// Bit 0 of the mode of `word`: bit 32 in 32-bit mode.
[[gnu::always_inline]] inline bool sign_of(const core& c, std::uint64_t word) {
    return word << c.sign_shift() >> 63 != 0;
}
[[gnu::always_inline]] inline bool bit_32(std::uint64_t word) { return (word >> 31 & 1) != 0; }

/// CA and CA32 of `sum` = a + b + carry.
[[gnu::always_inline]] inline void set_carry(core& c, std::uint64_t a, std::uint64_t b, std::uint64_t sum) {
    const std::uint64_t out = carries(a, b, sum);
    set_ca(c, sign_of(c, out), bit_32(out));
}
/// OV, OV32 and SO of `sum` = a + b + carry: both addends have the sign that the sum has not.
[[gnu::always_inline]] inline void set_overflow(core& c, std::uint64_t a, std::uint64_t b,
                                                std::uint64_t sum) {
    const std::uint64_t out = (a ^ sum) & (b ^ sum);
    set_ov(c, sign_of(c, out), bit_32(out));
}

/// A field of CR: LT, GT or EQ, and a copy of SO. Without branches: what the guest compares is hard to predict.
template <typename T>
[[gnu::always_inline]] inline std::uint8_t ordering(const core& c, T a, T b) {
    const unsigned less = a < b ? 1 : 0;
    const unsigned greater = a > b ? 1 : 0;
    return static_cast<std::uint8_t>((2 + 2 * greater + 6 * less) | xer_bit(c, xer::so));
}

/// CR0 of an instruction with Rc=1: the result, as wide as the mode, against zero.
[[gnu::always_inline]] inline void set_cr0(core& c, std::uint64_t result) {
    c.state.cr.field[0] = ordering<std::int64_t>(c, static_cast<std::int64_t>(result << c.sign_shift()), 0);
}

}  // namespace pefsim::power::isa
