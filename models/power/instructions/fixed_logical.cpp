// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>

#include "power/engine/core.h"
#include "power/instructions/fixed_result.h"
#include "power/instructions/fixed_shape.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/special_registers.h"

namespace pefsim::power::isa {
namespace {

// --- 3.3.13 Logical

u64 bit_and(u64 a, u64 b) { return a & b; }
u64 bit_or(u64 a, u64 b) { return a | b; }
u64 bit_xor(u64 a, u64 b) { return a ^ b; }
u64 nand(u64 a, u64 b) { return ~(a & b); }
u64 nor(u64 a, u64 b) { return ~(a | b); }
u64 eqv(u64 a, u64 b) { return ~(a ^ b); }
u64 andc(u64 a, u64 b) { return a & ~b; }
u64 orc(u64 a, u64 b) { return a | ~b; }

u64 extsb(u64 a) { return extended(static_cast<std::int8_t>(a)); }
u64 extsh(u64 a) { return extended(static_cast<std::int16_t>(a)); }
u64 extsw(u64 a) { return extended(static_cast<i32>(a)); }

template <typename T>
u64 leading_zeros(u64 a) {
    return static_cast<u64>(std::countl_zero(static_cast<T>(a)));
}
template <typename T>
u64 trailing_zeros(u64 a) {
    return static_cast<u64>(std::countr_zero(static_cast<T>(a)));
}

const op* nop(core& c, const op* o) { return next(c, o); }
u64 same(u64 a) { return a; }

/// The immediate forms of and, or, xor; the shifted ones differ in the immediate only. `ori 0,0,0` is the preferred
/// no-op.
template <auto f, bool shifted, bool dot = false>
handler select_immediate(std::uint32_t /*word*/, unsigned /*index*/, op& decoded) {
    if (shifted) {
        decoded.imm = static_cast<i32>(static_cast<u32>(decoded.imm) << 16);
    }
    if (!dot && decoded.imm == 0 && decoded.a == decoded.t) {
        return nop;
    }
    return to_ra_immediate<f, dot>;
}

/// `or Rx,Rx,Rx` of some registers asks for a priority of the thread (Book II 3.2): op::imm, 0 for none.
constexpr unsigned priority_of(unsigned rx) {
    constexpr std::array<std::uint8_t, 32> priorities = [] {
        std::array<std::uint8_t, 32> by_register{};
        by_register[31] = 1;  // very low
        by_register[1] = 2;   // low
        by_register[6] = 3;   // medium low
        by_register[2] = 4;   // medium
        by_register[5] = 5;   // medium high
        by_register[3] = 6;   // high
        by_register[7] = 7;   // very high
        return by_register;
    }();
    return priorities[rx];
}
const op* set_priority(core& c, const op* o) {
    set_program_priority(c.state, static_cast<unsigned>(o->imm));
    return next(c, o);
}
handler select_or(std::uint32_t word, unsigned index, op& decoded) {
    if (has_dot(word) || decoded.t != decoded.b) {
        return rc_ra<bit_or>(word, index, decoded);
    }
    if (decoded.a != decoded.t) {
        return to_ra_from_one<same>;  // mr
    }
    decoded.imm = static_cast<i32>(priority_of(decoded.a));
    return decoded.imm != 0 ? set_priority : nop;
}

constexpr u64 low_bits_of_bytes = 0x0101'0101'0101'0101;

/// Each byte of RA <- the bytes of RS and RB there are equal ? 0xff : 0
u64 cmpb(u64 a, u64 b) {
    constexpr u64 high_bits = low_bits_of_bytes << 7;
    const u64 differing = a ^ b;
    const u64 not_zero = ((differing & ~high_bits) + ~high_bits) |
                         differing;  // in the high bits of its bytes
    return (~not_zero >> 7 & low_bits_of_bytes) * 0xff;
}

/// The number of ones in each byte, word, or in all.
u64 popcntb(u64 a) {
    a -= a >> 1 & 0x5555'5555'5555'5555;
    a = (a & 0x3333'3333'3333'3333) + (a >> 2 & 0x3333'3333'3333'3333);
    return (a + (a >> 4)) & 0x0f0f'0f0f'0f0f'0f0f;
}
u64 popcntw(u64 a) {
    return static_cast<u64>(std::popcount(a >> 32)) << 32 | static_cast<u64>(std::popcount(a << 32));
}
u64 popcntd(u64 a) { return static_cast<u64>(std::popcount(a)); }

/// The parity of the low bits of the bytes of each word, or of all.
u64 prtyw(u64 a) { return popcntw(a & low_bits_of_bytes) & 0x0000'0001'0000'0001; }
u64 prtyd(u64 a) { return popcntd(a & low_bits_of_bytes) & 1; }

/// Bit 56+i of RA <- the bit of RB that byte i of RS names; 0 when it names none.
u64 bpermd(u64 indices, u64 bits_of) {
    u64 permuted = 0;
    for (unsigned i = 0; i < 8; ++i) {
        const u64 index = indices >> (56 - 8 * i) & 0xff;
        const u64 bit_there = index < 64 ? bits_of >> (63 - index) & 1 : 0;
        permuted = permuted << 1 | bit_there;
    }
    return permuted;
}

// --- 3.3.15 Binary coded decimal assist. A declet, 10 bits p..y, holds three digits abcd efgh ijkm (Book I appendix
// B).

u64 dpd_to_bcd(u64 declet) {
    const auto bit_of = [declet](unsigned n) { return (declet >> (9 - n) & 1) != 0; };
    const bool p = bit_of(0), q = bit_of(1), r = bit_of(2), s = bit_of(3), t = bit_of(4);
    const bool u = bit_of(5), v = bit_of(6), w = bit_of(7), x = bit_of(8), y = bit_of(9);
    const bool a = (!s && v && w) || (t && v && w && s) || (v && w && !x);
    const bool b = (p && s && x && !t) || (p && !w) || (p && !v);
    const bool c = (q && s && x && !t) || (q && !w) || (q && !v);
    const bool e = (v && !w && x) || (s && v && w && x) || (!t && v && x && w);
    const bool f = (p && t && v && w && x && !s) || (s && !x && v) || (s && !v);
    const bool g = (q && t && w && v && x && !s) || (t && !x && v) || (t && !v);
    const bool i = (t && v && w && x) || (s && v && w && x) || (v && !x && !w);
    const bool j = (p && !s && !t && w && v) || (s && v && !w && x) || (p && w && !x && v) || (w && !v);
    const bool k = (q && !s && !t && v && w) || (t && v && !w && x) || (q && v && w && !x) || (x && !v);
    u64 digits = 0;
    for (const bool each : {a, b, c, r, e, f, g, u, i, j, k, y}) {
        digits = digits << 1 | u64{each};
    }
    return digits;
}
u64 bcd_to_dpd(u64 digits) {
    const auto bit_of = [digits](unsigned n) { return (digits >> (11 - n) & 1) != 0; };
    const bool a = bit_of(0), b = bit_of(1), c = bit_of(2), d = bit_of(3), e = bit_of(4), f = bit_of(5);
    const bool g = bit_of(6), h = bit_of(7), i = bit_of(8), j = bit_of(9), k = bit_of(10), m = bit_of(11);
    const bool p = (f && a && i && !e) || (j && a && !i) || (b && !a);
    const bool q = (g && a && i && !e) || (k && a && !i) || (c && !a);
    const bool s = (j && !a && e && !i) || (f && !i && !e) || (f && !a && !e) || (e && i);
    const bool t = (k && !a && e && !i) || (g && !i && !e) || (g && !a && !e) || (a && i);
    const bool v = a || e || i;
    const bool w = (!e && j && !i) || (e && i) || a;
    const bool x = (!a && k && !i) || (a && i) || e;
    u64 declet = 0;
    for (const bool each : {p, q, d, s, t, h, v, w, x, m}) {
        declet = declet << 1 | u64{each};
    }
    return declet;
}

/// Both words: two declets of 10 bits at the right, or two groups of 12.
u64 cdtbcd(u64 a) {
    u64 result = 0;
    for (const unsigned word : {0U, 32U}) {
        result |= dpd_to_bcd(a >> word & 0x3ff) << word | dpd_to_bcd(a >> (word + 10) & 0x3ff) << (word + 12);
    }
    return result;
}
u64 cbcdtd(u64 a) {
    u64 result = 0;
    for (const unsigned word : {0U, 32U}) {
        result |= bcd_to_dpd(a >> word & 0xfff) << word | bcd_to_dpd(a >> (word + 12) & 0xfff) << (word + 10);
    }
    return result;
}
/// A six for every digit whose sum makes no carry.
u64 addg6s(u64 a, u64 b) {
    const u64 out = carries(a, b, a + b);
    return (~out >> 3 & 0x1111'1111'1111'1111) * 6;
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Logical instructions and those that assist decimal arithmetic: Power ISA 3.0B Book I 3.3.13 and 3.3.15.
// clang-format off
constexpr instruction_row rows[] = {
    // 3.3.13 Logical
    {"andi.",    d_form(28),        {ra, rs, ui},       plain,                fixed,      logical, select_immediate<bit_and, false, true>},
    {"andis.",   d_form(29),        {ra, rs, ui},       plain,                fixed,      logical, select_immediate<bit_and, true, true>},
    {"ori",      d_form(24),        {ra, rs, ui},       plain,                fixed,      logical, select_immediate<bit_or, false>},
    {"oris",     d_form(25),        {ra, rs, ui},       plain,                fixed,      logical, select_immediate<bit_or, true>},
    {"xori",     d_form(26),        {ra, rs, ui},       plain,                fixed,      logical, select_immediate<bit_xor, false>},
    {"xoris",    d_form(27),        {ra, rs, ui},       plain,                fixed,      logical, select_immediate<bit_xor, true>},
    {"and",      x_form(31, 28),    {ra, rs, rb},       rc,                   fixed,      logical, rc_ra<bit_and>},
    {"xor",      x_form(31, 316),   {ra, rs, rb},       rc,                   fixed,      logical, rc_ra<bit_xor>},
    {"nand",     x_form(31, 476),   {ra, rs, rb},       rc,                   fixed,      logical, rc_ra<nand>},
    {"or",       x_form(31, 444),   {ra, rs, rb},       rc,                   fixed,      logical, select_or},
    {"orc",      x_form(31, 412),   {ra, rs, rb},       rc,                   fixed,      logical, rc_ra<orc>},
    {"nor",      x_form(31, 124),   {ra, rs, rb},       rc,                   fixed,      logical, rc_ra<nor>},
    {"eqv",      x_form(31, 284),   {ra, rs, rb},       rc,                   fixed,      logical, rc_ra<eqv>},
    {"andc",     x_form(31, 60),    {ra, rs, rb},       rc,                   fixed,      logical, rc_ra<andc>},
    {"extsb",    x_form(31, 954),   {ra, rs},           rc,                   fixed,      logical, rc_ra_from_one<extsb>},
    {"extsh",    x_form(31, 922),   {ra, rs},           rc,                   fixed,      logical, rc_ra_from_one<extsh>},
    {"extsw",    x_form(31, 986),   {ra, rs},           rc,                   fixed,      logical, rc_ra_from_one<extsw>},
    {"cntlzw",   x_form(31, 26),    {ra, rs},           rc,                   fixed,      logical, rc_ra_from_one<leading_zeros<u32>>},
    {"cnttzw",   x_form(31, 538),   {ra, rs},           rc,                   fixed,      logical, rc_ra_from_one<trailing_zeros<u32>>},
    {"cntlzd",   x_form(31, 58),    {ra, rs},           rc,                   fixed,      logical, rc_ra_from_one<leading_zeros<u64>>},
    {"cnttzd",   x_form(31, 570),   {ra, rs},           rc,                   fixed,      logical, rc_ra_from_one<trailing_zeros<u64>>},
    {"cmpb",     x_form(31, 508),   {ra, rs, rb},       plain,                fixed,      logical, always<to_ra<cmpb>>},
    {"popcntb",  x_form(31, 122),   {ra, rs},           plain,                fixed,      logical, always<to_ra_from_one<popcntb>>},
    {"popcntw",  x_form(31, 378),   {ra, rs},           plain,                fixed,      logical, always<to_ra_from_one<popcntw>>},
    {"popcntd",  x_form(31, 506),   {ra, rs},           plain,                fixed,      logical, always<to_ra_from_one<popcntd>>},
    {"prtyw",    x_form(31, 154),   {ra, rs},           plain,                fixed,      logical, always<to_ra_from_one<prtyw>>},
    {"prtyd",    x_form(31, 186),   {ra, rs},           plain,                fixed,      logical, always<to_ra_from_one<prtyd>>},
    {"bpermd",   x_form(31, 252),   {ra, rs, rb},       plain,                fixed,      logical, always<to_ra<bpermd>>},

    // 3.3.15 Binary coded decimal assist
    {"cdtbcd",   x_form(31, 282),   {ra, rs},           plain,                fixed,      decimal, always<to_ra_from_one<cdtbcd>>},
    {"cbcdtd",   x_form(31, 314),   {ra, rs},           plain,                fixed,      decimal, always<to_ra_from_one<cbcdtd>>},
    {"addg6s",   xo_form(31, 74),   {rt, ra, rb},       plain,                fixed,      decimal, always<to_rt<addg6s>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> fixed_logical_rows() { return rows; }

}  // namespace pefsim::power::isa
