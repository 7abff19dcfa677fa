// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/decimal_operation.h"

namespace pefsim::power::isa {
namespace {

// --- 5.6.1 Arithmetic

template <typename width, auto f>
[[gnu::noinline]] u32 dyadic(core& c, const op* o) {
    environment e(c.state.fpscr);
    return deliver<width>(c, o, f(read<width>(c, o->a), read<width>(c, o->b), width::datum, e), e);
}

// --- 5.6.2 Compare, 5.6.3 Test: a field of CR and FPCC

constexpr std::uint8_t less = 8;
constexpr std::uint8_t greater = 4;
constexpr std::uint8_t equal = 2;
constexpr std::uint8_t unordered = 1;

void set_condition(core& c, const op* o, std::uint8_t condition) {
    c.state.cr.field[o->t] = condition;
    set_fpcc(c, condition);
}
std::uint8_t ordering_of(i64 a, i64 b) { return a < b ? less : a > b ? greater : equal; }

template <typename width, bool ordered>
[[gnu::noinline]] u32 dcmp(core& c, const op* o) {
    const number a = read<width>(c, o->a);
    const number b = read<width>(c, o->b);
    u32 raised = 0;
    if (a.nan() || b.nan()) {
        set_condition(c, o, unordered);
        if (a.signalling() || b.signalling()) {
            const bool enabled = (c.state.fpscr & fpscr::ve) != 0;
            raised = ordered && !enabled ? fpscr::vxsnan | fpscr::vxvc : fpscr::vxsnan;
        } else if (ordered) {
            raised = fpscr::vxvc;
        }
    } else {
        set_condition(c, o, ordering_of(decfloat::compare(a, b), 0));
    }
    c.state.fpscr = with_exceptions(c.state.fpscr, raised);
    return raised;
}

/// CR of the tests of class and group: the sign, and whether FRA belongs to one that the mask names.
std::uint8_t match_of(const number& a, bool match) {
    return static_cast<std::uint8_t>((a.negative ? less : 0) | (match ? equal : 0));
}

bool subnormal(const number& a, const format& in) {
    return a.finite() && !a.zero() && a.exponent + decfloat::digits_of(a.coefficient) - 1 < in.emin();
}

/// DCM: zero, subnormal, normal, infinity, quiet NaN, signalling NaN.
template <typename width>
[[gnu::noinline]] u32 dtstdc(core& c, const op* o) {
    const number a = read<width>(c, o->a);
    const unsigned type = a.signalling()               ? 0x01
                          : a.nan()                    ? 0x02
                          : a.infinite()               ? 0x04
                          : a.zero()                   ? 0x20
                          : subnormal(a, width::datum) ? 0x10
                                                       : 0x08;
    set_condition(c, o, match_of(a, (o->b & type) != 0));
    return 0;
}

/// DGM: zero and zero with an extreme exponent; subnormal or with an extreme exponent; normal with a leftmost digit
/// that is zero, or is not; special.
template <typename width>
[[gnu::noinline]] u32 dtstdg(core& c, const op* o) {
    constexpr const format& in = width::datum;
    const number a = read<width>(c, o->a);
    const bool extreme = a.exponent == in.largest_exponent || a.exponent == in.smallest_exponent();
    const bool full = decfloat::digits_of(a.coefficient) == in.digits;
    const unsigned group = !a.finite()                   ? 0x01
                           : a.zero()                    ? (extreme ? 0x10 : 0x20)
                           : extreme || subnormal(a, in) ? 0x08
                           : full                        ? 0x02
                                                         : 0x04;
    set_condition(c, o, match_of(a, (o->b & group) != 0));
    return 0;
}

template <typename width>
[[gnu::noinline]] u32 dtstex(core& c, const op* o) {
    const number a = read<width>(c, o->a);
    const number b = read<width>(c, o->b);
    const bool comparable = (a.finite() && b.finite()) || (a.infinite() && b.infinite()) ||
                            (a.nan() && b.nan());
    set_condition(c, o, !comparable ? unordered : a.finite() ? ordering_of(a.exponent, b.exponent) : equal);
    return 0;
}

/// The reference significance against the number of significant digits.
template <typename width>
[[gnu::noinline]] u32 test_significance(core& c, const op* o, unsigned reference) {
    const number b = read<width>(c, o->b);
    set_condition(c, o,
                  !b.finite()      ? unordered
                  : reference == 0 ? greater
                                   : ordering_of(reference, decfloat::digits_of(b.coefficient)));
    return 0;
}
template <typename width>
[[gnu::noinline]] u32 dtstsf(core& c, const op* o) {
    return test_significance<width>(c, o, static_cast<unsigned>(dfp_long::bits(c, o->a) & 0x3f));
}
template <typename width>
[[gnu::noinline]] u32 dtstsfi(core& c, const op* o) {
    return test_significance<width>(c, o, o->a);
}
template <typename width>
handler select_dtstsfi(u32 word, unsigned /*index*/, op& decoded) {
    decoded.a = static_cast<std::uint8_t>(info_of(operand::uim_dfp).value(word));
    return guarded<facility::dfp, done<dtstsfi<width>>>;
}

// --- 5.6.4 Quantum adjustment. op::c is the rounding mode: RMC selects one, with R=1 or without, or DRN.

constexpr std::uint8_t drn = 8;

std::uint8_t rounding_of(bool r, unsigned rmc) {
    using enum decfloat::rounding;
    constexpr std::uint8_t modes[2][4] = {
        {static_cast<std::uint8_t>(nearest_even), static_cast<std::uint8_t>(toward_zero),
         static_cast<std::uint8_t>(nearest_away), drn},
        {static_cast<std::uint8_t>(upward), static_cast<std::uint8_t>(downward),
         static_cast<std::uint8_t>(away_from_zero), static_cast<std::uint8_t>(nearest_toward_zero)}};
    return modes[r ? 1 : 0][rmc & 3];
}
environment with_mode(const core& c, const op* o) {
    environment e(c.state.fpscr);
    if (o->c != drn) {
        e.mode = static_cast<decfloat::rounding>(o->c);
    }
    return e;
}

template <typename width>
[[gnu::noinline]] u32 dqua(core& c, const op* o) {
    environment e = with_mode(c, o);
    const number a = read<width>(c, o->a);
    const number b = read<width>(c, o->b);
    number result = b;
    if (a.nan() || b.nan()) {
        result = decfloat::propagated(a, b, e);
    } else if (a.infinite() != b.infinite()) {
        result = decfloat::invalid(fpscr::vxcvi, e);
    } else if (b.finite()) {
        result = decfloat::quantize(b, a.exponent, width::datum, e);
    }
    return deliver<width>(c, o, result, e);
}

/// op::imm is TE.
template <typename width>
[[gnu::noinline]] u32 dquai(core& c, const op* o) {
    environment e = with_mode(c, o);
    const number b = read<width>(c, o->b);
    const number result = b.nan()        ? decfloat::quieted(b, e)
                          : b.infinite() ? decfloat::invalid(fpscr::vxcvi, e)
                                         : decfloat::quantize(b, o->imm, width::datum, e);
    return deliver<width>(c, o, result, e);
}

template <typename width>
[[gnu::noinline]] u32 drrnd(core& c, const op* o) {
    environment e = with_mode(c, o);
    const auto digits = static_cast<int>(dfp_long::bits(c, o->a) & 0x3f);
    const number b = read<width>(c, o->b);
    const number result = b.finite() ? decfloat::reround(b, digits, width::datum, e)
                                     : decfloat::quieted(b, e);
    return deliver<width>(c, o, result, e);
}

/// With and without Inexact.
template <typename width, bool inexact>
[[gnu::noinline]] u32 drint(core& c, const op* o) {
    environment e = with_mode(c, o);
    const number b = read<width>(c, o->b);
    const number result = b.finite() ? decfloat::round_to_integer(b, e) : decfloat::quieted(b, e);
    if (!inexact) {
        e.raised &= ~(fpscr::xx | fpscr::fi | fpscr::fr);
    }
    return deliver<width>(c, o, result, e);
}
template <typename width>
constexpr work drintx = drint<width, true>;
template <typename width>
constexpr work drintn = drint<width, false>;

// --- Selectors

template <work does>
constexpr selector plainly = when_done<facility::dfp, does>;

/// The same with op::c as rounding mode and op::imm as TE.
template <work does, bool has_r>
handler with_rounding(u32 word, unsigned index, op& decoded) {
    const bool r = has_r && info_of(operand::r_round).value(word) != 0;
    decoded.c = rounding_of(r, static_cast<unsigned>(info_of(operand::rmc).value(word)));
    decoded.imm = info_of(operand::te).value(word);
    return with_record<does>(word, index, decoded);
}

template <auto f, typename width>
constexpr selector arithmetic_on = with_record<dyadic<width, f>>;

using enum operand;
using enum facility;
using enum instruction_class;

/// Decimal floating-point facility, arithmetic, comparisons and tests, quantum adjustment: Power ISA 3.0B Book I 5.6.1
/// to 5.6.4.
// clang-format off
constexpr instruction_row rows[] = {
    // 5.6.1 Arithmetic
    {"dadd",     x_form(59, 2),     {frt, fra, frb},                rc,    dfp, arithmetic, arithmetic_on<decfloat::add, dfp_long>},
    {"daddq",    x_form(63, 2),     {frt_pair, fra_pair, frb_pair}, rc,    dfp, arithmetic, arithmetic_on<decfloat::add, dfp_extended>},
    {"dsub",     x_form(59, 514),   {frt, fra, frb},                rc,    dfp, arithmetic, arithmetic_on<decfloat::subtract, dfp_long>},
    {"dsubq",    x_form(63, 514),   {frt_pair, fra_pair, frb_pair}, rc,    dfp, arithmetic, arithmetic_on<decfloat::subtract, dfp_extended>},
    {"dmul",     x_form(59, 34),    {frt, fra, frb},                rc,    dfp, arithmetic, arithmetic_on<decfloat::multiply, dfp_long>},
    {"dmulq",    x_form(63, 34),    {frt_pair, fra_pair, frb_pair}, rc,    dfp, arithmetic, arithmetic_on<decfloat::multiply, dfp_extended>},
    {"ddiv",     x_form(59, 546),   {frt, fra, frb},                rc,    dfp, divide, arithmetic_on<decfloat::divide, dfp_long>},
    {"ddivq",    x_form(63, 546),   {frt_pair, fra_pair, frb_pair}, rc,    dfp, divide, arithmetic_on<decfloat::divide, dfp_extended>},

    // 5.6.2 Compare
    {"dcmpu",    x_form(59, 642),   {bf, fra, frb},                 plain, dfp, compare, plainly<dcmp<dfp_long, false>>},
    {"dcmpuq",   x_form(63, 642),   {bf, fra_pair, frb_pair},       plain, dfp, compare, plainly<dcmp<dfp_extended, false>>},
    {"dcmpo",    x_form(59, 130),   {bf, fra, frb},                 plain, dfp, compare, plainly<dcmp<dfp_long, true>>},
    {"dcmpoq",   x_form(63, 130),   {bf, fra_pair, frb_pair},       plain, dfp, compare, plainly<dcmp<dfp_extended, true>>},

    // 5.6.3 Test
    {"dtstdc",   z22_form(59, 194), {bf, fra, dcm},                 plain, dfp, compare, plainly<dtstdc<dfp_long>>},
    {"dtstdcq",  z22_form(63, 194), {bf, fra_pair, dcm},            plain, dfp, compare, plainly<dtstdc<dfp_extended>>},
    {"dtstdg",   z22_form(59, 226), {bf, fra, dgm},                 plain, dfp, compare, plainly<dtstdg<dfp_long>>},
    {"dtstdgq",  z22_form(63, 226), {bf, fra_pair, dgm},            plain, dfp, compare, plainly<dtstdg<dfp_extended>>},
    {"dtstex",   x_form(59, 162),   {bf, fra, frb},                 plain, dfp, compare, plainly<dtstex<dfp_long>>},
    {"dtstexq",  x_form(63, 162),   {bf, fra_pair, frb_pair},       plain, dfp, compare, plainly<dtstex<dfp_extended>>},
    {"dtstsf",   x_form(59, 674),   {bf, fra, frb},                 plain, dfp, compare, plainly<dtstsf<dfp_long>>},
    {"dtstsfq",  x_form(63, 674),   {bf, fra, frb_pair},            plain, dfp, compare, plainly<dtstsf<dfp_extended>>},
    {"dtstsfi",  x_form(59, 675),   {bf, uim_dfp, frb},             plain, dfp, compare, select_dtstsfi<dfp_long>},
    {"dtstsfiq", x_form(63, 675),   {bf, uim_dfp, frb_pair},        plain, dfp, compare, select_dtstsfi<dfp_extended>},

    // 5.6.4 Quantum adjustment
    {"dquai",    z23_form(59, 67),  {te, frt, frb, rmc},            rc,    dfp, decimal, with_rounding<dquai<dfp_long>, false>},
    {"dquaiq",   z23_form(63, 67),  {te, frt_pair, frb_pair, rmc},  rc,    dfp, decimal, with_rounding<dquai<dfp_extended>, false>},
    {"dqua",     z23_form(59, 3),   {frt, fra, frb, rmc},           rc,    dfp, decimal, with_rounding<dqua<dfp_long>, false>},
    {"dquaq",    z23_form(63, 3),   {frt_pair, fra_pair, frb_pair, rmc}, rc, dfp, decimal, with_rounding<dqua<dfp_extended>, false>},
    {"drrnd",    z23_form(59, 35),  {frt, fra, frb, rmc},           rc,    dfp, decimal, with_rounding<drrnd<dfp_long>, false>},
    {"drrndq",   z23_form(63, 35),  {frt_pair, fra, frb_pair, rmc}, rc,    dfp, decimal, with_rounding<drrnd<dfp_extended>, false>},
    {"drintx",   z23_form(59, 99),  {r_round, frt, frb, rmc},       rc,    dfp, round, with_rounding<drintx<dfp_long>, true>},
    {"drintxq",  z23_form(63, 99),  {r_round, frt_pair, frb_pair, rmc}, rc, dfp, round, with_rounding<drintx<dfp_extended>, true>},
    {"drintn",   z23_form(59, 227), {r_round, frt, frb, rmc},       rc,    dfp, round, with_rounding<drintn<dfp_long>, true>},
    {"drintnq",  z23_form(63, 227), {r_round, frt_pair, frb_pair, rmc}, rc, dfp, round, with_rounding<drintn<dfp_extended>, true>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> decimal_arithmetic_rows() { return rows; }

}  // namespace pefsim::power::isa
