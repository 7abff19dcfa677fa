// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

#include "power/ieee/arithmetic.h"
#include "power/ieee/host_convert.h"
#include "power/instructions/facility.h"
#include "power/instructions/floating_status.h"

/// Scalar conversion and rounding of both facilities that have them, FP and VSX (Power ISA 3.0B Book I 4.6.7,
/// 7.6.1.5 to 7.6.1.7).
namespace pefsim::power::isa {

/// How an instruction rounds: a mode of its own, or that of FPSCR[RN].
enum class rounds : std::uint8_t { nearest, toward_zero, upward, downward, nearest_away, as_fpscr };

inline ieee::environment environment_of(const core& c, rounds how) {
    ieee::environment e(c.state.fpscr);
    if (how != rounds::as_fpscr) {
        e.mode = static_cast<ieee::rounding>(how);
    }
    return e;
}

/// An integer format.
struct integer {
    unsigned width = 64;
    bool is_signed = true;
};

/// Writes FPSCR after a result that raised at most inexact, with FR=0 and the class given, or kept.
inline void set_quiet_status(core& c, bool inexact, std::optional<std::uint32_t> result_class) {
    std::uint64_t status = c.state.fpscr & ~std::uint64_t{fpscr::fr | fpscr::fi};
    const std::uint64_t fresh = (inexact ? fpscr::xx : 0) & ~status;
    status |= (inexact ? fpscr::fi : 0) | fresh | fresh << 6;
    if (result_class) {
        status = (status & ~std::uint64_t{fpscr::fprf}) | *result_class << fpscr::fprf_shift;
    }
    c.state.fpscr = status;
}

/// What the result leaves undefined: the left word of a word result, and FPRF. The conversions of FP extend the word
/// and call an invalid result a quiet NaN; those of VSX repeat the word and keep FPRF.
enum class leaves : std::uint8_t { as_fp, as_vsx };

template <integer target, leaves undefined>
constexpr std::uint64_t placed(std::uint64_t value) {
    const bool repeats = target.width == 32 && undefined == leaves::as_vsx;
    return repeats ? (value & 0xffff'ffff) | value << 32 : value;
}

template <integer target, rounds how, leaves undefined>
[[gnu::noinline]] std::uint32_t to_integer_exactly(core& c, const op* o) {
    ieee::environment e = environment_of(c, how);
    const std::uint64_t result = ieee::to_integer(ieee::decode(scalar(c, o->b), ieee::binary64), target.width,
                                                  target.is_signed, e);
    if (report(c, e)) {
        set_scalar(c, o->t, placed<target, undefined>(result));
        if (undefined == leaves::as_fp && (e.raised & fpscr::vxcvi) != 0) {
            set_class(c, ieee::class_of(ieee::default_nan, ieee::binary64));
        }
    }
    return e.raised;
}

/// T <- B as an integer.
template <integer target, rounds how, leaves undefined, bool dot = false>
const op* to_integer(core& c, const op* o) {
    const auto value = std::bit_cast<double>(scalar(c, o->b));
    constexpr double limit = target.width == 64                       ? 0x1p63
                             : target.width == 32 && target.is_signed ? 0x1p31
                                                                      : 0x1p32;
    const bool fits = value < limit && (target.is_signed ? value > -limit : value >= 0);
    if (how != rounds::toward_zero || !fits || (c.state.fpscr & fpscr::xe) != 0) {
        return done<to_integer_exactly<target, how, undefined>, dot>(c, o);
    }
    const auto result = static_cast<std::int64_t>(value);
    set_quiet_status(c, static_cast<double>(result) != value, {});
    set_scalar(c, o->t, placed<target, undefined>(static_cast<std::uint64_t>(result)));
    if constexpr (dot) {
        set_cr1(c);
    }
    return next(c, o);
}

template <bool is_signed, bool single>
[[gnu::noinline]] std::uint32_t from_integer_exactly(core& c, const op* o) {
    constexpr ieee::format target = single ? ieee::binary32 : ieee::binary64;
    ieee::environment e(c.state.fpscr);
    const std::uint64_t value = scalar(c, o->b);
    const ieee::number exact = is_signed ? ieee::from_signed(static_cast<std::int64_t>(value))
                                         : ieee::from_unsigned(value);
    return deliver_scalar(c, o, ieee::round(exact, target, e), target, e);
}

/// T <- the doubleword integer B.
template <bool is_signed, bool single, bool dot = false>
const op* from_integer(core& c, const op* o) {
    const auto value = static_cast<std::int64_t>(scalar(c, o->b));
    constexpr std::int64_t limit = std::int64_t{1} << (single ? 24 : 53);  // exact up to here
    if (value >= limit || value < (is_signed ? -limit : 0)) {
        return done<from_integer_exactly<is_signed, single>, dot>(c, o);
    }
    set_quiet_status(c, false, value == 0 ? 0b00010 : value < 0 ? 0b01000 : 0b00100);
    set_scalar(c, o->t, std::bit_cast<std::uint64_t>(static_cast<double>(value)));
    if constexpr (dot) {
        set_cr1(c);
    }
    return next(c, o);
}

template <rounds how>
[[gnu::noinline]] std::uint32_t to_integral_exactly(core& c, const op* o) {
    ieee::environment e = environment_of(c, how);
    const ieee::number result = ieee::round_to_integral(ieee::decode(scalar(c, o->b), ieee::binary64), e);
    if constexpr (how != rounds::as_fpscr) {
        e.raised &= ~(fpscr::xx | fpscr::fi | fpscr::fr);
    }
    return deliver_scalar(c, o, result, ieee::binary64, e);
}

/// T <- B as an integral number, without inexact but where the current mode rounds.
template <rounds how, bool dot = false>
const op* to_integral(core& c, const op* o) {
    if constexpr (how == rounds::as_fpscr) {
        return done<to_integral_exactly<how>, dot>(c, o);
    } else {
        const auto value = std::bit_cast<double>(scalar(c, o->b));
        if (!std::isfinite(value)) {
            return done<to_integral_exactly<how>, dot>(c, o);
        }
        const double result = ieee::host::to_integral<static_cast<ieee::rounding>(how)>(value).value;
        const bool negative = std::signbit(value);
        set_quiet_status(c, false,
                         result == 0 ? (negative ? 0b10010 : 0b00010)
                         : negative  ? 0b01000
                                     : 0b00100);
        set_scalar(c, o->t, std::bit_cast<std::uint64_t>(result));
        if constexpr (dot) {
            set_cr1(c);
        }
        return next(c, o);
    }
}

}  // namespace pefsim::power::isa
