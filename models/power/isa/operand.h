// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "power/isa/field.h"
#include "power/isa/form.h"

namespace pefsim::power::isa {

/// What an operand is, and so how it is written.
enum class operand_kind : std::uint8_t {
    gpr,           ///< r0..r31
    gpr_or_zero,   ///< (RA|0): 0, r1..r31
    fpr,           ///< f0..f31
    vr,            ///< v0..v31
    vsr,           ///< vs0..vs63
    cr_field,      ///< cr0..cr7
    cr_bit,        ///< lt, gt, eq, so, 4*cr1+lt ...
    number,        ///< decimal
    number_of_32,  ///< decimal, 0 written as 32
    from_31,       ///< decimal, 31 minus the field
    from_63,       ///< decimal, 63 minus the field
    displacement,  ///< decimal; the operand after it stands in parentheses
    target,        ///< where a branch goes: relative, or absolute when AA=1
};

/// Operands, by the names of the ISA's instruction fields. Operands of one name that differ in how they are
/// written, or in what makes the form invalid, have a suffix.
// clang-format off
enum class operand : std::uint8_t {
    none,
    // general purpose registers
    rt, rs, rt_pair, rs_pair, rs_or_0, ra, ra0, ra_stored, ra_loaded, ra_below_rt, ra_not_rt, rb, rb_not_rt,
    rc_gpr,
    // floating-point registers; a pair is named by an even one
    frt, frs, fra, frb, frc, frt_pair, frs_pair, fra_pair, frb_pair,
    // vector and vector-scalar registers
    vrt, vrs, vra, vrb, vrc, xt, xs, xa, xb, xc, xt_dq, xs_dq,
    // condition register
    bf, bf_or_cr0, bfa, bt, ba, bb, bc, bi, fxm, fxm_one,
    // numbers of branches, traps and calls
    bo, bh, target_i, target_b, to, lev, lev_or_0,
    // immediates, displacements, shifts and masks
    si, ui, d_dx, disp, disp_ds, disp_dq, sh, mb, me, sh6, mb6, nb, fc,
    // selectors of fixed-point, storage and system instructions
    l, l_darn, l_sync, l_flush, l_msr, cy, ct, th, th_or_8, strm, ih, eh, l_slb, ric, prs, r_radix, spr, tbr,
    bhrbe, s_ebb,
    // floating point and decimal
    bf_fpscr, bt_fpscr, u, w, flm, l_mtfsf, drm, rm, te, rmc, r_round, sp, s, dcm, dgm, sh_dfp, uim_dfp,
    // vector and vector-scalar
    uim, uim4, uim3, uim2, sim, shb, st, six, ps, dm, shw, imm8, dcmx, dcmx_split,
    // transactional memory
    r_tm, a_tm, l_tm, si5,
    // operands of extended mnemonics
    me_from_31, me_from_63, splat_dm, th_or_0, bi_field, sprg, bat,
};
// clang-format on

struct operand_info {
    operand id;
    std::string_view name;  ///< of the field in the ISA
    field where;
    operand_kind kind = operand_kind::number;
    int omitted = -1;  ///< the value that need not be written; -1: it is always written
    /// True for a word in which this operand makes the form invalid (Book I 1.8.2); null: never.
    bool (*invalid)(std::uint32_t word) = nullptr;

