// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/power/isa/instruction.h"

namespace pefsim::cpu::power::isa::rows {

using enum operand;
using enum facility;
using enum instruction_class;

/// Fixed-point instructions other than loads and stores: Power ISA 3.0B Book I 3.3.8 to 3.3.17.
// clang-format off
inline constexpr instruction fixed_point_rows[] = {
    // 3.3.9 Arithmetic
    {"addi",     d_form(14),        {rt, ra0, si},      plain,                fixed,      arithmetic},
    {"addis",    d_form(15),        {rt, ra0, si},      plain,                fixed,      arithmetic},
    {"addpcis",  dx_form(19, 2),    {rt, d_dx},         plain,                fixed,      arithmetic},
    {"add",      xo_form(31, 266),  {rt, ra, rb},       oe | rc,              fixed,      arithmetic},
    {"subf",     xo_form(31, 40),   {rt, ra, rb},       oe | rc,              fixed,      arithmetic},
    {"addic",    d_form(12),        {rt, ra, si},       ca,                   fixed,      arithmetic},
    {"addic.",   d_form(13),        {rt, ra, si},       ca,                   fixed,      arithmetic},
    {"subfic",   d_form(8),         {rt, ra, si},       ca,                   fixed,      arithmetic},
    {"addc",     xo_form(31, 10),   {rt, ra, rb},       oe | rc | ca,         fixed,      arithmetic},
    {"subfc",    xo_form(31, 8),    {rt, ra, rb},       oe | rc | ca,         fixed,      arithmetic},
    {"adde",     xo_form(31, 138),  {rt, ra, rb},       oe | rc | ca_in | ca, fixed,      arithmetic},
    {"subfe",    xo_form(31, 136),  {rt, ra, rb},       oe | rc | ca_in | ca, fixed,      arithmetic},
    {"addme",    xo_form(31, 234),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic},
    {"addze",    xo_form(31, 202),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic},
    {"subfme",   xo_form(31, 232),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic},
    {"subfze",   xo_form(31, 200),  {rt, ra},           oe | rc | ca_in | ca, fixed,      arithmetic},
    {"addex",    z23_form(31, 170), {rt, ra, rb, cy},   plain,                fixed,      arithmetic},
    {"neg",      xo_form(31, 104),  {rt, ra},           oe | rc,              fixed,      arithmetic},
    {"mulli",    d_form(7),         {rt, ra, si},       plain,                fixed,      arithmetic},
    {"mullw",    xo_form(31, 235),  {rt, ra, rb},       oe | rc,              fixed,      arithmetic},
    {"mulhw",    xo_form(31, 75),   {rt, ra, rb},       rc,                   fixed,      arithmetic},
    {"mulhwu",   xo_form(31, 11),   {rt, ra, rb},       rc,                   fixed,      arithmetic},
    {"divw",     xo_form(31, 491),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"divwu",    xo_form(31, 459),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"divwe",    xo_form(31, 427),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"divweu",   xo_form(31, 395),  {rt, ra, rb},       oe | rc,              fixed,      divide},
    {"modsw",    x_form(31, 779),   {rt, ra, rb},       plain,                fixed,      divide},
    {"moduw",    x_form(31, 267),   {rt, ra, rb},       plain,                fixed,      divide},
    {"darn",     x_form(31, 755),   {rt, l_darn},       plain,                fixed,      arithmetic},
    {"mulld",    xo_form(31, 233),  {rt, ra, rb},       oe | rc,              fixed,      arithmetic},
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
    {"cmpi",     d_form(11),        {bf, l, ra, si},    plain,                fixed,      compare},
    {"cmp",      x_form(31, 0),     {bf, l, ra, rb},    plain,                fixed,      compare},
    {"cmpli",    d_form(10),        {bf, l, ra, ui},    plain,                fixed,      compare},
    {"cmpl",     x_form(31, 32),    {bf, l, ra, rb},    plain,                fixed,      compare},
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
    {"andi.",    d_form(28),        {ra, rs, ui},       plain,                fixed,      logical},
    {"andis.",   d_form(29),        {ra, rs, ui},       plain,                fixed,      logical},
    {"ori",      d_form(24),        {ra, rs, ui},       plain,                fixed,      logical},
    {"oris",     d_form(25),        {ra, rs, ui},       plain,                fixed,      logical},
    {"xori",     d_form(26),        {ra, rs, ui},       plain,                fixed,      logical},
    {"xoris",    d_form(27),        {ra, rs, ui},       plain,                fixed,      logical},
    {"and",      x_form(31, 28),    {ra, rs, rb},       rc,                   fixed,      logical},
    {"xor",      x_form(31, 316),   {ra, rs, rb},       rc,                   fixed,      logical},
    {"nand",     x_form(31, 476),   {ra, rs, rb},       rc,                   fixed,      logical},
    {"or",       x_form(31, 444),   {ra, rs, rb},       rc,                   fixed,      logical},
    {"orc",      x_form(31, 412),   {ra, rs, rb},       rc,                   fixed,      logical},
    {"nor",      x_form(31, 124),   {ra, rs, rb},       rc,                   fixed,      logical},
    {"eqv",      x_form(31, 284),   {ra, rs, rb},       rc,                   fixed,      logical},
    {"andc",     x_form(31, 60),    {ra, rs, rb},       rc,                   fixed,      logical},
    {"extsb",    x_form(31, 954),   {ra, rs},           rc,                   fixed,      logical},
    {"extsh",    x_form(31, 922),   {ra, rs},           rc,                   fixed,      logical},
    {"extsw",    x_form(31, 986),   {ra, rs},           rc,                   fixed,      logical},
    {"cntlzw",   x_form(31, 26),    {ra, rs},           rc,                   fixed,      logical},
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
    {"rlwinm",   m_form(21),        {ra, rs, sh, mb, me}, rc,                 fixed,      shift},
    {"rlwnm",    m_form(23),        {ra, rs, rb, mb, me}, rc,                 fixed,      shift},
    {"rlwimi",   m_form(20),        {ra, rs, sh, mb, me}, rc,                 fixed,      shift},
    {"rldicl",   md_form(30, 0),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift},
    {"rldicr",   md_form(30, 1),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift},
    {"rldic",    md_form(30, 2),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift},
    {"rldcl",    mds_form(30, 8),   {ra, rs, rb, mb6},  rc,                   fixed,      shift},
    {"rldcr",    mds_form(30, 9),   {ra, rs, rb, mb6},  rc,                   fixed,      shift},
    {"rldimi",   md_form(30, 3),    {ra, rs, sh6, mb6}, rc,                   fixed,      shift},
    {"slw",      x_form(31, 24),    {ra, rs, rb},       rc,                   fixed,      shift},
    {"srw",      x_form(31, 536),   {ra, rs, rb},       rc,                   fixed,      shift},
    {"srawi",    x_form(31, 824),   {ra, rs, sh},       rc | ca,              fixed,      shift},
    {"sraw",     x_form(31, 792),   {ra, rs, rb},       rc | ca,              fixed,      shift},
    {"sld",      x_form(31, 27),    {ra, rs, rb},       rc,                   fixed,      shift},
    {"srd",      x_form(31, 539),   {ra, rs, rb},       rc,                   fixed,      shift},
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
    {"mtspr",    xfx_form(31, 467), {spr, rs},          plain,                fixed,      status},
    {"mfspr",    xfx_form(31, 339), {rt, spr},          plain,                fixed,      status},
    {"mcrxrx",   x_form(31, 576),   {bf},               plain,                fixed,      status},
    {"mtocrf",   xfx_form(31, 144).with(bit(11), 1), {fxm_one, rs}, plain,    fixed,      status},
    {"mtcrf",    xfx_form(31, 144).with(bit(11), 0), {fxm, rs}, plain,        fixed,      status},
    {"mfocrf",   xfx_form(31, 19).with(bit(11), 1), {rt, fxm_one}, plain,     fixed,      status},
    {"mfcr",     xfx_form(31, 19).with(bit(11), 0), {rt}, plain,              fixed,      status},
    {"setb",     x_form(31, 128),   {rt, bfa},          plain,                fixed,      status},
};
// clang-format on

}  // namespace pefsim::cpu::power::isa::rows
