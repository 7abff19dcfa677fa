// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/scalar_arithmetic.h"
#include "power/instructions/scalar_compare.h"
#include "power/instructions/scalar_convert.h"
#include "power/instructions/single_format.h"

namespace pefsim::power::isa {
namespace {

constexpr u64 sign_bit = u64{1} << 63;

// --- 4.6.6 Arithmetic, 4.6.7 Rounding and conversion

template <typename operation, bool single = false, bool negates = false>
handler select_arithmetic(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? fastest<operation, scalar_form{facility::fp, single, negates, true}>()
                           : fastest<operation, scalar_form{facility::fp, single, negates, false}>();
}
template <bool single = false>
handler select_multiply(u32 word, unsigned index, op& decoded) {
    decoded.b = decoded.c;  // fmul names FRA and FRC
    return select_arithmetic<floating::multiply, single>(word, index, decoded);
}
template <bool single = false>
handler select_root_estimate(u32 word, unsigned /*index*/, op& /*decoded*/) {
    using operation = floating::reciprocal_square_root;
    return (word & 1) != 0 ? compute_exactly<operation, scalar_form{facility::fp, single, false, true}>
                           : compute_exactly<operation, scalar_form{facility::fp, single, false, false}>;
}
template <integer target, rounds how = rounds::as_fpscr>
handler select_to_integer(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? guarded<facility::fp, to_integer<target, how, leaves::as_fp, true>>
                           : guarded<facility::fp, to_integer<target, how, leaves::as_fp>>;
}
template <bool is_signed, bool single = false>
handler select_from_integer(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? guarded<facility::fp, from_integer<is_signed, single, true>>
                           : guarded<facility::fp, from_integer<is_signed, single>>;
}
template <rounds how>
handler select_to_integral(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? guarded<facility::fp, to_integral<how, true>>
                           : guarded<facility::fp, to_integral<how>>;
}

// --- 4.6.2 Load, 4.6.3 Store

enum class ea : std::uint8_t { displaced, indexed };

template <ea how>
[[gnu::always_inline]] inline u64 address(const core& c, const op* o) {
    const u64 base = c.state.gpr[o->a];
    return how == ea::displaced ? base + static_cast<u64>(std::int64_t{o->imm}) : base + c.state.gpr[o->b];
}

constexpr u64 as_it_is(u64 value) { return value; }
constexpr u64 zero_extended(u32 word) { return word; }
constexpr u64 sign_extended(u32 word) {
    return static_cast<u64>(std::int64_t{static_cast<std::int32_t>(word)});
}
constexpr u32 low_word(u64 value) { return static_cast<u32>(value); }

/// FRT <- convert(MEM(EA)), which T holds. With update RA <- EA.
template <typename T, auto convert, ea how, bool updates = false>
const op* load_fpr(core& c, const op* o) {
    const u64 at = address<how>(c, o);
    T value;
    if (!c.load(o, at, value)) [[unlikely]] {
        return c.interrupted();
    }
    set_scalar(c, o->t, convert(value));
    if constexpr (updates) {
        c.state.gpr[o->a] = at;
    }
    return next(c, o);
}
template <typename T, auto convert, ea how, bool updates = false>
const op* store_fpr(core& c, const op* o) {
    const u64 at = address<how>(c, o);
    if (!c.store<T>(o, at, convert(scalar(c, o->t)))) [[unlikely]] {
        return c.interrupted();
    }
    if constexpr (updates) {
        c.state.gpr[o->a] = at;
    }
    return next(c, o);
}
template <ea how, bool updates = false>
constexpr selector lfs = when_available<facility::fp, load_fpr<u32, double_of_single, how, updates>>;
template <ea how, bool updates = false>
constexpr selector lfd = when_available<facility::fp, load_fpr<u64, as_it_is, how, updates>>;
template <ea how, bool updates = false>
constexpr selector stfs = when_available<facility::fp, store_fpr<u32, single_of_double, how, updates>>;
template <ea how, bool updates = false>
constexpr selector stfd = when_available<facility::fp, store_fpr<u64, as_it_is, how, updates>>;

// --- 4.6.4 Double pairs [phased out]: the doubleword at EA belongs to the even register, in either byte order. A
// POWER9 has them (Linux's alignment_handler test executes them on it), though binutils gives them to POWER6 only.

template <ea how>
const op* lfdp(core& c, const op* o) {
    const u64 at = address<how>(c, o);
    u64 first;
    u64 second;
    if (!c.load(o, at, first) || !c.load(o, at + 8, second)) [[unlikely]] {
        return c.interrupted();
    }
    set_scalar(c, o->t, first);
    set_scalar(c, static_cast<std::uint8_t>(o->t + 1), second);
    return next(c, o);
}
template <ea how>
const op* stfdp(core& c, const op* o) {
    const u64 at = address<how>(c, o);
    if (!c.store(o, at, scalar(c, o->t)) ||
        !c.store(o, at + 8, scalar(c, static_cast<std::uint8_t>(o->t + 1)))) [[unlikely]] {
        return c.interrupted();
    }
    return next(c, o);
}

// --- 4.6.5 Move, 4.6.9 Select

/// FRT <- f(FRA, FRB, FRC), bits for bits.
template <auto f, bool dot>
const op* move_fpr(core& c, const op* o) {
    set_scalar(c, o->t, f(scalar(c, o->a), scalar(c, o->b), scalar(c, o->c)));
    if constexpr (dot) {
        set_cr1(c);
    }
    return next(c, o);
}
template <auto f>
handler select_move(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? guarded<facility::fp, move_fpr<f, true>>
                           : guarded<facility::fp, move_fpr<f, false>>;
}
constexpr u64 fmr(u64, u64 b, u64) { return b; }
constexpr u64 fabs(u64, u64 b, u64) { return b & ~sign_bit; }
constexpr u64 fnabs(u64, u64 b, u64) { return b | sign_bit; }
constexpr u64 fneg(u64, u64 b, u64) { return b ^ sign_bit; }
constexpr u64 fcpsgn(u64 a, u64 b, u64) { return (a & sign_bit) | (b & ~sign_bit); }
constexpr u64 fmrgew(u64 a, u64 b, u64) { return (a >> 32 << 32) | b >> 32; }
constexpr u64 fmrgow(u64 a, u64 b, u64) { return a << 32 | low_word(b); }
constexpr u64 fsel(u64 a, u64 b, u64 c) { return std::bit_cast<double>(a) >= 0 ? c : b; }

// --- 4.6.10 Status and control register

/// What an instruction can write: reserved bits stay zero, FEX and VX follow from the rest.
constexpr u64 writable = (u64{0x7'ffff'ffff} & ~u64{fpscr::reserved | fpscr::fex | fpscr::vx});
constexpr u64 drn = u64{7} << (63 - 31);
constexpr u64 control = drn | fpscr::enables | fpscr::ni | fpscr::rn;
constexpr u64 status_of_last = fpscr::fr | fpscr::fi | fpscr::fprf;
constexpr u64 everything = ~u64{0};

/// Replaces the bits of `mask`; ends as an instruction does that may have let an exception and its enable meet.
template <bool dot>
const op* write_status(core& c, const op* o, u64 mask, u64 value) {
    c.state.fpscr = summarised((c.state.fpscr & ~mask) | (value & mask & writable));
    return finish<dot>(c, o, static_cast<u32>(c.state.fpscr));
}

/// FRT <- FPSCR & visible, and then FPSCR[cleared] <- 0.
template <u64 visible, u64 cleared, bool dot>
const op* read_status(core& c, const op* o) {
    const u64 before = c.state.fpscr;
    if constexpr (cleared != 0) {
        c.state.fpscr = summarised(before & ~cleared);
    }
    set_scalar(c, o->t, before & visible);
    if constexpr (dot) {
        set_cr1(c);
    }
    return next(c, o);
}
template <u64 visible, u64 cleared = 0>
handler select_read_status(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? guarded<facility::fp, read_status<visible, cleared, true>>
                           : guarded<facility::fp, read_status<visible, cleared, false>>;
}
/// FRT <- the control bits; those of `replaced` come from FRB, or from the word when it has them.
template <u64 replaced, bool immediate>
const op* exchange_control(core& c, const op* o) {
    const u64 value = immediate ? static_cast<u64>(static_cast<u32>(o->imm)) << (replaced == drn ? 32 : 0)
                                : scalar(c, o->b);
    set_scalar(c, o->t, c.state.fpscr & control);
    c.state.fpscr = (c.state.fpscr & ~replaced) | (value & replaced);
    return next(c, o);
}
template <u64 replaced, bool immediate = false>
handler select_exchange(u32 word, unsigned /*index*/, op& decoded) {
    decoded.imm = static_cast<std::int32_t>(word >> 11 & (replaced == drn ? 7 : 3));
    return guarded<facility::fp, exchange_control<replaced, immediate>>;
}

/// The field BFA goes to CR[BF]; the exceptions in it are cleared.
const op* mcrfs(core& c, const op* o) {
    const unsigned shift = 28 - 4U * o->a;
    c.state.cr.field[o->t] = c.state.fpscr >> shift & 0xf;
    const u64 copied = (u64{0xf} << shift) & (fpscr::exceptions | fpscr::fx);
    c.state.fpscr = summarised(c.state.fpscr & ~copied);
    return next(c, o);
}

/// The field BF of the half that W names <- U. o->c: how far it stands from the right, in nibbles; o->b: U.
template <bool dot>
const op* mtfsfi(core& c, const op* o) {
    return write_status<dot>(c, o, u64{0xf} << 4 * o->c, u64{o->b} << 4 * o->c);
}
handler select_mtfsfi(u32 word, unsigned /*index*/, op& decoded) {
    const u32 w = word >> 16 & 1;
    decoded.b = word >> 12 & 0xf;
    decoded.c = static_cast<std::uint8_t>(7 - decoded.t + 8 * w);
    return (word & 1) != 0 ? guarded<facility::fp, mtfsfi<true>> : guarded<facility::fp, mtfsfi<false>>;
}

/// The fields of `mask` <- FRB. o->imm: a nibble of ones for each bit of FLM.
template <bool upper, bool dot>
const op* mtfsf(core& c, const op* o) {
    const u64 mask = static_cast<u32>(o->imm);
    return write_status<dot>(c, o, upper ? mask << 32 : mask, scalar(c, o->b));
}
template <bool dot>
const op* mtfsf_all(core& c, const op* o) {
    return write_status<dot>(c, o, everything, scalar(c, o->b));
}
template <bool dot>
handler mtfsf_variant(u32 word) {
    if ((word >> 25 & 1) != 0) {  // L
        return guarded<facility::fp, mtfsf_all<dot>>;
    }
    return (word >> 16 & 1) != 0 ? guarded<facility::fp, mtfsf<true, dot>>
                                 : guarded<facility::fp, mtfsf<false, dot>>;
}
handler select_mtfsf(u32 word, unsigned /*index*/, op& decoded) {
    u32 mask = 0;
    for (unsigned i = 0; i < 8; ++i) {
        mask |= (word >> (17 + i) & 1) != 0 ? 0xfU << 4 * i : 0;
    }
    decoded.imm = static_cast<std::int32_t>(mask);
    return (word & 1) != 0 ? mtfsf_variant<true>(word) : mtfsf_variant<false>(word);
}

template <bool dot>
const op* mtfsb0(core& c, const op* o) {
    return write_status<dot>(c, o, sign_bit >> (32 + o->t), 0);
}
/// An exception that is new sets FX too.
template <bool dot>
const op* mtfsb1(core& c, const op* o) {
    const u64 bit = (sign_bit >> (32 + o->t)) & writable;
    c.state.fpscr = with_exceptions(c.state.fpscr, static_cast<u32>(bit));
    return write_status<dot>(c, o, bit, bit);
}
template <handler plain_form, handler dot_form>
handler select_dot(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word & 1) != 0 ? guarded<facility::fp, dot_form> : guarded<facility::fp, plain_form>;
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Floating-point facility: Power ISA 3.0B Book I chapter 4.
// clang-format off
constexpr instruction_row rows[] = {
    // 4.6.2 Load
    {"lfs",       d_form(48),            {frt, disp, ra0},     plain,  fp, load, lfs<ea::displaced>},
    {"lfsx",      x_form(31, 535),       {frt, ra0, rb},       plain,  fp, load, lfs<ea::indexed>},
    {"lfsu",      d_form(49),            {frt, disp, ra_stored}, update, fp, load, lfs<ea::displaced, true>},
    {"lfsux",     x_form(31, 567),       {frt, ra_stored, rb}, update, fp, load, lfs<ea::indexed, true>},
    {"lfd",       d_form(50),            {frt, disp, ra0},     plain,  fp, load, lfd<ea::displaced>},
    {"lfdx",      x_form(31, 599),       {frt, ra0, rb},       plain,  fp, load, lfd<ea::indexed>},
    {"lfdu",      d_form(51),            {frt, disp, ra_stored}, update, fp, load, lfd<ea::displaced, true>},
    {"lfdux",     x_form(31, 631),       {frt, ra_stored, rb}, update, fp, load, lfd<ea::indexed, true>},
    {"lfiwax",    x_form(31, 855),       {frt, ra0, rb},       plain,  fp, load, when_available<fp, load_fpr<u32, sign_extended, ea::indexed>>},
    {"lfiwzx",    x_form(31, 887),       {frt, ra0, rb},       plain,  fp, load, when_available<fp, load_fpr<u32, zero_extended, ea::indexed>>},

    // 4.6.3 Store
    {"stfs",      d_form(52),            {frs, disp, ra0},     plain,  fp, store, stfs<ea::displaced>},
    {"stfsx",     x_form(31, 663),       {frs, ra0, rb},       plain,  fp, store, stfs<ea::indexed>},
    {"stfsu",     d_form(53),            {frs, disp, ra_stored}, update, fp, store, stfs<ea::displaced, true>},
    {"stfsux",    x_form(31, 695),       {frs, ra_stored, rb}, update, fp, store, stfs<ea::indexed, true>},
    {"stfd",      d_form(54),            {frs, disp, ra0},     plain,  fp, store, stfd<ea::displaced>},
    {"stfdx",     x_form(31, 727),       {frs, ra0, rb},       plain,  fp, store, stfd<ea::indexed>},
    {"stfdu",     d_form(55),            {frs, disp, ra_stored}, update, fp, store, stfd<ea::displaced, true>},
    {"stfdux",    x_form(31, 759),       {frs, ra_stored, rb}, update, fp, store, stfd<ea::indexed, true>},
    {"stfiwx",    x_form(31, 983),       {frs, ra0, rb},       plain,  fp, store, when_available<fp, store_fpr<u32, low_word, ea::indexed>>},

    // 4.6.4 Load and store double pair [phased out]
    {"lfdp",      ds_form(57, 0),        {frt_pair, disp_ds, ra0}, plain, fp, load, when_available<fp, lfdp<ea::displaced>>},
    {"lfdpx",     x_form(31, 791),       {frt_pair, ra0, rb},  plain,  fp, load, when_available<fp, lfdp<ea::indexed>>},
    {"stfdp",     ds_form(61, 0),        {frs_pair, disp_ds, ra0}, plain, fp, store, when_available<fp, stfdp<ea::displaced>>},
    {"stfdpx",    x_form(31, 919),       {frs_pair, ra0, rb},  plain,  fp, store, when_available<fp, stfdp<ea::indexed>>},

    // 4.6.5 Move
    {"fmr",       x_form(63, 72),        {frt, frb},           rc,     fp, move, select_move<fmr>},
    {"fabs",      x_form(63, 264),       {frt, frb},           rc,     fp, move, select_move<fabs>},
    {"fnabs",     x_form(63, 136),       {frt, frb},           rc,     fp, move, select_move<fnabs>},
    {"fneg",      x_form(63, 40),        {frt, frb},           rc,     fp, move, select_move<fneg>},
    {"fcpsgn",    x_form(63, 8),         {frt, fra, frb},      rc,     fp, move, select_move<fcpsgn>},
    {"fmrgew",    x_form(63, 966),       {frt, fra, frb},      plain,  fp, permute, when_available<fp, move_fpr<fmrgew, false>>},
    {"fmrgow",    x_form(63, 838),       {frt, fra, frb},      plain,  fp, permute, when_available<fp, move_fpr<fmrgow, false>>},

    // 4.6.6 Arithmetic
    {"fadd",      a_form(63, 21),        {frt, fra, frb},      rc,     fp, arithmetic, select_arithmetic<floating::add>},
    {"fadds",     a_form(59, 21),        {frt, fra, frb},      rc,     fp, arithmetic, select_arithmetic<floating::add, true>},
    {"fsub",      a_form(63, 20),        {frt, fra, frb},      rc,     fp, arithmetic, select_arithmetic<floating::subtract>},
    {"fsubs",     a_form(59, 20),        {frt, fra, frb},      rc,     fp, arithmetic, select_arithmetic<floating::subtract, true>},
    {"fmul",      a_form(63, 25),        {frt, fra, frc},      rc,     fp, arithmetic, select_multiply<>},
    {"fmuls",     a_form(59, 25),        {frt, fra, frc},      rc,     fp, arithmetic, select_multiply<true>},
    {"fdiv",      a_form(63, 18),        {frt, fra, frb},      rc,     fp, divide, select_arithmetic<floating::divide>},
    {"fdivs",     a_form(59, 18),        {frt, fra, frb},      rc,     fp, divide, select_arithmetic<floating::divide, true>},
    {"fsqrt",     a_form(63, 22),        {frt, frb},           rc,     fp, divide, select_arithmetic<floating::square_root>},
    {"fsqrts",    a_form(59, 22),        {frt, frb},           rc,     fp, divide, select_arithmetic<floating::square_root, true>},
    {"fre",       a_form(63, 24),        {frt, frb},           rc,     fp, estimate, select_arithmetic<floating::reciprocal>},
    {"fres",      a_form(59, 24),        {frt, frb},           rc,     fp, estimate, select_arithmetic<floating::reciprocal, true>},
    {"frsqrte",   a_form(63, 26),        {frt, frb},           rc,     fp, estimate, select_root_estimate<>},
    {"frsqrtes",  a_form(59, 26),        {frt, frb},           rc,     fp, estimate, select_root_estimate<true>},
    {"ftdiv",     x_form(63, 128),       {bf, fra, frb},       plain,  fp, compare, when_available<fp, test_scalar_divide>},
    {"ftsqrt",    x_form(63, 160),       {bf, frb},            plain,  fp, compare, when_available<fp, test_scalar_square_root>},
    {"fmadd",     a_form(63, 29),        {frt, fra, frc, frb}, rc,     fp, multiply_add, select_arithmetic<floating::multiply_add>},
    {"fmadds",    a_form(59, 29),        {frt, fra, frc, frb}, rc,     fp, multiply_add, select_arithmetic<floating::multiply_add, true>},
    {"fmsub",     a_form(63, 28),        {frt, fra, frc, frb}, rc,     fp, multiply_add, select_arithmetic<floating::multiply_subtract>},
    {"fmsubs",    a_form(59, 28),        {frt, fra, frc, frb}, rc,     fp, multiply_add, select_arithmetic<floating::multiply_subtract, true>},
    {"fnmadd",    a_form(63, 31),        {frt, fra, frc, frb}, rc,     fp, multiply_add, select_arithmetic<floating::multiply_add, false, true>},
    {"fnmadds",   a_form(59, 31),        {frt, fra, frc, frb}, rc,     fp, multiply_add, select_arithmetic<floating::multiply_add, true, true>},
    {"fnmsub",    a_form(63, 30),        {frt, fra, frc, frb}, rc,     fp, multiply_add, select_arithmetic<floating::multiply_subtract, false, true>},
    {"fnmsubs",   a_form(59, 30),        {frt, fra, frc, frb}, rc,     fp, multiply_add, select_arithmetic<floating::multiply_subtract, true, true>},

    // 4.6.7 Rounding and conversion
    {"frsp",      x_form(63, 12),        {frt, frb},           rc,     fp, convert, select_arithmetic<floating::identity, true>},
    {"fctid",     x_form(63, 814),       {frt, frb},           rc,     fp, convert, select_to_integer<integer{64, true}>},
    {"fctidz",    x_form(63, 815),       {frt, frb},           rc,     fp, convert, select_to_integer<integer{64, true}, rounds::toward_zero>},
    {"fctidu",    x_form(63, 942),       {frt, frb},           rc,     fp, convert, select_to_integer<integer{64, false}>},
    {"fctiduz",   x_form(63, 943),       {frt, frb},           rc,     fp, convert, select_to_integer<integer{64, false}, rounds::toward_zero>},
    {"fctiw",     x_form(63, 14),        {frt, frb},           rc,     fp, convert, select_to_integer<integer{32, true}>},
    {"fctiwz",    x_form(63, 15),        {frt, frb},           rc,     fp, convert, select_to_integer<integer{32, true}, rounds::toward_zero>},
    {"fctiwu",    x_form(63, 142),       {frt, frb},           rc,     fp, convert, select_to_integer<integer{32, false}>},
    {"fctiwuz",   x_form(63, 143),       {frt, frb},           rc,     fp, convert, select_to_integer<integer{32, false}, rounds::toward_zero>},
    {"fcfid",     x_form(63, 846),       {frt, frb},           rc,     fp, convert, select_from_integer<true>},
    {"fcfids",    x_form(59, 846),       {frt, frb},           rc,     fp, convert, select_from_integer<true, true>},
    {"fcfidu",    x_form(63, 974),       {frt, frb},           rc,     fp, convert, select_from_integer<false>},
    {"fcfidus",   x_form(59, 974),       {frt, frb},           rc,     fp, convert, select_from_integer<false, true>},
    {"frin",      x_form(63, 392),       {frt, frb},           rc,     fp, round, select_to_integral<rounds::nearest_away>},
    {"friz",      x_form(63, 424),       {frt, frb},           rc,     fp, round, select_to_integral<rounds::toward_zero>},
    {"frip",      x_form(63, 456),       {frt, frb},           rc,     fp, round, select_to_integral<rounds::upward>},
    {"frim",      x_form(63, 488),       {frt, frb},           rc,     fp, round, select_to_integral<rounds::downward>},

    // 4.6.8 Compare
    {"fcmpu",     x_form(63, 0),         {bf, fra, frb},       plain,  fp, compare, when_available<fp, compare_scalar<false>>},
    {"fcmpo",     x_form(63, 32),        {bf, fra, frb},       plain,  fp, compare, when_available<fp, compare_scalar<true>>},

    // 4.6.9 Select
    {"fsel",      a_form(63, 23),        {frt, fra, frc, frb}, rc,     fp, move, select_move<fsel>},

    // 4.6.10 Status and control register
    {"mffs",      x_form(63, 583).eo(0), {frt},                rc,     fp, status, select_read_status<everything>},
    {"mffsce",    x_form(63, 583).eo(1), {frt},                plain,  fp, status, when_available<fp, read_status<everything, fpscr::enables, false>>},
    {"mffscdrn",  x_form(63, 583).eo(20), {frt, frb},          plain,  fp, status, select_exchange<drn>},
    {"mffscdrni", x_form(63, 583).eo(21), {frt, drm},          plain,  fp, status, select_exchange<drn, true>},
    {"mffscrn",   x_form(63, 583).eo(22), {frt, frb},          plain,  fp, status, select_exchange<fpscr::rn>},
    {"mffscrni",  x_form(63, 583).eo(23), {frt, rm},           plain,  fp, status, select_exchange<fpscr::rn, true>},
    {"mffsl",     x_form(63, 583).eo(24), {frt},               plain,  fp, status, when_available<fp, read_status<control | status_of_last, 0, false>>},
    {"mcrfs",     x_form(63, 64),        {bf, bfa},            plain,  fp, status, when_available<fp, mcrfs>},
    {"mtfsfi",    x_form(63, 134),       {bf_fpscr, u, w},     rc,     fp, status, select_mtfsfi},
    {"mtfsf",     xfl_form(63, 711),     {flm, frb, l_mtfsf, w}, rc,   fp, status, select_mtfsf},
    {"mtfsb0",    x_form(63, 70),        {bt_fpscr},           rc,     fp, status, select_dot<mtfsb0<false>, mtfsb0<true>>},
    {"mtfsb1",    x_form(63, 38),        {bt_fpscr},           rc,     fp, status, select_dot<mtfsb1<false>, mtfsb1<true>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> floating_rows() { return rows; }

}  // namespace pefsim::power::isa
