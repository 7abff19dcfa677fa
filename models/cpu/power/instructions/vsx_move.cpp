// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Loads, stores, moves, logical and permute instructions of the vector-scalar facility (VSX): Power ISA 3.0B Book I
/// chapter 7.
// clang-format off
constexpr instruction rows[] = {
    // 7.6.1.2 Load and store
    {"lxsd",        ds_form(57, 2),         {vrt, disp_ds, ra0}, plain, vmx,    load},
    {"lxsdx",       xx1_form(31, 588),      {xt, ra0, rb},   plain, vsx,        load},
    {"lxsibzx",     xx1_form(31, 781),      {xt, ra0, rb},   plain, vsx,        load},
    {"lxsihzx",     xx1_form(31, 813),      {xt, ra0, rb},   plain, vsx,        load},
    {"lxsiwax",     xx1_form(31, 76),       {xt, ra0, rb},   plain, vsx,        load},
    {"lxsiwzx",     xx1_form(31, 12),       {xt, ra0, rb},   plain, vsx,        load},
    {"lxssp",       ds_form(57, 3),         {vrt, disp_ds, ra0}, plain, vmx,    load},
    {"lxsspx",      xx1_form(31, 524),      {xt, ra0, rb},   plain, vsx,        load},
    {"lxv",         dq_form(61, 1),         {xt_dq, disp_dq, ra0}, plain, vsx_or_vmx, load},
    {"lxvx",        xx1_form(31, 268),      {xt, ra0, rb},   plain, vsx_or_vmx, load},
    {"lxvl",        xx1_form(31, 269),      {xt, ra0, rb},   plain, vsx_or_vmx, load},
    {"lxvll",       xx1_form(31, 301),      {xt, ra0, rb},   plain, vsx_or_vmx, load},
    {"lxvwsx",      xx1_form(31, 364),      {xt, ra0, rb},   plain, vsx_or_vmx, load},
    {"lxvb16x",     xx1_form(31, 876),      {xt, ra0, rb},   plain, vsx,        load},
    {"lxvd2x",      xx1_form(31, 844),      {xt, ra0, rb},   plain, vsx,        load},
    {"lxvdsx",      xx1_form(31, 332),      {xt, ra0, rb},   plain, vsx,        load},
    {"lxvh8x",      xx1_form(31, 812),      {xt, ra0, rb},   plain, vsx,        load},
    {"lxvw4x",      xx1_form(31, 780),      {xt, ra0, rb},   plain, vsx,        load},
    {"stxsd",       ds_form(61, 2),         {vrs, disp_ds, ra0}, plain, vmx,    store},
    {"stxsdx",      xx1_form(31, 716),      {xs, ra0, rb},   plain, vsx,        store},
    {"stxsibx",     xx1_form(31, 909),      {xs, ra0, rb},   plain, vsx,        store},
    {"stxsihx",     xx1_form(31, 941),      {xs, ra0, rb},   plain, vsx,        store},
    {"stxsiwx",     xx1_form(31, 140),      {xs, ra0, rb},   plain, vsx,        store},
    {"stxssp",      ds_form(61, 3),         {vrs, disp_ds, ra0}, plain, vmx,    store},
    {"stxsspx",     xx1_form(31, 652),      {xs, ra0, rb},   plain, vsx,        store},
    {"stxv",        dq_form(61, 5),         {xs_dq, disp_dq, ra0}, plain, vsx_or_vmx, store},
    {"stxvx",       xx1_form(31, 396),      {xs, ra0, rb},   plain, vsx_or_vmx, store},
    {"stxvl",       xx1_form(31, 397),      {xs, ra0, rb},   plain, vsx_or_vmx, store},
    {"stxvll",      xx1_form(31, 429),      {xs, ra0, rb},   plain, vsx_or_vmx, store},
    {"stxvb16x",    xx1_form(31, 1004),     {xs, ra0, rb},   plain, vsx,        store},
    {"stxvd2x",     xx1_form(31, 972),      {xs, ra0, rb},   plain, vsx,        store},
    {"stxvh8x",     xx1_form(31, 940),      {xs, ra0, rb},   plain, vsx,        store},
    {"stxvw4x",     xx1_form(31, 908),      {xs, ra0, rb},   plain, vsx,        store},

    // Scalar move
    {"xsabsdp",     xx2_form(60, 345),      {xt, xb},        plain, vsx,        move},
    {"xsnabsdp",    xx2_form(60, 361),      {xt, xb},        plain, vsx,        move},
    {"xsnegdp",     xx2_form(60, 377),      {xt, xb},        plain, vsx,        move},
    {"xscpsgndp",   xx3_form(60, 176),      {xt, xa, xb},    plain, vsx,        move},
    {"xsabsqp",     x_form(63, 804).eo(0),  {vrt, vrb},      plain, vsx,        move},
    {"xsnabsqp",    x_form(63, 804).eo(8),  {vrt, vrb},      plain, vsx,        move},
    {"xsnegqp",     x_form(63, 804).eo(16), {vrt, vrb},      plain, vsx,        move},
    {"xscpsgnqp",   x_form(63, 100),        {vrt, vra, vrb}, plain, vsx,        move},

    // Vector move
    {"xvabsdp",     xx2_form(60, 473),      {xt, xb},        plain, vsx,        move},
    {"xvabssp",     xx2_form(60, 409),      {xt, xb},        plain, vsx,        move},
    {"xvnabsdp",    xx2_form(60, 489),      {xt, xb},        plain, vsx,        move},
    {"xvnabssp",    xx2_form(60, 425),      {xt, xb},        plain, vsx,        move},
    {"xvnegdp",     xx2_form(60, 505),      {xt, xb},        plain, vsx,        move},
    {"xvnegsp",     xx2_form(60, 441),      {xt, xb},        plain, vsx,        move},
    {"xvcpsgndp",   xx3_form(60, 240),      {xt, xa, xb},    plain, vsx,        move},
    {"xvcpsgnsp",   xx3_form(60, 208),      {xt, xa, xb},    plain, vsx,        move},

    // Vector logical
    {"xxland",      xx3_form(60, 130),      {xt, xa, xb},    plain, vsx,        logical},
    {"xxlandc",     xx3_form(60, 138),      {xt, xa, xb},    plain, vsx,        logical},
    {"xxleqv",      xx3_form(60, 186),      {xt, xa, xb},    plain, vsx,        logical},
    {"xxlnand",     xx3_form(60, 178),      {xt, xa, xb},    plain, vsx,        logical},
    {"xxlorc",      xx3_form(60, 170),      {xt, xa, xb},    plain, vsx,        logical},
    {"xxlnor",      xx3_form(60, 162),      {xt, xa, xb},    plain, vsx,        logical},
    {"xxlor",       xx3_form(60, 146),      {xt, xa, xb},    plain, vsx,        logical},
    {"xxlxor",      xx3_form(60, 154),      {xt, xa, xb},    plain, vsx,        logical},

    // Vector permute
    {"xxbrd",       xx2_form(60, 475).eo(23), {xt, xb},      plain, vsx,        permute},
    {"xxbrh",       xx2_form(60, 475).eo(7), {xt, xb},       plain, vsx,        permute},
    {"xxbrq",       xx2_form(60, 475).eo(31), {xt, xb},      plain, vsx,        permute},
    {"xxbrw",       xx2_form(60, 475).eo(15), {xt, xb},      plain, vsx,        permute},
    {"xxextractuw", xx2_form(60, 165),      {xt, xb, uim4},  plain, vsx,        permute},
    {"xxinsertw",   xx2_form(60, 181),      {xt, xb, uim4},  plain, vsx,        permute},
    {"xxmrghw",     xx3_form(60, 18),       {xt, xa, xb},    plain, vsx,        permute},
    {"xxmrglw",     xx3_form(60, 50),       {xt, xa, xb},    plain, vsx,        permute},
    {"xxperm",      xx3_form(60, 26),       {xt, xa, xb},    plain, vsx,        permute},
    {"xxpermr",     xx3_form(60, 58),       {xt, xa, xb},    plain, vsx,        permute},
    {"xxpermdi",    xx3_dm_form(60, 10),    {xt, xa, xb, dm}, plain, vsx,       permute},
    {"xxsel",       xx4_form(60, 3),        {xt, xa, xb, xc}, plain, vsx,       logical},
    {"xxsldwi",     xx3_dm_form(60, 2),     {xt, xa, xb, shw}, plain, vsx,      permute},
    {"xxspltib",    xx1_form(60, 360).with(bits(11, 12), 0), {xt, imm8}, plain, vsx_or_vmx, permute},
    {"xxspltw",     xx2_form(60, 164),      {xt, xb, uim2},  plain, vsx,        permute},
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_move_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
