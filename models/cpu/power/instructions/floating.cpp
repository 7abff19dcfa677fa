// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Floating-point facility: Power ISA 3.0B Book I chapter 4.
// clang-format off
constexpr instruction rows[] = {
    // 4.6.2 Load
    {"lfs",       d_form(48),            {frt, disp, ra0},     plain,  fp, load},
    {"lfsx",      x_form(31, 535),       {frt, ra0, rb},       plain,  fp, load},
    {"lfsu",      d_form(49),            {frt, disp, ra_stored}, update, fp, load},
    {"lfsux",     x_form(31, 567),       {frt, ra_stored, rb}, update, fp, load},
    {"lfd",       d_form(50),            {frt, disp, ra0},     plain,  fp, load},
    {"lfdx",      x_form(31, 599),       {frt, ra0, rb},       plain,  fp, load},
    {"lfdu",      d_form(51),            {frt, disp, ra_stored}, update, fp, load},
    {"lfdux",     x_form(31, 631),       {frt, ra_stored, rb}, update, fp, load},
    {"lfiwax",    x_form(31, 855),       {frt, ra0, rb},       plain,  fp, load},
    {"lfiwzx",    x_form(31, 887),       {frt, ra0, rb},       plain,  fp, load},

    // 4.6.3 Store
    {"stfs",      d_form(52),            {frs, disp, ra0},     plain,  fp, store},
    {"stfsx",     x_form(31, 663),       {frs, ra0, rb},       plain,  fp, store},
    {"stfsu",     d_form(53),            {frs, disp, ra_stored}, update, fp, store},
    {"stfsux",    x_form(31, 695),       {frs, ra_stored, rb}, update, fp, store},
    {"stfd",      d_form(54),            {frs, disp, ra0},     plain,  fp, store},
    {"stfdx",     x_form(31, 727),       {frs, ra0, rb},       plain,  fp, store},
    {"stfdu",     d_form(55),            {frs, disp, ra_stored}, update, fp, store},
    {"stfdux",    x_form(31, 759),       {frs, ra_stored, rb}, update, fp, store},
    {"stfiwx",    x_form(31, 983),       {frs, ra0, rb},       plain,  fp, store},

    // 4.6.5 Move
    {"fmr",       x_form(63, 72),        {frt, frb},           rc,     fp, move},
    {"fabs",      x_form(63, 264),       {frt, frb},           rc,     fp, move},
    {"fnabs",     x_form(63, 136),       {frt, frb},           rc,     fp, move},
    {"fneg",      x_form(63, 40),        {frt, frb},           rc,     fp, move},
    {"fcpsgn",    x_form(63, 8),         {frt, fra, frb},      rc,     fp, move},
    {"fmrgew",    x_form(63, 966),       {frt, fra, frb},      plain,  fp, permute},
    {"fmrgow",    x_form(63, 838),       {frt, fra, frb},      plain,  fp, permute},

    // 4.6.6 Arithmetic
    {"fadd",      a_form(63, 21),        {frt, fra, frb},      rc,     fp, arithmetic},
    {"fadds",     a_form(59, 21),        {frt, fra, frb},      rc,     fp, arithmetic},
    {"fsub",      a_form(63, 20),        {frt, fra, frb},      rc,     fp, arithmetic},
    {"fsubs",     a_form(59, 20),        {frt, fra, frb},      rc,     fp, arithmetic},
    {"fmul",      a_form(63, 25),        {frt, fra, frc},      rc,     fp, arithmetic},
    {"fmuls",     a_form(59, 25),        {frt, fra, frc},      rc,     fp, arithmetic},
    {"fdiv",      a_form(63, 18),        {frt, fra, frb},      rc,     fp, divide},
    {"fdivs",     a_form(59, 18),        {frt, fra, frb},      rc,     fp, divide},
    {"fsqrt",     a_form(63, 22),        {frt, frb},           rc,     fp, divide},
    {"fsqrts",    a_form(59, 22),        {frt, frb},           rc,     fp, divide},
    {"fre",       a_form(63, 24),        {frt, frb},           rc,     fp, estimate},
    {"fres",      a_form(59, 24),        {frt, frb},           rc,     fp, estimate},
    {"frsqrte",   a_form(63, 26),        {frt, frb},           rc,     fp, estimate},
    {"frsqrtes",  a_form(59, 26),        {frt, frb},           rc,     fp, estimate},
    {"ftdiv",     x_form(63, 128),       {bf, fra, frb},       plain,  fp, compare},
    {"ftsqrt",    x_form(63, 160),       {bf, frb},            plain,  fp, compare},
    {"fmadd",     a_form(63, 29),        {frt, fra, frc, frb}, rc,     fp, multiply_add},
    {"fmadds",    a_form(59, 29),        {frt, fra, frc, frb}, rc,     fp, multiply_add},
    {"fmsub",     a_form(63, 28),        {frt, fra, frc, frb}, rc,     fp, multiply_add},
    {"fmsubs",    a_form(59, 28),        {frt, fra, frc, frb}, rc,     fp, multiply_add},
    {"fnmadd",    a_form(63, 31),        {frt, fra, frc, frb}, rc,     fp, multiply_add},
    {"fnmadds",   a_form(59, 31),        {frt, fra, frc, frb}, rc,     fp, multiply_add},
    {"fnmsub",    a_form(63, 30),        {frt, fra, frc, frb}, rc,     fp, multiply_add},
    {"fnmsubs",   a_form(59, 30),        {frt, fra, frc, frb}, rc,     fp, multiply_add},

    // 4.6.7 Rounding and conversion
    {"frsp",      x_form(63, 12),        {frt, frb},           rc,     fp, convert},
    {"fctid",     x_form(63, 814),       {frt, frb},           rc,     fp, convert},
    {"fctidz",    x_form(63, 815),       {frt, frb},           rc,     fp, convert},
    {"fctidu",    x_form(63, 942),       {frt, frb},           rc,     fp, convert},
    {"fctiduz",   x_form(63, 943),       {frt, frb},           rc,     fp, convert},
    {"fctiw",     x_form(63, 14),        {frt, frb},           rc,     fp, convert},
    {"fctiwz",    x_form(63, 15),        {frt, frb},           rc,     fp, convert},
    {"fctiwu",    x_form(63, 142),       {frt, frb},           rc,     fp, convert},
    {"fctiwuz",   x_form(63, 143),       {frt, frb},           rc,     fp, convert},
    {"fcfid",     x_form(63, 846),       {frt, frb},           rc,     fp, convert},
    {"fcfids",    x_form(59, 846),       {frt, frb},           rc,     fp, convert},
    {"fcfidu",    x_form(63, 974),       {frt, frb},           rc,     fp, convert},
    {"fcfidus",   x_form(59, 974),       {frt, frb},           rc,     fp, convert},
    {"frin",      x_form(63, 392),       {frt, frb},           rc,     fp, round},
    {"friz",      x_form(63, 424),       {frt, frb},           rc,     fp, round},
    {"frip",      x_form(63, 456),       {frt, frb},           rc,     fp, round},
    {"frim",      x_form(63, 488),       {frt, frb},           rc,     fp, round},

    // 4.6.8 Compare
    {"fcmpu",     x_form(63, 0),         {bf, fra, frb},       plain,  fp, compare},
    {"fcmpo",     x_form(63, 32),        {bf, fra, frb},       plain,  fp, compare},

    // 4.6.9 Select
    {"fsel",      a_form(63, 23),        {frt, fra, frc, frb}, rc,     fp, move},

    // 4.6.10 Status and control register
    {"mffs",      x_form(63, 583).eo(0), {frt},                rc,     fp, status},
    {"mffsce",    x_form(63, 583).eo(1), {frt},                plain,  fp, status},
    {"mffscdrn",  x_form(63, 583).eo(20), {frt, frb},          plain,  fp, status},
    {"mffscdrni", x_form(63, 583).eo(21), {frt, drm},          plain,  fp, status},
    {"mffscrn",   x_form(63, 583).eo(22), {frt, frb},          plain,  fp, status},
    {"mffscrni",  x_form(63, 583).eo(23), {frt, rm},           plain,  fp, status},
    {"mffsl",     x_form(63, 583).eo(24), {frt},               plain,  fp, status},
    {"mcrfs",     x_form(63, 64),        {bf, bfa},            plain,  fp, status},
    {"mtfsfi",    x_form(63, 134),       {bf_fpscr, u, w},     rc,     fp, status},
    {"mtfsf",     xfl_form(63, 711),     {flm, frb, l_mtfsf, w}, rc,   fp, status},
    {"mtfsb0",    x_form(63, 70),        {bt_fpscr},           rc,     fp, status},
    {"mtfsb1",    x_form(63, 38),        {bt_fpscr},           rc,     fp, status},
};
// clang-format on

}  // namespace

std::span<const instruction> floating_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
