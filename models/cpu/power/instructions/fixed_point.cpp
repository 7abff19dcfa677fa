// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "cpu/power/engine/core.h"
#include "cpu/power/instructions/fixed_result.h"
#include "cpu/power/instructions/instructions.h"
#include "cpu/power/instructions/special_registers.h"

namespace pefsim::cpu::power::isa {
namespace {

using u64 = std::uint64_t;
using i64 = std::int64_t;
using u32 = std::uint32_t;
using i32 = std::int32_t;

u64 extended(std::int32_t immediate) { return static_cast<u64>(i64{immediate}); }

// --- Shapes: RT <- f(RA, RB) and RA <- f(RS, RB), with and without Rc; the same with an immediate.

template <auto f, bool dot>
const op* to_rt(core& c, const op* o) {
    const u64 result = f(c.state.gpr[o->a], c.state.gpr[o->b]);
    c.state.gpr[o->t] = result;
    if constexpr (dot) {
        set_cr0(c, result);
    }
    return next(c, o);
}
template <auto f, bool dot>
const op* to_ra(core& c, const op* o) {
    const u64 result = f(c.state.gpr[o->t], c.state.gpr[o->b]);
    c.state.gpr[o->a] = result;
    if constexpr (dot) {
        set_cr0(c, result);
    }
    return next(c, o);
}
template <auto f, bool dot>
const op* to_ra_from_one(core& c, const op* o) {
    const u64 result = f(c.state.gpr[o->t]);
    c.state.gpr[o->a] = result;
    if constexpr (dot) {
        set_cr0(c, result);
    }
    return next(c, o);
}
template <auto f>
const op* to_rt_immediate(core& c, const op* o) {
    c.state.gpr[o->t] = f(c.state.gpr[o->a], extended(o->imm));
    return next(c, o);
}
template <auto f, bool dot = false>
const op* to_ra_immediate(core& c, const op* o) {
    const u64 result = f(c.state.gpr[o->t], static_cast<u64>(static_cast<u32>(o->imm)));
    c.state.gpr[o->a] = result;
    if constexpr (dot) {
        set_cr0(c, result);
    }
    return next(c, o);
}

template <auto f>
handler xo_rt(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? to_rt<f, true> : to_rt<f, false>;
}
template <auto f>
handler x_ra(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? to_ra<f, true> : to_ra<f, false>;
}
template <auto f>
handler x_ra_one(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? to_ra_from_one<f, true> : to_ra_from_one<f, false>;
}

u64 add(u64 a, u64 b) { return a + b; }
u64 add_shifted(u64 a, u64 b) { return a + (b << 16); }
u64 subf(u64 a, u64 b) { return b - a; }
u64 mulld(u64 a, u64 b) { return a * b; }
u64 mullw(u64 a, u64 b) { return static_cast<u64>(i64{static_cast<i32>(a)} * static_cast<i32>(b)); }
u64 bit_and(u64 a, u64 b) { return a & b; }
u64 bit_or(u64 a, u64 b) { return a | b; }
u64 bit_xor(u64 a, u64 b) { return a ^ b; }
u64 andc(u64 a, u64 b) { return a & ~b; }
u64 nor(u64 a, u64 b) { return ~(a | b); }
u64 neg(u64 a, u64) { return -a; }
u64 cntlzw(u64 a) { return static_cast<u64>(std::countl_zero(static_cast<u32>(a))); }
u64 extsw(u64 a) { return extended(static_cast<i32>(a)); }
u64 extsh(u64 a) { return extended(static_cast<std::int16_t>(a)); }
u64 extsb(u64 a) { return extended(static_cast<std::int8_t>(a)); }
u64 or_shifted(u64 a, u64 b) { return a | b << 16; }
u64 xor_shifted(u64 a, u64 b) { return a ^ b << 16; }
u64 slw(u64 a, u64 n) { return (n & 32) != 0 ? 0 : u64{static_cast<u32>(a) << (n & 31)}; }
u64 srw(u64 a, u64 n) { return (n & 32) != 0 ? 0 : u64{static_cast<u32>(a) >> (n & 31)}; }
u64 sld(u64 a, u64 n) { return (n & 64) != 0 ? 0 : a << (n & 63); }
u64 srd(u64 a, u64 n) { return (n & 64) != 0 ? 0 : a >> (n & 63); }

/// RT <- x + y + carry, with CA: x is RA or its complement.
template <bool complements, bool immediate, bool extends, bool dot>
const op* add_carrying(core& c, const op* o) {
    const u64 a = complements ? ~c.state.gpr[o->a] : c.state.gpr[o->a];
    const u64 b = immediate ? extended(o->imm) : c.state.gpr[o->b];
    const bool carry = extends ? carry_in(c) : complements;
    const u64 result = a + b + (carry ? 1 : 0);
    set_carry(c, a, b, carry);
    c.state.gpr[o->t] = result;
    if constexpr (dot) {
        set_cr0(c, result);
    }
    return next(c, o);
}
template <bool complements, bool extends>
handler select_carrying(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? add_carrying<complements, false, extends, true>
                           : add_carrying<complements, false, extends, false>;
}

/// MASK(first, last): ones from bit `first` through `last`, around the end when first > last.
constexpr u64 mask(unsigned first, unsigned last) {
    const u64 from_first = ~u64{0} >> first;
    const u64 to_last = ~u64{0} << (63 - last);
    return first <= last ? from_first & to_last : from_first | to_last;
}

template <bool dot, bool wraps>
const op* rlwinm(core& c, const op* o) {
    u64 r = std::rotl(static_cast<u32>(c.state.gpr[o->t]), o->b);
    if constexpr (wraps) {
        r = (r | r << 32) & (u64{static_cast<u32>(o->imm)} | 0xffff'ffff'0000'0000);
    } else {
        r &= static_cast<u32>(o->imm);
    }
    c.state.gpr[o->a] = r;
    if constexpr (dot) {
        set_cr0(c, r);
    }
    return next(c, o);
}
handler select_rlwinm(std::uint32_t word, unsigned /*index*/, op& decoded) {
    const unsigned mb = decoded.c;
    const unsigned me = word >> 1 & 31;
    decoded.imm = static_cast<std::int32_t>(mask(mb + 32, me + 32));
    if (mb > me) {
        return (word & 1) != 0 ? rlwinm<true, true> : rlwinm<false, true>;
    }
    return (word & 1) != 0 ? rlwinm<true, false> : rlwinm<false, false>;
}
template <bool dot, bool left>
const op* rldic_clear(core& c, const op* o) {
    const u64 r = std::rotl(c.state.gpr[o->t], o->b) & (left ? mask(o->c, 63) : mask(0, o->c));
    c.state.gpr[o->a] = r;
    if constexpr (dot) {
        set_cr0(c, r);
    }
    return next(c, o);
}
template <bool left>
handler select_rldic(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? rldic_clear<true, left> : rldic_clear<false, left>;
}

template <typename T, bool immediate>
const op* compare_as(core& c, const op* o) {
    const T a = static_cast<T>(c.state.gpr[o->a]);
    const T b = immediate ? static_cast<T>(o->imm) : static_cast<T>(c.state.gpr[o->b]);
    c.state.cr.field[o->t] = ordering(c, a, b);
    return next(c, o);
}
template <typename wide, typename narrow, bool immediate>
handler select_compare(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return (word >> 21 & 1) != 0 ? compare_as<wide, immediate> : compare_as<narrow, immediate>;
}
using enum operand;
using enum facility;
using enum instruction_class;

/// Fixed-point instructions other than loads and stores: Power ISA 3.0B Book I 3.3.8 to 3.3.17.
// clang-format off
constexpr instruction rows[] = {
    // 3.3.9 Arithmetic
    {"addi",     d_form(14),        {rt, ra0, si},      plain,                fixed,      arithmetic, always<to_rt_immediate<add>>},
    {"addis",    d_form(15),        {rt, ra0, si},      plain,                fixed,      arithmetic, always<to_rt_immediate<add_shifted>>},
    {"addpcis",  dx_form(19, 2),    {rt, d_dx},         plain,                fixed,      arithmetic},
    {"add",      xo_form(31, 266),  {rt, ra, rb},       oe | rc,              fixed,      arithmetic, xo_rt<add>},
    {"subf",     xo_form(31, 40),   {rt, ra, rb},       oe | rc,              fixed,      arithmetic, xo_rt<subf>},
    {"addic",    d_form(12),        {rt, ra, si},       ca,                   fixed,      arithmetic, always<add_carrying<false, true, false, false>>},
    {"addic.",   d_form(13),        {rt, ra, si},       ca,                   fixed,      arithmetic},
    {"subfic",   d_form(8),         {rt, ra, si},       ca,                   fixed,      arithmetic, always<add_carrying<true, true, false, false>>},
    {"addc",     xo_form(31, 10),   {rt, ra, rb},       oe | rc | ca,         fixed,      arithmetic, select_carrying<false, false>},
    {"subfc",    xo_form(31, 8),    {rt, ra, rb},       oe | rc | ca,         fixed,      arithmetic, select_carrying<true, false>},
    {"adde",     xo_form(31, 138),  {rt, ra, rb},       oe | rc | ca_in | ca, fixed,      arithmetic, select_carrying<false, true>},
    {"subfe",    xo_form(31, 136),  {rt, ra, rb},       oe | rc | ca_in | ca, fixed,      arithmetic, select_carrying<true, true>},
    {"addme",    xo_form(31, 234),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic},
    {"addze",    xo_form(31, 202),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic},
    {"subfme",   xo_form(31, 232),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic},
    {"subfze",   xo_form(31, 200),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic},
    {"addex",    z23_form(31, 170), {rt, ra, rb, cy},   plain,                fixed,      arithmetic},
    {"neg",      xo_form(31, 104),  {rt, ra},           oe | rc,              fixed,      arithmetic, xo_rt<neg>},
    {"mulli",    d_form(7),         {rt, ra, si},       plain,                fixed,      arithmetic, always<to_rt_immediate<mulld>>},
    {"mullw",    xo_form(31, 235),  {rt, ra, rb},       oe | rc,              fixed,      arithmetic, xo_rt<mullw>},
    {"mulhw",    xo_form(31, 75),   {rt, ra, rb},       rc,                   fixed,      arithmetic},
    {"mulhwu",   xo_form(31, 11),   {rt, ra, rb},       rc,                   fixed,      arithmetic},
    {"divw",     xo_form(31, 491),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"divwu",    xo_form(31, 459),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"divwe",    xo_form(31, 427),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"divweu",   xo_form(31, 395),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"modsw",    x_form(31, 779),   {rt, ra, rb},       plain,                fixed,      divide},
    {"moduw",    x_form(31, 267),   {rt, ra, rb},       plain,                fixed,      divide},
    {"darn",     x_form(31, 755),   {rt, l_darn},       plain,                fixed,      arithmetic},
    {"mulld",    xo_form(31, 233),  {rt, ra, rb},       oe | rc,              fixed,      arithmetic, xo_rt<mulld>},
    {"mulhd",    xo_form(31, 73),   {rt, ra, rb},       rc,                   fixed,      arithmetic},
    {"mulhdu",   xo_form(31, 9),    {rt, ra, rb},       rc,                   fixed,      arithmetic},
    {"maddhd",   va_form(4, 48),    {rt, ra, rb, rc_gpr}, plain,              fixed,      multiply_add},
    {"maddhdu",  va_form(4, 49),    {rt, ra, rb, rc_gpr}, plain,              fixed,      multiply_add},
    {"maddld",   va_form(4, 51),    {rt, ra, rb, rc_gpr}, plain,              fixed,      multiply_add},
    {"divd",     xo_form(31, 489),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"divdu",    xo_form(31, 457),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"divde",    xo_form(31, 425),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"divdeu",   xo_form(31, 393),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"modsd",    x_form(31, 777),   {rt, ra, rb},       plain,                fixed,      divide},
    {"modud",    x_form(31, 265),   {rt, ra, rb},       plain,                fixed,      divide},

    // 3.3.10 Compare
    {"cmpi",     d_form(11),        {bf, l, ra, si},    plain,                fixed,      compare, select_compare<i64, i32, true>},
    {"cmp",      x_form(31, 0),     {bf, l, ra, rb},    plain,                fixed,      compare, select_compare<i64, i32, false>},
    {"cmpli",    d_form(10),        {bf, l, ra, ui},    plain,                fixed,      compare, select_compare<u64, u32, true>},
    {"cmpl",     x_form(31, 32),    {bf, l, ra, rb},    plain,                fixed,      compare, select_compare<u64, u32, false>},
    {"cmprb",    x_form(31, 192),   {bf, l, ra, rb},    plain,                fixed,      compare},
    {"cmpeqb",   x_form(31, 224),   {bf, ra, rb},       plain,                fixed,      compare},

    // 3.3.11 Trap
    {"twi",      d_form(3),         {to, ra, si},       plain,                fixed,      trap},
    {"tdi",      d_form(2),         {to, ra, si},       plain,                fixed,      trap},
    {"tw",       x_form(31, 4),     {to, ra, rb},       plain,                fixed,      trap},
    {"td",       x_form(31, 68),    {to, ra, rb},       plain,                fixed,      trap},

    // 3.3.12 Select
    {"isel",     a_form(31, 15),    {rt, ra0, rb, bc},  plain,                fixed,      move},

    // 3.3.13 Logical
    {"andi.",    d_form(28),        {ra, rs, ui},       plain,                fixed,      logical, always<to_ra_immediate<bit_and, true>>},
    {"andis.",   d_form(29),        {ra, rs, ui},       plain,                fixed,      logical},
    {"ori",      d_form(24),        {ra, rs, ui},       plain,                fixed,      logical, always<to_ra_immediate<bit_or>>},
    {"oris",     d_form(25),        {ra, rs, ui},       plain,                fixed,      logical, always<to_ra_immediate<or_shifted>>},
    {"xori",     d_form(26),        {ra, rs, ui},       plain,                fixed,      logical, always<to_ra_immediate<bit_xor>>},
    {"xoris",    d_form(27),        {ra, rs, ui},       plain,                fixed,      logical, always<to_ra_immediate<xor_shifted>>},
    {"and",      x_form(31, 28),    {ra, rs, rb},       rc,                   fixed,      logical, x_ra<bit_and>},
    {"xor",      x_form(31, 316),   {ra, rs, rb},       rc,                   fixed,      logical, x_ra<bit_xor>},
    {"nand",     x_form(31, 476),   {ra, rs, rb},       rc,                   fixed,      logical},
    {"or",       x_form(31, 444),   {ra, rs, rb},       rc,                   fixed,      logical, x_ra<bit_or>},
    {"orc",      x_form(31, 412),   {ra, rs, rb},       rc,                   fixed,      logical},
    {"nor",      x_form(31, 124),   {ra, rs, rb},       rc,                   fixed,      logical, x_ra<nor>},
    {"eqv",      x_form(31, 284),   {ra, rs, rb},       rc,                   fixed,      logical},
    {"andc",     x_form(31, 60),    {ra, rs, rb},       rc,                   fixed,      logical, x_ra<andc>},
    {"extsb",    x_form(31, 954),   {ra, rs},           rc,                   fixed,      logical, x_ra_one<extsb>},
    {"extsh",    x_form(31, 922),   {ra, rs},           rc,                   fixed,      logical, x_ra_one<extsh>},
    {"extsw",    x_form(31, 986),   {ra, rs},           rc,                   fixed,      logical, x_ra_one<extsw>},
    {"cntlzw",   x_form(31, 26),    {ra, rs},           rc,                   fixed,      logical, x_ra_one<cntlzw>},
    {"cnttzw",   x_form(31, 538),   {ra, rs},           rc,                   fixed,      logical},
    {"cntlzd",   x_form(31, 58),    {ra, rs},           rc,                   fixed,      logical},
    {"cnttzd",   x_form(31, 570),   {ra, rs},           rc,                   fixed,      logical},
    {"cmpb",     x_form(31, 508),   {ra, rs, rb},       plain,                fixed,      logical},
    {"popcntb",  x_form(31, 122),   {ra, rs},           plain,                fixed,      logical},
    {"popcntw",  x_form(31, 378),   {ra, rs},           plain,                fixed,      logical},
    {"popcntd",  x_form(31, 506),   {ra, rs},           plain,                fixed,      logical},
    {"prtyw",    x_form(31, 154),   {ra, rs},           plain,                fixed,      logical},
    {"prtyd",    x_form(31, 186),   {ra, rs},           plain,                fixed,      logical},
    {"bpermd",   x_form(31, 252),   {ra, rs, rb},       plain,                fixed,      logical},

    // 3.3.14 Rotate and shift
    {"rlwinm",   m_form(21),        {ra, rs, sh, mb, me}, rc,                 fixed,      shift, select_rlwinm},
    {"rlwnm",    m_form(23),        {ra, rs, rb, mb, me}, rc,                 fixed,      shift},
    {"rlwimi",   m_form(20),        {ra, rs, sh, mb, me}, rc,                 fixed,      shift},
    {"rldicl",   md_form(30, 0),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift, select_rldic<true>},
    {"rldicr",   md_form(30, 1),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift, select_rldic<false>},
    {"rldic",    md_form(30, 2),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift},
    {"rldcl",    mds_form(30, 8),   {ra, rs, rb, mb6},  rc,                   fixed,      shift},
    {"rldcr",    mds_form(30, 9),   {ra, rs, rb, mb6},  rc,                   fixed,      shift},
    {"rldimi",   md_form(30, 3),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift},
    {"slw",      x_form(31, 24),    {ra, rs, rb},       rc,                   fixed,      shift, x_ra<slw>},
    {"srw",      x_form(31, 536),   {ra, rs, rb},       rc,                   fixed,      shift, x_ra<srw>},
    {"srawi",    x_form(31, 824),   {ra, rs, sh},       rc | ca,              fixed,      shift},
    {"sraw",     x_form(31, 792),   {ra, rs, rb},       rc | ca,              fixed,      shift},
    {"sld",      x_form(31, 27),    {ra, rs, rb},       rc,                   fixed,      shift, x_ra<sld>},
    {"srd",      x_form(31, 539),   {ra, rs, rb},       rc,                   fixed,      shift, x_ra<srd>},
    {"sradi",    xs_form(31, 413),  {ra, rs, sh6},      rc | ca,              fixed,      shift},
    {"srad",     x_form(31, 794),   {ra, rs, rb},       rc | ca,              fixed,      shift},
    {"extswsli", xs_form(31, 445),  {ra, rs, sh6},      rc,                   fixed,      shift},

    // 3.3.15 Binary coded decimal assist
    {"cdtbcd",   x_form(31, 282),   {ra, rs},           plain,                fixed,      decimal},
    {"cbcdtd",   x_form(31, 314),   {ra, rs},           plain,                fixed,      decimal},
    {"addg6s",   xo_form(31, 74),   {rt, ra, rb},       plain,                fixed,      decimal},

    // 3.3.16 Move to and from vector-scalar registers
    {"mfvsrd",   xx1_form(31, 51),  {ra, xs},           plain,                fp_or_vmx,  move},
    {"mfvsrwz",  xx1_form(31, 115), {ra, xs},           plain,                fp_or_vmx,  move},
    {"mfvsrld",  xx1_form(31, 307), {ra, xs},           plain,                vsx_or_vmx, move},
    {"mtvsrd",   xx1_form(31, 179), {xt, ra},           plain,                fp_or_vmx,  move},
    {"mtvsrwa",  xx1_form(31, 211), {xt, ra},           plain,                fp_or_vmx,  move},
    {"mtvsrwz",  xx1_form(31, 243), {xt, ra},           plain,                fp_or_vmx,  move},
    {"mtvsrdd",  xx1_form(31, 435), {xt, ra0, rb},      plain,                vsx_or_vmx, move},
    {"mtvsrws",  xx1_form(31, 403), {xt, ra},           plain,                vsx_or_vmx, move},

    // 3.3.17 Move to and from system registers
    {"mtspr",    xfx_form(31, 467), {spr, rs},          plain,                fixed,      status, select_mtspr},
    {"mfspr",    xfx_form(31, 339), {rt, spr},          plain,                fixed,      status, select_mfspr},
    {"mcrxrx",   x_form(31, 576),   {bf},               plain,                fixed,      status},
    {"mtocrf",   xfx_form(31, 144).with(bit(11), 1), {fxm_one, rs}, plain,    fixed,      status},
    {"mtcrf",    xfx_form(31, 144).with(bit(11), 0), {fxm, rs}, plain,        fixed,      status},
    {"mfocrf",   xfx_form(31, 19).with(bit(11), 1), {rt, fxm_one}, plain,     fixed,      status},
    {"mfcr",     xfx_form(31, 19).with(bit(11), 0), {rt}, plain,              fixed,      status},
    {"setb",     x_form(31, 128),   {rt, bfa},          plain,                fixed,      status},
};
// clang-format on

}  // namespace

std::span<const instruction> fixed_point_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
