// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "cpu/power/decfloat/arithmetic.h"
#include "cpu/power/decfloat/number.h"
#include "cpu/power/instructions/facility.h"
#include "cpu/power/instructions/floating_status.h"
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using decfloat::environment;
using decfloat::format;
using decfloat::number;
using decfloat::u128;
using i64 = std::int64_t;
using u64 = std::uint64_t;

// --- Operands: DFP Long in a floating-point register, DFP Extended in an even and the next

struct dfp_long {
    using word = u64;
    static constexpr const format& datum = decfloat::long_format;
    static constexpr int bcd_digits = 16;

    static word bits(const core& c, unsigned r) { return c.state.vsr[r].high; }
    static void set_bits(core& c, std::uint8_t r, word value) { set_scalar(c, r, value); }
    static number decode(word value) { return decfloat::decode_long(value); }
    static word encode(const number& value) { return decfloat::encode_long(value); }
};

struct dfp_extended {
    using word = u128;
    static constexpr const format& datum = decfloat::extended_format;
    static constexpr int bcd_digits = 32;

    static word bits(const core& c, unsigned r) {
        return static_cast<u128>(c.state.vsr[r].high) << 64 | c.state.vsr[r | 1].high;
    }
    static void set_bits(core& c, std::uint8_t r, word value) {
        set_scalar(c, r, static_cast<u64>(value >> 64));
        set_scalar(c, r | 1, static_cast<u64>(value));
    }
    static number decode(word value) { return decfloat::decode_extended(value); }
    static word encode(const number& value) { return decfloat::encode_extended(value); }
};

template <typename width>
number read(const core& c, unsigned r) {
    return width::decode(width::bits(c, r));
}

/// Infinities that are results have nothing but zeros behind them.
number canonical(number result) {
    if (result.infinite()) {
        result.coefficient = 0;
    }
    return result;
}

/// FPSCR after an operation that rounds. False when its target must not change.
bool record(core& c, const environment& e) {
    ieee::environment status;
    status.enabled = e.enabled;
    status.raised = e.raised;
    return report(c, status);
}

/// Ends an instruction whose result is a number: FRT, FPSCR with FPRF, CR1.
template <typename width, bool dot>
const op* deliver(core& c, const op* o, const number& result, const environment& e) {
    if (record(c, e)) {
        width::set_bits(c, o->t, width::encode(canonical(result)));
        set_class(c, class_of(result, width::datum));
    }
    return finish<dot>(c, o, e.raised);
}

/// Ends one that moves digits and exponents around, which changes nothing in FPSCR.
template <typename width, bool dot>
const op* move_to(core& c, const op* o, typename width::word result) {
    width::set_bits(c, o->t, result);
    return finish<dot>(c, o, 0);
}

// --- 5.6.1 Arithmetic

