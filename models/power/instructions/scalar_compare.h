// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "power/ieee/arithmetic.h"
#include "power/instructions/facility.h"
#include "power/instructions/floating_status.h"

/// Scalar comparisons of both facilities that have them, FP and VSX (Power ISA 3.0B Book I 4.6.8, 4.6.6, 7.6.1.4).
namespace pefsim::power::isa {

/// The exceptions of a comparison; an ordered one objects to every NaN (4.6.8).
inline std::uint32_t comparison_exceptions(const ieee::number& a, const ieee::number& b, bool ordered,
                                           std::uint64_t status) {
    if (a.is == ieee::kind::signaling_nan || b.is == ieee::kind::signaling_nan) {
        return fpscr::vxsnan | (ordered && (status & fpscr::ve) == 0 ? fpscr::vxvc : 0);
    }
    return ordered && (a.is_nan() || b.is_nan()) ? fpscr::vxvc : 0;
}

/// CR[BF] and FPCC <- a compared with b. \returns the exceptions raised
inline std::uint32_t deliver_comparison(core& c, const op* o, const ieee::number& a, const ieee::number& b,
                                        bool ordered) {
    const std::uint8_t condition = ieee::compare(a, b);
    const std::uint32_t raised = comparison_exceptions(a, b, ordered, c.state.fpscr);
    c.state.fpscr = with_exceptions(c.state.fpscr, raised);
    set_fpcc(c, condition);
    c.state.cr.field[o->t] = condition;
    return raised;
}

template <bool ordered>
[[gnu::noinline]] std::uint32_t compare_nans(core& c, const op* o) {
    return deliver_comparison(c, o, ieee::decode(scalar(c, o->a), ieee::binary64),
                              ieee::decode(scalar(c, o->b), ieee::binary64), ordered);
}

/// CR[BF] and FPSCR[FPCC] <- A compared with B.
template <bool ordered>
const op* compare_scalar(core& c, const op* o) {
    const auto a = std::bit_cast<double>(scalar(c, o->a));
    const auto b = std::bit_cast<double>(scalar(c, o->b));
    if (a != a || b != b) [[unlikely]] {
        return done<compare_nans<ordered>>(c, o);
    }
    const std::uint8_t condition = a < b ? 8 : a > b ? 4 : 2;
    set_fpcc(c, condition);
    c.state.cr.field[o->t] = condition;
    return next(c, o);
}

/// What ftdiv and ftsqrt ask of a format: below which exponents a software division or root goes wrong.
struct test_limits {
    ieee::format format;
    int divisor_low, divisor_high, quotient_high, quotient_low, dividend_low;
};
inline constexpr test_limits double_limits{ieee::binary64, -1022, 1021, 1023, -1021, -970};
inline constexpr test_limits single_limits{ieee::binary32, -126, 125, 127, -125, -103};

inline constexpr std::uint8_t test_always = 8;  ///< FL: the estimates have at least 14 bits
inline constexpr std::uint8_t test_special = 4;
inline constexpr std::uint8_t test_exponent = 2;

/// ftdiv of a / b: 4.6.6, "Floating Test for software Divide".
[[gnu::noinline]] inline std::uint8_t test_divide(std::uint64_t a_bits, std::uint64_t b_bits,
                                                  const test_limits& limits) {
    const ieee::number a = ieee::decode(a_bits, limits.format);
    const ieee::number b = ieee::decode(b_bits, limits.format);
    using enum ieee::kind;
    const bool special = a.is == infinity || b.is == zero || b.is == infinity ||
                         (b.is == finite && b.exponent < limits.format.emin());
    const bool no_numbers = a.is_nan() || a.is == infinity || b.is != finite;
    const bool b_extreme = b.is == finite &&
                           (b.exponent <= limits.divisor_low || b.exponent >= limits.divisor_high);
    const int difference = a.exponent - b.exponent;
    const bool a_extreme = a.is == finite && b.is == finite &&
                           (difference >= limits.quotient_high || difference <= limits.quotient_low ||
                            a.exponent <= limits.dividend_low);
    return test_always | (special ? test_special : 0) |
           (no_numbers || b_extreme || a_extreme ? test_exponent : 0);
}

/// ftsqrt of b.
[[gnu::noinline]] inline std::uint8_t test_square_root(std::uint64_t b_bits, const test_limits& limits) {
    const ieee::number b = ieee::decode(b_bits, limits.format);
    using enum ieee::kind;
    const bool special = b.is == zero || b.is == infinity ||
                         (b.is == finite && b.exponent < limits.format.emin());
    const bool extreme = b.is != finite || b.negative || b.exponent <= limits.dividend_low;
    return test_always | (special ? test_special : 0) | (extreme ? test_exponent : 0);
}

inline const op* test_scalar_divide(core& c, const op* o) {
    c.state.cr.field[o->t] = test_divide(scalar(c, o->a), scalar(c, o->b), double_limits);
    return next(c, o);
}
inline const op* test_scalar_square_root(core& c, const op* o) {
    c.state.cr.field[o->t] = test_square_root(scalar(c, o->b), double_limits);
    return next(c, o);
}

}  // namespace pefsim::power::isa
