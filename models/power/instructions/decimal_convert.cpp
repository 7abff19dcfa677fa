// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/decimal_operation.h"

namespace pefsim::power::isa {
namespace {

// --- 5.6.5 Conversion

[[gnu::noinline]] u32 dctdp(core& c, const op* o) {
    const number b = decfloat::decode_short(static_cast<u32>(dfp_long::bits(c, o->b)));
    return deliver<dfp_long>(c, o, b, environment());
}

[[gnu::noinline]] u32 dctqpq(core& c, const op* o) {
    environment e(c.state.fpscr);
    return deliver<dfp_extended>(c, o, decfloat::quieted(read<dfp_long>(c, o->b), e), e);
}

constexpr u32 wrapping = fpscr::ox | fpscr::ux;

/// A payload keeps its rightmost digits. A result with a wrapped exponent is one of the source's format.
[[gnu::noinline]] u32 drsp(core& c, const op* o) {
    environment e(c.state.fpscr);
    number result = read<dfp_long>(c, o->b);
    if (result.finite()) {
        result = round_to(result, decfloat::short_format, decfloat::wrap_of_long_to_short, e);
    }
    if (fpscr::enabled(e.raised & wrapping, e.enabled) != 0) {
        return deliver<dfp_long>(c, o, result, e);
    }
    record(c, e);
    set_class(c, class_of(result, decfloat::short_format));
    set_scalar(c, o->t, decfloat::encode_short(canonical(result)));
    return e.raised;
}

/// The result stands in the first register of the pair, and zero in the second.
[[gnu::noinline]] u32 drdpq(core& c, const op* o) {
    environment e(c.state.fpscr);
    number result = read<dfp_extended>(c, o->b);
    result = result.finite() ? round_to(result, decfloat::long_format, decfloat::wrap_of_extended_to_long, e)
                             : decfloat::quieted(result, e);
    if (fpscr::enabled(e.raised & wrapping, e.enabled) != 0) {
        return deliver<dfp_extended>(c, o, result, e);
    }
    if (record(c, e)) {
        set_class(c, class_of(result, decfloat::long_format));
        set_scalar(c, o->t, decfloat::encode_long(canonical(result)));
        set_scalar(c, o->t | 1, 0);
    }
    return e.raised;
}

template <typename width>
[[gnu::noinline]] u32 dcffix(core& c, const op* o) {
    environment e(c.state.fpscr);
    const auto b = static_cast<i64>(dfp_long::bits(c, o->b));
    const number value{.negative = b < 0, .coefficient = b < 0 ? -static_cast<u64>(b) : static_cast<u64>(b)};
    return deliver<width>(c, o, round_to(value, width::datum, decfloat::wrap_of(width::datum), e), e);
}

template <typename width>
[[gnu::noinline]] u32 dctfix(core& c, const op* o) {
    environment e(c.state.fpscr);
    const auto result = static_cast<u64>(decfloat::to_integer(read<width>(c, o->b), e));
    if (record(c, e)) {
        set_scalar(c, o->t, result);
    }
    return e.raised;
}

// --- 5.6.6 Format

/// The digits of a coefficient as binary coded decimal, the rightmost ones.
template <typename word>
word to_bcd(uint128 coefficient, int digits) {
    word bcd = 0;
    for (int i = 0; i < digits; ++i, coefficient /= 10) {
        bcd |= static_cast<word>(static_cast<unsigned>(coefficient % 10)) << (4 * i);
    }
    return bcd;
}

/// op::a is SP: whether there is a sign, and the sign code of positive numbers.
template <typename width>
[[gnu::noinline]] u32 ddedpd(core& c, const op* o) {
    using word = typename width::word;
    const number b = read<width>(c, o->b);
    if ((o->a & 2) == 0) {
        return move_to<width>(c, o, to_bcd<word>(b.coefficient, width::bcd_digits));
    }
    const word sign = b.negative ? 0xd : (o->a & 1) != 0 ? 0xf : 0xc;
    return move_to<width>(c, o, to_bcd<word>(b.coefficient, width::bcd_digits - 1) << 4 | sign);
}

/// op::a is S: whether there is a sign.
template <typename width>
[[gnu::noinline]] u32 denbcd(core& c, const op* o) {
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
    return deliver<width>(c, o, valid ? result : decfloat::invalid(fpscr::vxcvi, e), e);
}

constexpr i64 exponent_of_infinity = -1;
constexpr i64 exponent_of_quiet_nan = -2;
constexpr i64 exponent_of_signalling_nan = -3;

template <typename width>
[[gnu::noinline]] u32 dxex(core& c, const op* o) {
    const number b = read<width>(c, o->b);
    const i64 exponent = b.signalling() ? exponent_of_signalling_nan
                         : b.nan()      ? exponent_of_quiet_nan
                         : b.infinite() ? exponent_of_infinity
                                        : b.exponent + width::datum.bias;
    return move_to<dfp_long>(c, o, static_cast<u64>(exponent));
}

template <typename width>
[[gnu::noinline]] u32 diex(core& c, const op* o) {
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
    return move_to<width>(c, o, width::encode(result));
}

/// The significand shifted by op::b digits; the exponent, or what else the datum is, stays.
template <typename width, bool left>
[[gnu::noinline]] u32 shift_significand(core& c, const op* o) {
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
    return move_to<width>(c, o, width::encode(a));
}
template <typename width>
constexpr work dscli = shift_significand<width, true>;
template <typename width>
constexpr work dscri = shift_significand<width, false>;

using enum operand;
using enum facility;
using enum instruction_class;

/// Decimal floating-point facility, conversions and formats: Power ISA 3.0B Book I 5.6.5 and 5.6.6.
// clang-format off
constexpr instruction_row rows[] = {
    // 5.6.5 Conversion
    {"dctdp",    x_form(59, 258),   {frt, frb},                     rc,    dfp, convert, with_record<dctdp>},
    {"dctqpq",   x_form(63, 258),   {frt_pair, frb},                rc,    dfp, convert, with_record<dctqpq>},
    {"drsp",     x_form(59, 770),   {frt, frb},                     rc,    dfp, convert, with_record<drsp>},
    {"drdpq",    x_form(63, 770),   {frt_pair, frb_pair},           rc,    dfp, convert, with_record<drdpq>},
    {"dcffix",   x_form(59, 802),   {frt, frb},                     rc,    dfp, convert, with_record<dcffix<dfp_long>>},
    {"dcffixq",  x_form(63, 802),   {frt_pair, frb},                rc,    dfp, convert, with_record<dcffix<dfp_extended>>},
    {"dctfix",   x_form(59, 290),   {frt, frb},                     rc,    dfp, convert, with_record<dctfix<dfp_long>>},
    {"dctfixq",  x_form(63, 290),   {frt, frb_pair},                rc,    dfp, convert, with_record<dctfix<dfp_extended>>},

    // 5.6.6 Format
    {"ddedpd",   x_form(59, 322),   {sp, frt, frb},                 rc,    dfp, decimal, with_record<ddedpd<dfp_long>>},
    {"ddedpdq",  x_form(63, 322),   {sp, frt_pair, frb_pair},       rc,    dfp, decimal, with_record<ddedpd<dfp_extended>>},
    {"denbcd",   x_form(59, 834),   {s, frt, frb},                  rc,    dfp, decimal, with_record<denbcd<dfp_long>>},
    {"denbcdq",  x_form(63, 834),   {s, frt_pair, frb_pair},        rc,    dfp, decimal, with_record<denbcd<dfp_extended>>},
    {"dxex",     x_form(59, 354),   {frt, frb},                     rc,    dfp, decimal, with_record<dxex<dfp_long>>},
    {"dxexq",    x_form(63, 354),   {frt, frb_pair},                rc,    dfp, decimal, with_record<dxex<dfp_extended>>},
    {"diex",     x_form(59, 866),   {frt, fra, frb},                rc,    dfp, decimal, with_record<diex<dfp_long>>},
    {"diexq",    x_form(63, 866),   {frt_pair, fra, frb_pair},      rc,    dfp, decimal, with_record<diex<dfp_extended>>},
    {"dscli",    z22_form(59, 66),  {frt, fra, sh_dfp},             rc,    dfp, decimal, with_record<dscli<dfp_long>>},
    {"dscliq",   z22_form(63, 66),  {frt_pair, fra_pair, sh_dfp},   rc,    dfp, decimal, with_record<dscli<dfp_extended>>},
    {"dscri",    z22_form(59, 98),  {frt, fra, sh_dfp},             rc,    dfp, decimal, with_record<dscri<dfp_long>>},
    {"dscriq",   z22_form(63, 98),  {frt_pair, fra_pair, sh_dfp},   rc,    dfp, decimal, with_record<dscri<dfp_extended>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> decimal_convert_rows() { return rows; }

}  // namespace pefsim::power::isa
