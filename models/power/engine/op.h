// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pefsim::power {

class core;
struct op;

/// Executes one decoded instruction and everything behind it, up to an exit of the engine. Returns null at an exit, or
/// the op to go on with.
using handler = const op* (*)(core&, const op*);

/// A decoded instruction: what a page of code is made of (engine/code_cache.h).
struct op {
    handler execute = nullptr;
    std::uint8_t t =
        0;  ///< the field in bits 6:10: RT, RS, FRT, VRT, XT, BT, TO ...; BF for the forms that have it
    std::uint8_t a =
        0;  ///< bits 11:15: RA, FRA, VRA, XA, BA ...; general_registers::zero for (RA|0) with RA=0
    std::uint8_t b = 0;  ///< bits 16:20: RB, FRB, VRB, XB, SH ...
    std::uint8_t c = 0;  ///< bits 21:25: RC, FRC, VRC, XC, MB ...
    std::int32_t imm =
        0;  ///< SI, UI, D, DS, DQ or the branch displacement in bytes; else the instruction word
};
static_assert(sizeof(op) == 16);

/// Whether handlers call the next one as a sibling call. Without optimisation, and under sanitizers, calls would pile
/// up on the stack: then they return the next op and the engine's loop calls it.
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(PEFSIM_UNTHREADED)
inline constexpr bool threaded = true;
#else
inline constexpr bool threaded = false;
#endif

/// Goes on with `target`; null leaves the engine.
[[gnu::always_inline]] inline const op* dispatch(core& c, const op* target) {
    if constexpr (threaded) {
        return target->execute(c, target);
    } else {
        return target;
    }
}

/// Goes on with the instruction behind `o`.
[[gnu::always_inline]] inline const op* next(core& c, const op* o) { return dispatch(c, o + 1); }

}  // namespace pefsim::power
