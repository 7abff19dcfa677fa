// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/core.h"
#include "power/instructions/fixed_result.h"

/// The shapes of fixed-point instructions, for semantic functions of operands alone: u64 f(u64, u64). The immediate is
/// op::imm, sign-extended.
namespace pefsim::power::isa {

/// A sign-extended immediate.
constexpr std::uint64_t extended(std::int32_t immediate) {
    return static_cast<std::uint64_t>(std::int64_t{immediate});
}

/// RT <- f(RA, RB)
template <auto f, bool dot = false>
const op* to_rt(core& c, const op* o) {
    const std::uint64_t result = f(c.state.gpr[o->a], c.state.gpr[o->b]);
    c.state.gpr[o->t] = result;
    if constexpr (dot) {
        set_cr0(c, result);
    }
    return next(c, o);
}
/// RT <- f(RA, RB, RC)
template <auto f>
const op* to_rt_from_three(core& c, const op* o) {
    c.state.gpr[o->t] = f(c.state.gpr[o->a], c.state.gpr[o->b], c.state.gpr[o->c]);
    return next(c, o);
}
/// RT <- f(RA, immediate)
template <auto f>
const op* to_rt_immediate(core& c, const op* o) {
    c.state.gpr[o->t] = f(c.state.gpr[o->a], extended(o->imm));
    return next(c, o);
}
/// RA <- f(RS, RB)
template <auto f, bool dot = false>
const op* to_ra(core& c, const op* o) {
    const std::uint64_t result = f(c.state.gpr[o->t], c.state.gpr[o->b]);
    c.state.gpr[o->a] = result;
    if constexpr (dot) {
        set_cr0(c, result);
    }
    return next(c, o);
}
/// RA <- f(RS)
template <auto f, bool dot = false>
const op* to_ra_from_one(core& c, const op* o) {
    const std::uint64_t result = f(c.state.gpr[o->t]);
    c.state.gpr[o->a] = result;
    if constexpr (dot) {
        set_cr0(c, result);
    }
    return next(c, o);
}
/// RA <- f(RS, immediate, zero-extended)
template <auto f, bool dot = false>
const op* to_ra_immediate(core& c, const op* o) {
    const std::uint64_t result = f(c.state.gpr[o->t], std::uint64_t{static_cast<std::uint32_t>(o->imm)});
    c.state.gpr[o->a] = result;
    if constexpr (dot) {
        set_cr0(c, result);
    }
    return next(c, o);
}

inline bool has_dot(std::uint32_t word) { return (word & 1) != 0; }

/// Selectors of instructions with Rc.
template <auto f>
handler rc_rt(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return has_dot(word) ? to_rt<f, true> : to_rt<f, false>;
}
template <auto f>
handler rc_ra(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return has_dot(word) ? to_ra<f, true> : to_ra<f, false>;
}
template <auto f>
handler rc_ra_from_one(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return has_dot(word) ? to_ra_from_one<f, true> : to_ra_from_one<f, false>;
}

}  // namespace pefsim::power::isa
