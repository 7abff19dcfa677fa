// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "cpu/power/engine/core.h"

/// What fixed-point instructions leave in CR and XER (Power ISA 3.0B Book I 3.3.8).
namespace pefsim::cpu::power::isa {

namespace xer {
inline constexpr unsigned so = 31;  ///< positions from the right
inline constexpr unsigned ov = 30;
inline constexpr unsigned ca = 29;
inline constexpr unsigned ov32 = 19;
inline constexpr unsigned ca32 = 18;
}  // namespace xer

[[gnu::always_inline]] inline bool carry_in(const core& c) { return (c.state[spr::xer] >> xer::ca & 1) != 0; }

/// CA and CA32 of the sum a + b + carry.
[[gnu::always_inline]] inline void set_carry(core& c, std::uint64_t a, std::uint64_t b, bool carry) {
    const std::uint64_t sum = a + b + (carry ? 1 : 0);
    const std::uint64_t carries = (a & b) | ((a | b) & ~sum);  // out of every bit
    const std::uint64_t ca32 = carries >> 31 & 1;
    const std::uint64_t ca = carries << c.sign_shift() >> 63;
    std::uint64_t& word = c.state[spr::xer];
    word = (word & ~(std::uint64_t{1} << xer::ca | std::uint64_t{1} << xer::ca32)) | ca << xer::ca |
           ca32 << xer::ca32;
}

/// A field of CR: LT, GT or EQ, and a copy of SO.
template <typename T>
[[gnu::always_inline]] inline std::uint8_t ordering(const core& c, T a, T b) {
    const unsigned so = static_cast<unsigned>(c.state[spr::xer] >> xer::so & 1);
    return static_cast<std::uint8_t>((a < b ? 8U : a > b ? 4U : 2U) | so);
}

/// CR0 of an instruction with Rc=1: the result, as wide as the mode, against zero.
[[gnu::always_inline]] inline void set_cr0(core& c, std::uint64_t result) {
    c.state.cr.field[0] = ordering<std::int64_t>(c, static_cast<std::int64_t>(result << c.sign_shift()), 0);
}

}  // namespace pefsim::cpu::power::isa