template <typename width, auto f, bool dot>
const op* dyadic(core& c, const op* o) {
    environment e(c.state.fpscr);
    return deliver<width, dot>(c, o, f(read<width>(c, o->a), read<width>(c, o->b), width::datum, e), e);
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
const op* dcmp(core& c, const op* o) {
    const number a = read<width>(c, o->a);
    const number b = read<width>(c, o->b);
    std::uint32_t raised = 0;
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
    return finish(c, o, raised);
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
const op* dtstdc(core& c, const op* o) {
    const number a = read<width>(c, o->a);
    const unsigned type = a.signalling()               ? 0x01
                          : a.nan()                    ? 0x02
                          : a.infinite()               ? 0x04
                          : a.zero()                   ? 0x20
                          : subnormal(a, width::datum) ? 0x10
                                                       : 0x08;
    set_condition(c, o, match_of(a, (o->b & type) != 0));
    return next(c, o);
}

/// DGM: zero and zero with an extreme exponent; subnormal or with an extreme exponent; normal with a leftmost digit that is
/// zero, or is not; special.
template <typename width>
const op* dtstdg(core& c, const op* o) {
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
    return next(c, o);
}

template <typename width>
const op* dtstex(core& c, const op* o) {
    const number a = read<width>(c, o->a);
    const number b = read<width>(c, o->b);
    const bool comparable = (a.finite() && b.finite()) || (a.infinite() && b.infinite()) ||
                            (a.nan() && b.nan());
    set_condition(c, o, !comparable ? unordered : a.finite() ? ordering_of(a.exponent, b.exponent) : equal);
    return next(c, o);
}

/// The reference significance against the number of significant digits.
template <typename width>
const op* test_significance(core& c, const op* o, unsigned reference) {
    const number b = read<width>(c, o->b);
    set_condition(c, o,
                  !b.finite()      ? unordered
                  : reference == 0 ? greater
                                   : ordering_of(reference, decfloat::digits_of(b.coefficient)));
    return next(c, o);
}
template <typename width>
const op* dtstsf(core& c, const op* o) {
    return test_significance<width>(c, o, static_cast<unsigned>(dfp_long::bits(c, o->a) & 0x3f));
}
template <typename width>
const op* dtstsfi(core& c, const op* o) {
    return test_significance<width>(c, o, o->a);
}
template <typename width>
handler select_dtstsfi(std::uint32_t word, unsigned /*index*/, op& decoded) {
    decoded.a = static_cast<std::uint8_t>(info_of(operand::uim_dfp).value(word));
    return guarded<facility::dfp, dtstsfi<width>>;
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

template <typename width, bool dot>
const op* dqua(core& c, const op* o) {
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
    return deliver<width, dot>(c, o, result, e);
}

/// op::imm is TE.
template <typename width, bool dot>
const op* dquai(core& c, const op* o) {
    environment e = with_mode(c, o);
    const number b = read<width>(c, o->b);
    const number result = b.nan()        ? decfloat::quieted(b, e)
                          : b.infinite() ? decfloat::invalid(fpscr::vxcvi, e)
                                         : decfloat::quantize(b, o->imm, width::datum, e);
    return deliver<width, dot>(c, o, result, e);
}

template <typename width, bool dot>
const op* drrnd(core& c, const op* o) {
    environment e = with_mode(c, o);
    const auto digits = static_cast<int>(dfp_long::bits(c, o->a) & 0x3f);
    const number b = read<width>(c, o->b);
    const number result = b.finite() ? decfloat::reround(b, digits, width::datum, e)
                                     : decfloat::quieted(b, e);
    return deliver<width, dot>(c, o, result, e);
}

/// With and without Inexact.
template <typename width, bool inexact, bool dot>
const op* drint(core& c, const op* o) {
    environment e = with_mode(c, o);
    const number b = read<width>(c, o->b);
    const number result = b.finite() ? decfloat::round_to_integer(b, e) : decfloat::quieted(b, e);
    if (!inexact) {
        e.raised &= ~(fpscr::xx | fpscr::fi | fpscr::fr);
    }
    return deliver<width, dot>(c, o, result, e);
}
template <typename width, bool dot>
constexpr handler drintx = drint<width, true, dot>;
template <typename width, bool dot>
constexpr handler drintn = drint<width, false, dot>;

// --- 5.6.5 Conversion

template <bool dot>
const op* dctdp(core& c, const op* o) {
    const number b = decfloat::decode_short(static_cast<std::uint32_t>(dfp_long::bits(c, o->b)));
    return deliver<dfp_long, dot>(c, o, b, environment());
}

template <bool dot>
const op* dctqpq(core& c, const op* o) {
    environment e(c.state.fpscr);
    return deliver<dfp_extended, dot>(c, o, decfloat::quieted(read<dfp_long>(c, o->b), e), e);
}

constexpr std::uint32_t wrapping = fpscr::ox | fpscr::ux;

/// A payload keeps its rightmost digits. A result with a wrapped exponent is one of the source's format.
template <bool dot>
const op* drsp(core& c, const op* o) {
    environment e(c.state.fpscr);
    number result = read<dfp_long>(c, o->b);
    if (result.finite()) {
        result = round_to(result, decfloat::short_format, decfloat::wrap_of_long_to_short, e);
    }
    if (fpscr::enabled(e.raised & wrapping, e.enabled) != 0) {
        return deliver<dfp_long, dot>(c, o, result, e);
    }
    record(c, e);
    set_class(c, class_of(result, decfloat::short_format));
    set_scalar(c, o->t, decfloat::encode_short(canonical(result)));
    return finish<dot>(c, o, e.raised);
}

/// The result stands in the first register of the pair, and zero in the second.
template <bool dot>
const op* drdpq(core& c, const op* o) {
    environment e(c.state.fpscr);
    number result = read<dfp_extended>(c, o->b);
    result = result.finite() ? round_to(result, decfloat::long_format, decfloat::wrap_of_extended_to_long, e)
                             : decfloat::quieted(result, e);
    if (fpscr::enabled(e.raised & wrapping, e.enabled) != 0) {
        return deliver<dfp_extended, dot>(c, o, result, e);
    }
    if (record(c, e)) {
        set_class(c, class_of(result, decfloat::long_format));
        set_scalar(c, o->t, decfloat::encode_long(canonical(result)));
        set_scalar(c, o->t | 1, 0);
    }
    return finish<dot>(c, o, e.raised);
}

template <typename width, bool dot>
const op* dcffix(core& c, const op* o) {
    environment e(c.state.fpscr);
    const auto b = static_cast<i64>(dfp_long::bits(c, o->b));
    const number value{.negative = b < 0, .coefficient = b < 0 ? -static_cast<u64>(b) : static_cast<u64>(b)};
    return deliver<width, dot>(c, o, round_to(value, width::datum, decfloat::wrap_of(width::datum), e), e);
}

template <typename width, bool dot>
const op* dctfix(core& c, const op* o) {
    environment e(c.state.fpscr);
    const auto result = static_cast<u64>(decfloat::to_integer(read<width>(c, o->b), e));
    if (record(c, e)) {
        set_scalar(c, o->t, result);
    }
    return finish<dot>(c, o, e.raised);
}

// --- 5.6.6 Format

/// The digits of a coefficient as binary coded decimal, the rightmost ones.
template <typename word>
word to_bcd(u128 coefficient, int digits) {
    word bcd = 0;
    for (int i = 0; i < digits; ++i, coefficient /= 10) {
        bcd |= static_cast<word>(static_cast<unsigned>(coefficient % 10)) << (4 * i);
    }
    return bcd;
}

/// op::a is SP: whether there is a sign, and the sign code of positive numbers.
template <typename width, bool dot>
const op* ddedpd(core& c, const op* o) {
    using word = typename width::word;
    const number b = read<width>(c, o->b);
    if ((o->a & 2) == 0) {
        return move_to<width, dot>(c, o, to_bcd<word>(b.coefficient, width::bcd_digits));
    }
    const word sign = b.negative ? 0xd : (o->a & 1) != 0 ? 0xf : 0xc;
    return move_to<width, dot>(c, o, to_bcd<word>(b.coefficient, width::bcd_digits - 1) << 4 | sign);
}

/// op::a is S: whether there is a sign.
template <typename width, bool dot>
const op* denbcd(core& c, const op* o) {
    environment e(c.state.fpscr);
    typename width::word bcd = width::bits(c, o->b);
    number result;
    bool valid = true;
    int digits = width::bcd_digits;
    if (o->a != 0) {
        const auto sign = static_cast<unsigned>(bcd & 0xf);
        valid = sign >= 0xa;
        result.negative = sign == 0xb || sign == 0xd;
        bcd >>= 4;
        --digits;
    }
    for (int i = digits; i-- > 0;) {
        const auto digit = static_cast<unsigned>(bcd >> (4 * i) & 0xf);
        valid = valid && digit <= 9;
        result.coefficient = result.coefficient * 10 + digit;
    }
    return deliver<width, dot>(c, o, valid ? result : decfloat::invalid(fpscr::vxcvi, e), e);
}

constexpr i64 exponent_of_infinity = -1;
constexpr i64 exponent_of_quiet_nan = -2;
constexpr i64 exponent_of_signalling_nan = -3;

template <typename width, bool dot>
const op* dxex(core& c, const op* o) {
    const number b = read<width>(c, o->b);
    const i64 exponent = b.signalling() ? exponent_of_signalling_nan
                         : b.nan()      ? exponent_of_quiet_nan
                         : b.infinite() ? exponent_of_infinity
                                        : b.exponent + width::datum.bias;
    return move_to<dfp_long, dot>(c, o, static_cast<u64>(exponent));
}

template <typename width, bool dot>
const op* diex(core& c, const op* o) {
    constexpr const format& in = width::datum;
    const auto exponent = static_cast<i64>(dfp_long::bits(c, o->a));
    number result = read<width>(c, o->b);
    if (exponent >= 0 && exponent <= in.largest_exponent + in.bias) {
        result.what = decfloat::kind::finite;
        result.exponent = static_cast<int>(exponent) - in.bias;
    } else {
        result.what = exponent == exponent_of_infinity         ? decfloat::kind::infinity
                      : exponent == exponent_of_signalling_nan ? decfloat::kind::signalling_nan
                                                               : decfloat::kind::quiet_nan;
    }
    return move_to<width, dot>(c, o, width::encode(result));
}

/// The significand shifted by op::b digits; the exponent, or what else the datum is, stays.
template <typename width, bool left, bool dot>
const op* shift_significand(core& c, const op* o) {
    constexpr auto precision = static_cast<unsigned>(width::datum.digits);
    number a = read<width>(c, o->a);
    const unsigned count = o->b;
    if (count >= precision) {
        a.coefficient = 0;
    } else if (left) {
        a.coefficient = a.coefficient % decfloat::powers_of_ten[precision - count] *
                        decfloat::powers_of_ten[count];
    } else {
        a.coefficient /= decfloat::powers_of_ten[count];
    }
    return move_to<width, dot>(c, o, width::encode(a));
}
template <typename width, bool dot>
constexpr handler dscli = shift_significand<width, true, dot>;
template <typename width, bool dot>
constexpr handler dscri = shift_significand<width, false, dot>;

// --- Selectors

template <handler run>
constexpr selector plainly = when_available<facility::dfp, run>;

template <handler run, handler run_dot>
handler with_record(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? guarded<facility::dfp, run_dot> : guarded<facility::dfp, run>;
}
/// The same with op::c as rounding mode and op::imm as TE.
template <handler run, handler run_dot, bool has_r>
handler with_rounding(std::uint32_t word, unsigned index, op& decoded) {
    const bool r = has_r && info_of(operand::r_round).value(word) != 0;
    decoded.c = rounding_of(r, static_cast<unsigned>(info_of(operand::rmc).value(word)));
    decoded.imm = info_of(operand::te).value(word);
    return with_record<run, run_dot>(word, index, decoded);
}

template <auto f, typename width>
constexpr selector arithmetic_on = with_record<dyadic<width, f, false>, dyadic<width, f, true>>;

using enum operand;
using enum facility;
using enum instruction_class;

/// Decimal floating-point facility: Power ISA 3.0B Book I chapter 5.
// clang-format off
constexpr instruction rows[] = {
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
    {"dquai",    z23_form(59, 67),  {te, frt, frb, rmc},            rc,    dfp, decimal, with_rounding<dquai<dfp_long, false>, dquai<dfp_long, true>, false>},
    {"dquaiq",   z23_form(63, 67),  {te, frt_pair, frb_pair, rmc},  rc,    dfp, decimal, with_rounding<dquai<dfp_extended, false>, dquai<dfp_extended, true>, false>},
    {"dqua",     z23_form(59, 3),   {frt, fra, frb, rmc},           rc,    dfp, decimal, with_rounding<dqua<dfp_long, false>, dqua<dfp_long, true>, false>},
    {"dquaq",    z23_form(63, 3),   {frt_pair, fra_pair, frb_pair, rmc}, rc, dfp, decimal, with_rounding<dqua<dfp_extended, false>, dqua<dfp_extended, true>, false>},
    {"drrnd",    z23_form(59, 35),  {frt, fra, frb, rmc},           rc,    dfp, decimal, with_rounding<drrnd<dfp_long, false>, drrnd<dfp_long, true>, false>},
    {"drrndq",   z23_form(63, 35),  {frt_pair, fra, frb_pair, rmc}, rc,    dfp, decimal, with_rounding<drrnd<dfp_extended, false>, drrnd<dfp_extended, true>, false>},
    {"drintx",   z23_form(59, 99),  {r_round, frt, frb, rmc},       rc,    dfp, round, with_rounding<drintx<dfp_long, false>, drintx<dfp_long, true>, true>},
    {"drintxq",  z23_form(63, 99),  {r_round, frt_pair, frb_pair, rmc}, rc, dfp, round, with_rounding<drintx<dfp_extended, false>, drintx<dfp_extended, true>, true>},
    {"drintn",   z23_form(59, 227), {r_round, frt, frb, rmc},       rc,    dfp, round, with_rounding<drintn<dfp_long, false>, drintn<dfp_long, true>, true>},
    {"drintnq",  z23_form(63, 227), {r_round, frt_pair, frb_pair, rmc}, rc, dfp, round, with_rounding<drintn<dfp_extended, false>, drintn<dfp_extended, true>, true>},

    // 5.6.5 Conversion
    {"dctdp",    x_form(59, 258),   {frt, frb},                     rc,    dfp, convert, with_record<dctdp<false>, dctdp<true>>},
    {"dctqpq",   x_form(63, 258),   {frt_pair, frb},                rc,    dfp, convert, with_record<dctqpq<false>, dctqpq<true>>},
    {"drsp",     x_form(59, 770),   {frt, frb},                     rc,    dfp, convert, with_record<drsp<false>, drsp<true>>},
    {"drdpq",    x_form(63, 770),   {frt_pair, frb_pair},           rc,    dfp, convert, with_record<drdpq<false>, drdpq<true>>},
    {"dcffix",   x_form(59, 802),   {frt, frb},                     rc,    dfp, convert, with_record<dcffix<dfp_long, false>, dcffix<dfp_long, true>>},
    {"dcffixq",  x_form(63, 802),   {frt_pair, frb},                rc,    dfp, convert, with_record<dcffix<dfp_extended, false>, dcffix<dfp_extended, true>>},
    {"dctfix",   x_form(59, 290),   {frt, frb},                     rc,    dfp, convert, with_record<dctfix<dfp_long, false>, dctfix<dfp_long, true>>},
    {"dctfixq",  x_form(63, 290),   {frt, frb_pair},                rc,    dfp, convert, with_record<dctfix<dfp_extended, false>, dctfix<dfp_extended, true>>},

    // 5.6.6 Format
    {"ddedpd",   x_form(59, 322),   {sp, frt, frb},                 rc,    dfp, decimal, with_record<ddedpd<dfp_long, false>, ddedpd<dfp_long, true>>},
    {"ddedpdq",  x_form(63, 322),   {sp, frt_pair, frb_pair},       rc,    dfp, decimal, with_record<ddedpd<dfp_extended, false>, ddedpd<dfp_extended, true>>},
    {"denbcd",   x_form(59, 834),   {s, frt, frb},                  rc,    dfp, decimal, with_record<denbcd<dfp_long, false>, denbcd<dfp_long, true>>},
    {"denbcdq",  x_form(63, 834),   {s, frt_pair, frb_pair},        rc,    dfp, decimal, with_record<denbcd<dfp_extended, false>, denbcd<dfp_extended, true>>},
    {"dxex",     x_form(59, 354),   {frt, frb},                     rc,    dfp, decimal, with_record<dxex<dfp_long, false>, dxex<dfp_long, true>>},
    {"dxexq",    x_form(63, 354),   {frt, frb_pair},                rc,    dfp, decimal, with_record<dxex<dfp_extended, false>, dxex<dfp_extended, true>>},
    {"diex",     x_form(59, 866),   {frt, fra, frb},                rc,    dfp, decimal, with_record<diex<dfp_long, false>, diex<dfp_long, true>>},
    {"diexq",    x_form(63, 866),   {frt_pair, fra, frb_pair},      rc,    dfp, decimal, with_record<diex<dfp_extended, false>, diex<dfp_extended, true>>},
    {"dscli",    z22_form(59, 66),  {frt, fra, sh_dfp},             rc,    dfp, decimal, with_record<dscli<dfp_long, false>, dscli<dfp_long, true>>},
    {"dscliq",   z22_form(63, 66),  {frt_pair, fra_pair, sh_dfp},   rc,    dfp, decimal, with_record<dscli<dfp_extended, false>, dscli<dfp_extended, true>>},
    {"dscri",    z22_form(59, 98),  {frt, fra, sh_dfp},             rc,    dfp, decimal, with_record<dscri<dfp_long, false>, dscri<dfp_long, true>>},
    {"dscriq",   z22_form(63, 98),  {frt_pair, fra_pair, sh_dfp},   rc,    dfp, decimal, with_record<dscri<dfp_extended, false>, dscri<dfp_extended, true>>},
};
// clang-format on

}  // namespace

std::span<const instruction> decimal_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
