// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "power/engine/core.h"
#include "power/instructions/data_class.h"
#include "power/instructions/floating_operation.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/scalar_compare.h"

namespace pefsim::power::isa {
namespace {

// Operands are VRs: VSR 32 to 63.

vector_register& vr(core& c, std::uint8_t number) { return c.state.vsr[32 + number]; }
uint128 bits_of(const core& c, std::uint8_t number) {
    const vector_register& v = c.state.vsr[32 + number];
    return uint128{v.high} << 64 | v.low;
}
void set_bits(core& c, std::uint8_t number, uint128 bits) {
    vr(c, number) = {.low = static_cast<u64>(bits), .high = static_cast<u64>(bits >> 64)};
}
ieee::number quad(const core& c, std::uint8_t number) {
    return ieee::decode(bits_of(c, number), ieee::binary128);
}

/// VRT <- result, in quad precision. \returns the exceptions raised
u32 deliver_quad(core& c, const op* o, const ieee::number& result, const ieee::environment& e) {
    if (report(c, e)) {
        set_bits(c, o->t, ieee::encode(result, ieee::binary128));
        set_class(c, ieee::class_of(result, ieee::binary128));
    }
    return e.raised;
}
/// VRT <- a doubleword; the other one is zero.
u32 deliver_doubleword(core& c, const op* o, u64 result, const ieee::environment& e) {
    if (report(c, e)) {
        vr(c, o->t) = {.low = 0, .high = result};
    }
    return e.raised;
}

template <bool to_odd>
ieee::environment environment_of(const core& c) {
    ieee::environment e(c.state.fpscr);
    if constexpr (to_odd) {
        e.mode = ieee::rounding::to_odd;
    }
    return e;
}

/// VRT <- operation(VRA, VRB, VRC) for all operands, rounding modes and enables.
template <typename operation, bool negates, bool to_odd>
[[gnu::noinline]] u32 compute_exactly(core& c, const op* o) {
    ieee::environment e = environment_of<to_odd>(c);
    const ieee::number exact = operation::exactly(quad(c, o->a), quad(c, o->b), quad(c, o->c), e);
    const ieee::number result = ieee::round(exact, ieee::binary128, e);
    return deliver_quad(c, o, negates ? ieee::negated(result) : result, e);
}
/// The same, rounded to nearest in the common case.
template <typename operation, bool negates>
[[gnu::noinline]] u32 compute_quad(core& c, const op* o) {
    if ((c.state.fpscr & (fpscr::xe | fpscr::rn)) != 0) [[unlikely]] {
        return compute_exactly<operation, negates, false>(c, o);
    }
    const ieee::quad::delivered result = operation::on_quads(bits_of(c, o->a), bits_of(c, o->b),
                                                             bits_of(c, o->c));
    if (!result.good) [[unlikely]] {
        return compute_exactly<operation, negates, false>(c, o);
    }
    const uint128 bits = result.bits ^ (negates ? ieee::quad::sign_bit : 0);
    const auto high = static_cast<u64>(bits >> 64);
    record_ordinary(c, result.inexact, result.incremented, high);
    if (bits << 1 == 0) [[unlikely]] {
        set_class(c, ieee::class_of(ieee::zero(high != 0), ieee::binary128));
    }
    set_bits(c, o->t, bits);
    return 0;  // nothing that is enabled
}
template <typename operation, bool negates = false>
handler select_arithmetic(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? guarded<facility::vsx, done<compute_exactly<operation, negates, true>>>
                           : guarded<facility::vsx, done<compute_quad<operation, negates>>>;
}
/// VRT <- VRA * VRB + VRT, as T <- A * C + B.
template <typename operation, bool negates = false>
handler select_multiply_add(u32 word, unsigned index, op& decoded) {
    decoded.c = decoded.b;
    decoded.b = decoded.t;
    return select_arithmetic<operation, negates>(word, index, decoded);
}

template <bool ordered>
[[gnu::noinline]] u32 compare_quad(core& c, const op* o) {
    return deliver_comparison(c, o, quad(c, o->a), quad(c, o->b), ordered);
}
const op* xscmpexpqp(core& c, const op* o) {
    const u64 a = vr(c, o->a).high >> 48 & 0x7fff;
    const u64 b = vr(c, o->b).high >> 48 & 0x7fff;
    const bool unordered = quad(c, o->a).is_nan() || quad(c, o->b).is_nan();
    const std::uint8_t condition = unordered ? 1 : a < b ? 8 : a > b ? 4 : 2;
    set_fpcc(c, condition);
    c.state.cr.field[o->t] = condition;
    return next(c, o);
}
const op* xststdcqp(core& c, const op* o) {
    const ieee::number b = quad(c, o->b);
    const bool matches = in_class(b, ieee::binary128.emin(), o->a);
    const auto condition = static_cast<std::uint8_t>((b.negative ? 8 : 0) | (matches ? 2 : 0));
    set_fpcc(c, condition);
    c.state.cr.field[o->t] = condition;
    return next(c, o);
}
handler select_class_test(u32 word, unsigned /*index*/, op& decoded) {
    decoded.a = word >> 16 & 0x7f;  // DCMX
    return guarded<facility::vsx, xststdcqp>;
}

[[gnu::noinline]] u32 xscvdpqp(core& c, const op* o) {
    ieee::environment e(c.state.fpscr);
    return deliver_quad(c, o, ieee::quieted(ieee::decode(vr(c, o->b).high, ieee::binary64), e), e);
}
template <bool to_odd>
[[gnu::noinline]] u32 xscvqpdp(core& c, const op* o) {
    ieee::environment e = environment_of<to_odd>(c);
    const ieee::number result = ieee::round(ieee::quieted(quad(c, o->b), e), ieee::binary64, e);
    if (report(c, e)) {
        vr(c, o->t) = {.low = 0, .high = static_cast<u64>(ieee::encode(result, ieee::binary64))};
        set_class(c, ieee::class_of(result, ieee::binary64));
    }
    return e.raised;
}
handler select_xscvqpdp(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? guarded<facility::vsx, done<xscvqpdp<true>>>
                           : guarded<facility::vsx, done<xscvqpdp<false>>>;
}
/// VRT <- VRB truncated to an integer, extended to a doubleword.
template <unsigned width, bool is_signed>
[[gnu::noinline]] u32 quad_to_integer(core& c, const op* o) {
    ieee::environment e(c.state.fpscr);
    e.mode = ieee::rounding::toward_zero;
    return deliver_doubleword(c, o, ieee::to_integer(quad(c, o->b), width, is_signed, e), e);
}
template <bool is_signed>
[[gnu::noinline]] u32 integer_to_quad(core& c, const op* o) {
    const u64 value = vr(c, o->b).high;
    const ieee::number n = is_signed ? ieee::from_signed(static_cast<std::int64_t>(value))
                                     : ieee::from_unsigned(value);
    return deliver_quad(c, o, n, ieee::environment(c.state.fpscr));
}

/// The rounding that R and RMC choose, in o->c.
ieee::environment environment_of_rmc(const core& c, const op* o) {
    using enum ieee::rounding;
    // R=0: to nearest, ties away from zero; -; -; as FPSCR[RN] says. R=1: the modes of their own.
    constexpr std::array modes{nearest_away, nearest,     nearest, nearest,
                               nearest,      toward_zero, upward,  downward};
    ieee::environment e(c.state.fpscr);
    if (o->c != 3) {
        e.mode = modes[o->c];
    }
    return e;
}
/// To an integral number; with EX inexact is signalled.
template <bool signals>
[[gnu::noinline]] u32 xsrqpi(core& c, const op* o) {
    ieee::environment e = environment_of_rmc(c, o);
    const ieee::number result = ieee::round_to_integral(quad(c, o->b), e);
    if constexpr (!signals) {
        e.raised &= ~(fpscr::xx | fpscr::fi | fpscr::fr);
    }
    return deliver_quad(c, o, result, e);
}
/// To the precision of 64 bits.
[[gnu::noinline]] u32 xsrqpxp(core& c, const op* o) {
    ieee::environment e = environment_of_rmc(c, o);
    const ieee::number result = ieee::round_to(ieee::quieted(quad(c, o->b), e), ieee::binary128, 64, e);
    return deliver_quad(c, o, result, e);
}
template <work plain_form, work ex_form>
handler select_rounding(u32 word, unsigned /*index*/, op& decoded) {
    decoded.c = static_cast<std::uint8_t>(decoded.c | (word >> 16 & 1) << 2);
    // NOLINTNEXTLINE(bugprone-branch-clone): two instances
    return (word & 1) != 0 ? guarded<facility::vsx, done<ex_form>> : guarded<facility::vsx, done<plain_form>>;
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Quad precision of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction_row rows[] = {
    // Arithmetic
    {"xsaddqp",     x_form(63, 4),          {vrt, vra, vrb}, ro,    vsx,        arithmetic, select_arithmetic<floating::add>},
    {"xssubqp",     x_form(63, 516),        {vrt, vra, vrb}, ro,    vsx,        arithmetic, select_arithmetic<floating::subtract>},
    {"xsmulqp",     x_form(63, 36),         {vrt, vra, vrb}, ro,    vsx,        arithmetic, select_arithmetic<floating::multiply>},
    {"xsdivqp",     x_form(63, 548),        {vrt, vra, vrb}, ro,    vsx,        divide, select_arithmetic<floating::divide>},
    {"xssqrtqp",    x_form(63, 804).eo(27), {vrt, vrb},      ro,    vsx,        divide, select_arithmetic<floating::square_root>},
    {"xsmaddqp",    x_form(63, 388),        {vrt, vra, vrb}, ro,    vsx,        multiply_add, select_multiply_add<floating::multiply_add>},
    {"xsmsubqp",    x_form(63, 420),        {vrt, vra, vrb}, ro,    vsx,        multiply_add, select_multiply_add<floating::multiply_subtract>},
    {"xsnmaddqp",   x_form(63, 452),        {vrt, vra, vrb}, ro,    vsx,        multiply_add, select_multiply_add<floating::multiply_add, true>},
    {"xsnmsubqp",   x_form(63, 484),        {vrt, vra, vrb}, ro,    vsx,        multiply_add, select_multiply_add<floating::multiply_subtract, true>},

    // Compare, minimum and maximum
    {"xscmpoqp",    x_form(63, 132),        {bf, vra, vrb},  plain, vsx,        compare, when_done<vsx, compare_quad<true>>},
    {"xscmpuqp",    x_form(63, 644),        {bf, vra, vrb},  plain, vsx,        compare, when_done<vsx, compare_quad<false>>},
    {"xscmpexpqp",  x_form(63, 164),        {bf, vra, vrb},  plain, vsx,        compare, when_available<vsx, xscmpexpqp>},
    {"xststdcqp",   x_form(63, 708),        {bf, vrb, dcmx}, plain, vsx,        compare, select_class_test},

    // Conversion and rounding
    {"xscvqpdp",    x_form(63, 836).eo(20), {vrt, vrb},      ro,    vsx,        convert, select_xscvqpdp},
    {"xscvdpqp",    x_form(63, 836).eo(22), {vrt, vrb},      plain, vsx,        convert, when_done<vsx, xscvdpqp>},
    {"xscvqpsdz",   x_form(63, 836).eo(25), {vrt, vrb},      plain, vsx,        convert, when_done<vsx, quad_to_integer<64, true>>},
    {"xscvqpswz",   x_form(63, 836).eo(9),  {vrt, vrb},      plain, vsx,        convert, when_done<vsx, quad_to_integer<32, true>>},
    {"xscvqpudz",   x_form(63, 836).eo(17), {vrt, vrb},      plain, vsx,        convert, when_done<vsx, quad_to_integer<64, false>>},
    {"xscvqpuwz",   x_form(63, 836).eo(1),  {vrt, vrb},      plain, vsx,        convert, when_done<vsx, quad_to_integer<32, false>>},
    {"xscvsdqp",    x_form(63, 836).eo(10), {vrt, vrb},      plain, vsx,        convert, when_done<vsx, integer_to_quad<true>>},
    {"xscvudqp",    x_form(63, 836).eo(2),  {vrt, vrb},      plain, vsx,        convert, when_done<vsx, integer_to_quad<false>>},
    {"xsrqpi",      z23_form(63, 5),        {r_round, vrt, vrb, rmc}, ex, vsx,  round, select_rounding<xsrqpi<false>, xsrqpi<true>>},
    {"xsrqpxp",     z23_form(63, 37),       {r_round, vrt, vrb, rmc}, plain, vsx, round, select_rounding<xsrqpxp, xsrqpxp>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vsx_quad_rows() { return rows; }

}  // namespace pefsim::power::isa
