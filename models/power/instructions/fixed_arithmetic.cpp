// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include "power/engine/core.h"
#include "power/instructions/facility.h"
#include "power/instructions/fixed_result.h"
#include "power/instructions/fixed_shape.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/int128.h"

namespace pefsim::power::isa {
namespace {

// --- Sums. Every instruction that adds or subtracts is RT <- left + right + carry.

enum class left : std::uint8_t { ra, not_ra };
enum class right : std::uint8_t { rb, si, zero, minus_one };
enum class carry : std::uint8_t { zero, one, ca };

template <left which>
[[gnu::always_inline]] inline u64 operand_of(const core& c, const op* o) {
    const u64 ra = c.state.gpr[o->a];
    return which == left::not_ra ? ~ra : ra;
}
template <right which>
[[gnu::always_inline]] inline u64 operand_of(const core& c, const op* o) {
    switch (which) {
    case right::rb:
        return c.state.gpr[o->b];
    case right::si:
        return extended(o->imm);
    case right::zero:
        return 0;
    default:
        return ~u64{0};
    }
}
template <carry which>
[[gnu::always_inline]] inline u64 operand_of(const core& c) {
    return which == carry::ca ? xer_bit(c, xer::ca) : which == carry::one ? 1 : 0;
}

/// What a sum leaves besides RT.
struct effects {
    bool carries = false;
    bool overflows = false;
    bool dot = false;
};

template <left x, right y, carry z, effects sets>
const op* sum(core& c, const op* o) {
    const u64 a = operand_of<x>(c, o);
    const u64 b = operand_of<y>(c, o);
    const u64 result = a + b + operand_of<z>(c);
    if constexpr (sets.carries) {
        set_carry(c, a, b, result);
    }
    if constexpr (sets.overflows) {
        set_overflow(c, a, b, result);
    }
    c.state.gpr[o->t] = result;
    if constexpr (sets.dot) {
        set_cr0(c, result);
    }
    return next(c, o);
}

template <left x, right y, carry z, bool carries>
handler select_sum(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    if (overflow_enable.of(word) != 0) {
        return has_dot(word) ? sum<x, y, z, effects{carries, true, true}>
                             : sum<x, y, z, effects{carries, true, false}>;
    }
    return has_dot(word) ? sum<x, y, z, effects{carries, false, true}>
                         : sum<x, y, z, effects{carries, false, false}>;
}

handler select_addis(std::uint32_t /*word*/, unsigned /*index*/, op& decoded) {
    decoded.imm = static_cast<i32>(static_cast<u32>(decoded.imm) << 16);
    return sum<left::ra, right::si, carry::zero, effects{}>;
}

/// RT <- NIA + EXTS(D || 0x0000)
const op* addpcis(core& c, const op* o) {
    const u64 nia = c.nia(o);
    c.state.gpr[o->t] = nia + (extended(o->imm) << 16);
    return next(c, o);
}

/// Adds OV and sets OV and OV32 as adde does CA and CA32; SO stays. A CY other than 0 is an invalid
/// form.
const op* addex(core& c, const op* o) {
    const u64 a = c.state.gpr[o->a];
    const u64 b = c.state.gpr[o->b];
    const u64 result = a + b + xer_bit(c, xer::ov);
    const u64 out = carries(a, b, result);
    u64& word = c.state[spr::xer];
    word = (word & ~(xer::bit(xer::ov) | xer::bit(xer::ov32))) | u64{sign_of(c, out)} << xer::ov |
           u64{bit_32(out)} << xer::ov32;
    c.state.gpr[o->t] = result;
    return next(c, o);
}

handler select_addex(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return info_of(operand::cy).value(word) == 0 ? addex : illegal;
}

// --- Products and quotients. What the ISA leaves undefined is what POWER processors do: a high word stands in both
// halves of RT, the quotient of words has zeros in the upper half, and without a quotient RT is 0.

/// RT, and OV and OV32 of the form with OE=1, whatever the mode.
struct outcome {
    u64 value = 0;
    bool overflow = false;
};
constexpr outcome no_quotient{.value = 0, .overflow = true};

/// The sign bit alone.
template <typename T>
constexpr T least = static_cast<T>(static_cast<T>(1) << (8 * sizeof(T) - 1));

template <outcome (*f)(u64, u64), bool overflows, bool dot>
const op* product(core& c, const op* o) {
    const outcome result = f(c.state.gpr[o->a], c.state.gpr[o->b]);
    c.state.gpr[o->t] = result.value;
    if constexpr (overflows) {
        set_ov(c, result.overflow, result.overflow);
    }
    if constexpr (dot) {
        set_cr0(c, result.value);
    }
    return next(c, o);
}
template <outcome (*f)(u64, u64)>
handler select_product(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    if (overflow_enable.of(word) != 0) {
        return has_dot(word) ? product<f, true, true> : product<f, true, false>;
    }
    return has_dot(word) ? product<f, false, true> : product<f, false, false>;
}

i32 low(u64 a) { return static_cast<i32>(a); }
u64 twice(u32 word) { return u64{word} << 32 | word; }

u64 mulli(u64 a, u64 b) { return a * b; }
outcome mulld(u64 a, u64 b) {
    i64 result = 0;
    const bool overflow = __builtin_mul_overflow(static_cast<i64>(a), static_cast<i64>(b), &result);
    return {static_cast<u64>(result), overflow};
}
outcome mullw(u64 a, u64 b) {
    const i64 result = i64{low(a)} * low(b);
    return {static_cast<u64>(result), result != static_cast<i32>(result)};
}
u64 mulhw(u64 a, u64 b) { return twice(static_cast<u32>(i64{low(a)} * low(b) >> 32)); }
u64 mulhwu(u64 a, u64 b) {
    return twice(static_cast<u32>(u64{static_cast<u32>(a)} * static_cast<u32>(b) >> 32));
}
u64 mulhd(u64 a, u64 b) { return static_cast<u64>(int128{static_cast<i64>(a)} * static_cast<i64>(b) >> 64); }
u64 mulhdu(u64 a, u64 b) { return static_cast<u64>(uint128{a} * b >> 64); }

u64 maddhd(u64 a, u64 b, u64 addend) {
    const uint128 sum = static_cast<uint128>(int128{static_cast<i64>(a)} * static_cast<i64>(b)) +
                        static_cast<uint128>(int128{static_cast<i64>(addend)});
    return static_cast<u64>(sum >> 64);
}
u64 maddhdu(u64 a, u64 b, u64 addend) { return static_cast<u64>((uint128{a} * b + addend) >> 64); }
u64 maddld(u64 a, u64 b, u64 addend) { return a * b + addend; }

/// dividend / divisor as a `narrow`, in the arithmetic of `wide`, where it cannot overflow but for the least number
/// divided by -1.
template <typename narrow, typename wide>
outcome quotient(wide dividend, narrow divisor) {
    const bool is_signed = static_cast<narrow>(-1) < 0;
    if (divisor == 0 || (is_signed && divisor == static_cast<narrow>(-1) && dividend == least<wide>)) {
        return no_quotient;
    }
    const wide result = dividend / static_cast<wide>(divisor);
    if (result != static_cast<wide>(static_cast<narrow>(result))) {
        return no_quotient;
    }
    return {.value = static_cast<std::make_unsigned_t<narrow>>(result)};
}
outcome divw(u64 a, u64 b) { return quotient<i32, i64>(low(a), low(b)); }
outcome divwu(u64 a, u64 b) { return quotient<u32, u64>(static_cast<u32>(a), static_cast<u32>(b)); }
outcome divwe(u64 a, u64 b) { return quotient<i32, i64>(static_cast<i64>(a << 32), low(b)); }
outcome divweu(u64 a, u64 b) { return quotient<u32, u64>(a << 32, static_cast<u32>(b)); }
outcome divd(u64 a, u64 b) { return quotient<i64, i64>(static_cast<i64>(a), static_cast<i64>(b)); }
outcome divdu(u64 a, u64 b) { return quotient<u64, u64>(a, b); }
outcome divde(u64 a, u64 b) {
    return quotient<i64, int128>(static_cast<int128>(uint128{a} << 64), static_cast<i64>(b));
}
outcome divdeu(u64 a, u64 b) { return a >= b ? no_quotient : quotient<u64, uint128>(uint128{a} << 64, b); }

/// The remainder has the dividend's sign; of a division that cannot be done it is 0.
template <typename T>
u64 remainder(T a, T b) {
    if (b == 0 || (std::is_signed_v<T> && b == static_cast<T>(-1))) {
        return 0;
    }
    return static_cast<u64>(a % b);  // sign-extended when T is signed
}
u64 modsw(u64 a, u64 b) { return remainder<i32>(low(a), low(b)); }
u64 moduw(u64 a, u64 b) { return remainder<u32>(static_cast<u32>(a), static_cast<u32>(b)); }
u64 modsd(u64 a, u64 b) { return remainder<i64>(static_cast<i64>(a), static_cast<i64>(b)); }
u64 modud(u64 a, u64 b) { return remainder<u64>(a, b); }

/// Deliver a random number: L=0 32 bits, L=1 64 conditioned bits, L=2 64 raw bits. All ones says that there is none.
const op* darn(core& c, const op* o) {
    switch (o->imm >> 16 & 3) {
    case 0:
        c.state.gpr[o->t] = c.random_number() >> 32;
        break;
    case 3:
        c.state.gpr[o->t] = ~u64{0};
        break;
    default:
        c.state.gpr[o->t] = c.random_number();
    }
    return next(c, o);
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Fixed-point arithmetic: Power ISA 3.0B Book I 3.3.9.
// clang-format off
constexpr instruction_row rows[] = {
    // 3.3.9 Arithmetic
    {"addi",     d_form(14),        {rt, ra0, si},      plain,                fixed,      arithmetic, always<sum<left::ra, right::si, carry::zero, effects{}>>},
    {"addis",    d_form(15),        {rt, ra0, si},      plain,                fixed,      arithmetic, select_addis},
    {"addpcis",  dx_form(19, 2),    {rt, d_dx},         plain,                fixed,      arithmetic, always<addpcis>},
    {"add",      xo_form(31, 266),  {rt, ra, rb},       oe | rc,              fixed,      arithmetic, select_sum<left::ra, right::rb, carry::zero, false>},
    {"subf",     xo_form(31, 40),   {rt, ra, rb},       oe | rc,              fixed,      arithmetic, select_sum<left::not_ra, right::rb, carry::one, false>},
    {"addic",    d_form(12),        {rt, ra, si},       ca,                   fixed,      arithmetic, always<sum<left::ra, right::si, carry::zero, effects{.carries = true}>>},
    {"addic.",   d_form(13),        {rt, ra, si},       ca,                   fixed,      arithmetic, always<sum<left::ra, right::si, carry::zero, effects{.carries = true, .dot = true}>>},
    {"subfic",   d_form(8),         {rt, ra, si},       ca,                   fixed,      arithmetic, always<sum<left::not_ra, right::si, carry::one, effects{.carries = true}>>},
    {"addc",     xo_form(31, 10),   {rt, ra, rb},       oe | rc | ca,         fixed,      arithmetic, select_sum<left::ra, right::rb, carry::zero, true>},
    {"subfc",    xo_form(31, 8),    {rt, ra, rb},       oe | rc | ca,         fixed,      arithmetic, select_sum<left::not_ra, right::rb, carry::one, true>},
    {"adde",     xo_form(31, 138),  {rt, ra, rb},       oe | rc | ca_in | ca, fixed,      arithmetic, select_sum<left::ra, right::rb, carry::ca, true>},
    {"subfe",    xo_form(31, 136),  {rt, ra, rb},       oe | rc | ca_in | ca, fixed,      arithmetic, select_sum<left::not_ra, right::rb, carry::ca, true>},
    {"addme",    xo_form(31, 234),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic, select_sum<left::ra, right::minus_one, carry::ca, true>},
    {"addze",    xo_form(31, 202),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic, select_sum<left::ra, right::zero, carry::ca, true>},
    {"subfme",   xo_form(31, 232),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic, select_sum<left::not_ra, right::minus_one, carry::ca, true>},
    {"subfze",   xo_form(31, 200),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic, select_sum<left::not_ra, right::zero, carry::ca, true>},
    {"addex",    z23_form(31, 170), {rt, ra, rb, cy},   plain,                fixed,      arithmetic, select_addex},
    {"neg",      xo_form(31, 104),  {rt, ra},           oe | rc,              fixed,      arithmetic, select_sum<left::not_ra, right::zero, carry::one, false>},
    {"mulli",    d_form(7),         {rt, ra, si},       plain,                fixed,      arithmetic, always<to_rt_immediate<mulli>>},
    {"mullw",    xo_form(31, 235),  {rt, ra, rb},       oe | rc,              fixed,      arithmetic, select_product<mullw>},
    {"mulhw",    xo_form(31, 75),   {rt, ra, rb},       rc,                   fixed,      arithmetic, rc_rt<mulhw>},
    {"mulhwu",   xo_form(31, 11),   {rt, ra, rb},       rc,                   fixed,      arithmetic, rc_rt<mulhwu>},
    {"divw",     xo_form(31, 491),  {rt, ra, rb},       oe | rc,              fixed,      divide, select_product<divw>},
    {"divwu",    xo_form(31, 459),  {rt, ra, rb},       oe | rc,              fixed,      divide, select_product<divwu>},
    {"divwe",    xo_form(31, 427),  {rt, ra, rb},       oe | rc,              fixed,      divide, select_product<divwe>},
    {"divweu",   xo_form(31, 395),  {rt, ra, rb},       oe | rc,              fixed,      divide, select_product<divweu>},
    {"modsw",    x_form(31, 779),   {rt, ra, rb},       plain,                fixed,      divide, always<to_rt<modsw>>},
    {"moduw",    x_form(31, 267),   {rt, ra, rb},       plain,                fixed,      divide, always<to_rt<moduw>>},
    {"darn",     x_form(31, 755),   {rt, l_darn},       plain,                fixed,      arithmetic, always<darn>},
    {"mulld",    xo_form(31, 233),  {rt, ra, rb},       oe | rc,              fixed,      arithmetic, select_product<mulld>},
    {"mulhd",    xo_form(31, 73),   {rt, ra, rb},       rc,                   fixed,      arithmetic, rc_rt<mulhd>},
    {"mulhdu",   xo_form(31, 9),    {rt, ra, rb},       rc,                   fixed,      arithmetic, rc_rt<mulhdu>},
    {"maddhd",   va_form(4, 48),    {rt, ra, rb, rc_gpr}, plain,              fixed,      multiply_add, always<to_rt_from_three<maddhd>>},
    {"maddhdu",  va_form(4, 49),    {rt, ra, rb, rc_gpr}, plain,              fixed,      multiply_add, always<to_rt_from_three<maddhdu>>},
    {"maddld",   va_form(4, 51),    {rt, ra, rb, rc_gpr}, plain,              fixed,      multiply_add, always<to_rt_from_three<maddld>>},
    {"divd",     xo_form(31, 489),  {rt, ra, rb},       oe | rc,              fixed,      divide, select_product<divd>},
    {"divdu",    xo_form(31, 457),  {rt, ra, rb},       oe | rc,              fixed,      divide, select_product<divdu>},
    {"divde",    xo_form(31, 425),  {rt, ra, rb},       oe | rc,              fixed,      divide, select_product<divde>},
    {"divdeu",   xo_form(31, 393),  {rt, ra, rb},       oe | rc,              fixed,      divide, select_product<divdeu>},
    {"modsd",    x_form(31, 777),   {rt, ra, rb},       plain,                fixed,      divide, always<to_rt<modsd>>},
    {"modud",    x_form(31, 265),   {rt, ra, rb},       plain,                fixed,      divide, always<to_rt<modud>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> fixed_arithmetic_rows() { return rows; }

}  // namespace pefsim::power::isa