    constexpr std::int32_t value(std::uint32_t word) const { return where.of(word); }
};

namespace fields {
inline constexpr field t = bits(6, 10);  ///< RT, RS, FRT, VRT, BT, BO, TO ...
inline constexpr field a = bits(11, 15);
inline constexpr field b = bits(16, 20);
inline constexpr field c = bits(21, 25);
inline constexpr field bf = bits(6, 8);
inline constexpr field spr = bits(16, 20) || bits(11, 15);
inline constexpr field fxm = bits(12, 19);

/// The even register number whose upper four bits are `upper`.
consteval field even(field upper) {
    upper.zeros = 1;
    return upper;
}
}  // namespace fields

namespace invalid {
constexpr bool odd_t(std::uint32_t w) { return fields::t.of(w) % 2 != 0; }
constexpr bool a_zero(std::uint32_t w) { return fields::a.of(w) == 0; }
constexpr bool a_is_t(std::uint32_t w) { return fields::a.of(w) == fields::t.of(w); }
constexpr bool a_zero_or_t(std::uint32_t w) { return a_zero(w) || a_is_t(w); }
constexpr bool a_from_t_on(std::uint32_t w) { return fields::a.of(w) >= fields::t.of(w); }
constexpr bool b_is_t(std::uint32_t w) { return fields::b.of(w) == fields::t.of(w); }
constexpr bool many_fxm(std::uint32_t w) { return std::popcount(fields::fxm.mask() & w) != 1; }
constexpr bool sync_3(std::uint32_t w) { return bits(9, 10).of(w) == 3; }
constexpr bool flush_2(std::uint32_t w) { return bits(9, 10).of(w) == 2; }
/// BO has a bit set that must be zero, or asks for a reserved hint (Book I 2.4).
constexpr bool bo_reserved(std::uint32_t w) {
    const auto bo = static_cast<unsigned>(fields::t.of(w));
    switch (bo >> 2 & 0b101) {
    case 0b000:
        return (bo & 0b00001) != 0;  // 0000z, 0001z, 0100z, 0101z
    case 0b001:
        return (bo & 0b00011) == 0b01;  // 001at, 011at
    case 0b100:
        return (bo & 0b01001) == 0b00001;  // 1a00t, 1a01t
    default:
        return (bo & 0b01011) != 0;  // 1z1zz
    }
}
}  // namespace invalid

// clang-format off
inline constexpr auto operands = [] {
    using enum operand_kind;
    return std::array{
        operand_info{operand::none,        "",     {}},

        operand_info{operand::rt,          "RT",   fields::t,          gpr},
        operand_info{operand::rs,          "RS",   fields::t,          gpr},
        operand_info{operand::rt_pair,     "RTp",  fields::t,          gpr, -1, invalid::odd_t},
        operand_info{operand::rs_pair,     "RSp",  fields::t,          gpr, -1, invalid::odd_t},
        operand_info{operand::rs_or_0,     "RS",   fields::t,          gpr, 0},
        operand_info{operand::ra,          "RA",   fields::a,          gpr},
        operand_info{operand::ra0,         "RA",   fields::a,          gpr_or_zero},
        operand_info{operand::ra_stored,   "RA",   fields::a,          gpr, -1, invalid::a_zero},
        operand_info{operand::ra_loaded,   "RA",   fields::a,          gpr, -1, invalid::a_zero_or_t},
        operand_info{operand::ra_below_rt, "RA",   fields::a,          gpr_or_zero, -1, invalid::a_from_t_on},
        operand_info{operand::ra_not_rt,   "RA",   fields::a,          gpr_or_zero, -1, invalid::a_is_t},
        operand_info{operand::rb,          "RB",   fields::b,          gpr},
        operand_info{operand::rb_not_rt,   "RB",   fields::b,          gpr, -1, invalid::b_is_t},
        operand_info{operand::rc_gpr,      "RC",   fields::c,          gpr},

        operand_info{operand::frt,         "FRT",  fields::t,          fpr},
        operand_info{operand::frs,         "FRS",  fields::t,          fpr},
        operand_info{operand::fra,         "FRA",  fields::a,          fpr},
        operand_info{operand::frb,         "FRB",  fields::b,          fpr},
        operand_info{operand::frc,         "FRC",  fields::c,          fpr},
        operand_info{operand::frt_pair,    "FRTp", fields::even(bits(6, 9)),   fpr, -1, invalid::odd_t},
        operand_info{operand::frs_pair,    "FRSp", fields::even(bits(6, 9)),   fpr, -1, invalid::odd_t},
        operand_info{operand::fra_pair,    "FRAp", fields::even(bits(11, 14)), fpr},
        operand_info{operand::frb_pair,    "FRBp", fields::even(bits(16, 19)), fpr},

        operand_info{operand::vrt,         "VRT",  fields::t,          vr},
        operand_info{operand::vrs,         "VRS",  fields::t,          vr},
        operand_info{operand::vra,         "VRA",  fields::a,          vr},
        operand_info{operand::vrb,         "VRB",  fields::b,          vr},
        operand_info{operand::vrc,         "VRC",  fields::c,          vr},
        operand_info{operand::xt,          "XT",   bit(31) || bits(6, 10),  vsr},
        operand_info{operand::xs,          "XS",   bit(31) || bits(6, 10),  vsr},
        operand_info{operand::xa,          "XA",   bit(29) || bits(11, 15), vsr},
        operand_info{operand::xb,          "XB",   bit(30) || bits(16, 20), vsr},
        operand_info{operand::xc,          "XC",   bit(28) || bits(21, 25), vsr},
        operand_info{operand::xt_dq,       "XT",   bit(28) || bits(6, 10),  vsr},
        operand_info{operand::xs_dq,       "XS",   bit(28) || bits(6, 10),  vsr},

        operand_info{operand::bf,          "BF",   fields::bf,         cr_field},
        operand_info{operand::bf_or_cr0,   "BF",   fields::bf,         cr_field, 0},
        operand_info{operand::bfa,         "BFA",  bits(11, 13),       cr_field},
        operand_info{operand::bt,          "BT",   fields::t,          cr_bit},
        operand_info{operand::ba,          "BA",   fields::a,          cr_bit},
        operand_info{operand::bb,          "BB",   fields::b,          cr_bit},
        operand_info{operand::bc,          "BC",   fields::c,          cr_bit},
        operand_info{operand::bi,          "BI",   fields::a,          cr_bit},
        operand_info{operand::fxm,         "FXM",  fields::fxm},
        operand_info{operand::fxm_one,     "FXM",  fields::fxm,        number, -1, invalid::many_fxm},

        operand_info{operand::bo,          "BO",   fields::t,          number, -1, invalid::bo_reserved},
        operand_info{operand::bh,          "BH",   bits(19, 20),       number, 0},
        operand_info{operand::target_i,    "LI",   as_signed(bits(6, 29), 2),  target},
        operand_info{operand::target_b,    "BD",   as_signed(bits(16, 29), 2), target},
        operand_info{operand::to,          "TO",   fields::t},
        operand_info{operand::lev,         "LEV",  bits(20, 26)},
        operand_info{operand::lev_or_0,    "LEV",  bits(20, 26),       number, 0},

        operand_info{operand::si,          "SI",   as_signed(bits(16, 31))},
        operand_info{operand::ui,          "UI",   bits(16, 31)},
        operand_info{operand::d_dx,        "D",    as_signed(bits(16, 25) || bits(11, 15) || bit(31))},
        operand_info{operand::disp,        "D",    as_signed(bits(16, 31)),    displacement},
        operand_info{operand::disp_ds,     "DS",   as_signed(bits(16, 29), 2), displacement},
        operand_info{operand::disp_dq,     "DQ",   as_signed(bits(16, 27), 4), displacement},
        operand_info{operand::sh,          "SH",   fields::b},
        operand_info{operand::mb,          "MB",   fields::c},
        operand_info{operand::me,          "ME",   bits(26, 30)},
        operand_info{operand::sh6,         "SH",   bit(30) || bits(16, 20)},
        operand_info{operand::mb6,         "MB",   bit(26) || bits(21, 25)},
        operand_info{operand::nb,          "NB",   fields::b,          number_of_32},
        operand_info{operand::fc,          "FC",   fields::b},

        operand_info{operand::l,           "L",    bit(10)},
        operand_info{operand::l_darn,      "L",    bits(14, 15)},
        operand_info{operand::l_sync,      "L",    bits(9, 10),        number, -1, invalid::sync_3},
        operand_info{operand::l_flush,     "L",    bits(9, 10),        number, 0, invalid::flush_2},
        operand_info{operand::l_msr,       "L",    bit(15),            number, 0},
        operand_info{operand::cy,          "CY",   bits(21, 22)},
        operand_info{operand::ct,          "CT",   bits(7, 10),        number, 0},
        operand_info{operand::th,          "TH",   fields::t},
        operand_info{operand::th_or_8,     "TH",   fields::t,          number, 8},
        operand_info{operand::strm,        "STRM", bits(9, 10)},
        operand_info{operand::ih,          "IH",   bits(8, 10),        number, 0},
        operand_info{operand::eh,          "EH",   bit(31),            number, 0},
        operand_info{operand::l_slb,       "L",    bit(15),            number, 0},
        operand_info{operand::ric,         "RIC",  bits(12, 13),       number, 0},
        operand_info{operand::prs,         "PRS",  bit(14),            number, 0},
        operand_info{operand::r_radix,     "R",    bit(15),            number, 0},
        operand_info{operand::spr,         "SPR",  fields::spr},
        operand_info{operand::tbr,         "TBR",  fields::spr},
        operand_info{operand::bhrbe,       "BHRBE", bits(11, 20)},
        operand_info{operand::s_ebb,       "S",    bit(20),            number, 1},

        operand_info{operand::bf_fpscr,    "BF",   fields::bf},
        operand_info{operand::bt_fpscr,    "BT",   fields::t},
        operand_info{operand::u,           "U",    bits(16, 19)},
        operand_info{operand::w,           "W",    bit(15),            number, 0},
        operand_info{operand::flm,         "FLM",  bits(7, 14)},
        operand_info{operand::l_mtfsf,     "L",    bit(6),             number, 0},
        operand_info{operand::drm,         "DRM",  bits(18, 20)},
        operand_info{operand::rm,          "RM",   bits(19, 20)},
        operand_info{operand::te,          "TE",   as_signed(fields::a)},
        operand_info{operand::rmc,         "RMC",  bits(21, 22)},
        operand_info{operand::r_round,     "R",    bit(15)},
        operand_info{operand::sp,          "SP",   bits(11, 12)},
        operand_info{operand::s,           "S",    bit(11)},
        operand_info{operand::dcm,         "DCM",  bits(16, 21)},
        operand_info{operand::dgm,         "DGM",  bits(16, 21)},
        operand_info{operand::sh_dfp,      "SH",   bits(16, 21)},
        operand_info{operand::uim_dfp,     "UIM",  bits(10, 15)},

        operand_info{operand::uim,         "UIM",  fields::a},
        operand_info{operand::uim4,        "UIM",  bits(12, 15)},
        operand_info{operand::uim3,        "UIM",  bits(13, 15)},
        operand_info{operand::uim2,        "UIM",  bits(14, 15)},
        operand_info{operand::sim,         "SIM",  as_signed(fields::a)},
        operand_info{operand::shb,         "SHB",  bits(22, 25)},
        operand_info{operand::st,          "ST",   bit(16)},
        operand_info{operand::six,         "SIX",  bits(17, 20)},
        operand_info{operand::ps,          "PS",   bit(22)},
        operand_info{operand::dm,          "DM",   bits(22, 23)},
        operand_info{operand::shw,         "SHW",  bits(22, 23)},
        operand_info{operand::imm8,        "IMM8", bits(13, 20)},
        operand_info{operand::dcmx,        "DCMX", bits(9, 15)},
        operand_info{operand::dcmx_split,  "DCMX", bit(25) || bit(29) || bits(11, 15)},

        operand_info{operand::r_tm,        "R",    bit(10),            number, 0},
        operand_info{operand::a_tm,        "A",    bit(6),             number, 0},
        operand_info{operand::l_tm,        "L",    bit(10)},
        operand_info{operand::si5,         "SI",   as_signed(fields::b)},

        operand_info{operand::me_from_31,  "ME",   bits(26, 30),       from_31},
        operand_info{operand::me_from_63,  "ME",   bit(26) || bits(21, 25), from_63},
        operand_info{operand::splat_dm,    "DM",   bit(22)},
        operand_info{operand::th_or_0,     "TH",   fields::t,          number, 0},
        operand_info{operand::bi_field,    "BI",   bits(11, 13),       cr_field, 0},
        operand_info{operand::sprg,        "SPR",  bits(14, 15)},
        operand_info{operand::bat,         "SPR",  bits(13, 14)},
    };
}();
// clang-format on

constexpr const operand_info& info_of(operand which) { return operands[static_cast<std::size_t>(which)]; }

static_assert(
    [] {
        for (std::size_t i = 0; i < operands.size(); ++i) {
            if (operands[i].id != static_cast<operand>(i)) {
                return false;
            }
        }
        return true;
    }(),
    "the table of operands is in the order of the enumeration");

}  // namespace pefsim::power::isa
