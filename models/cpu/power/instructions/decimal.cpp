// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Decimal floating-point facility: Power ISA 3.0B Book I chapter 5.
// clang-format off
constexpr instruction rows[] = {
    // 5.6.1 Arithmetic
    {"dadd",     x_form(59, 2),     {frt, fra, frb},                rc,    dfp, arithmetic},
    {"daddq",    x_form(63, 2),     {frt_pair, fra_pair, frb_pair}, rc,    dfp, arithmetic},
    {"dsub",     x_form(59, 514),   {frt, fra, frb},                rc,    dfp, arithmetic},
    {"dsubq",    x_form(63, 514),   {frt_pair, fra_pair, frb_pair}, rc,    dfp, arithmetic},
    {"dmul",     x_form(59, 34),    {frt, fra, frb},                rc,    dfp, arithmetic},
    {"dmulq",    x_form(63, 34),    {frt_pair, fra_pair, frb_pair}, rc,    dfp, arithmetic},
    {"ddiv",     x_form(59, 546),   {frt, fra, frb},                rc,    dfp, divide},
    {"ddivq",    x_form(63, 546),   {frt_pair, fra_pair, frb_pair}, rc,    dfp, divide},

    // 5.6.2 Compare
    {"dcmpu",    x_form(59, 642),   {bf, fra, frb},                 plain, dfp, compare},
    {"dcmpuq",   x_form(63, 642),   {bf, fra_pair, frb_pair},       plain, dfp, compare},
    {"dcmpo",    x_form(59, 130),   {bf, fra, frb},                 plain, dfp, compare},
    {"dcmpoq",   x_form(63, 130),   {bf, fra_pair, frb_pair},       plain, dfp, compare},

    // 5.6.3 Test
    {"dtstdc",   z22_form(59, 194), {bf, fra, dcm},                 plain, dfp, compare},
    {"dtstdcq",  z22_form(63, 194), {bf, fra_pair, dcm},            plain, dfp, compare},
    {"dtstdg",   z22_form(59, 226), {bf, fra, dgm},                 plain, dfp, compare},
    {"dtstdgq",  z22_form(63, 226), {bf, fra_pair, dgm},            plain, dfp, compare},
    {"dtstex",   x_form(59, 162),   {bf, fra, frb},                 plain, dfp, compare},
    {"dtstexq",  x_form(63, 162),   {bf, fra_pair, frb_pair},       plain, dfp, compare},
    {"dtstsf",   x_form(59, 674),   {bf, fra, frb},                 plain, dfp, compare},
    {"dtstsfq",  x_form(63, 674),   {bf, fra, frb_pair},            plain, dfp, compare},
    {"dtstsfi",  x_form(59, 675),   {bf, uim_dfp, frb},             plain, dfp, compare},
    {"dtstsfiq", x_form(63, 675),   {bf, uim_dfp, frb_pair},        plain, dfp, compare},

    // 5.6.4 Quantum adjustment
    {"dquai",    z23_form(59, 67),  {te, frt, frb, rmc},            rc,    dfp, decimal},
    {"dquaiq",   z23_form(63, 67),  {te, frt_pair, frb_pair, rmc},  rc,    dfp, decimal},
    {"dqua",     z23_form(59, 3),   {frt, fra, frb, rmc},           rc,    dfp, decimal},
    {"dquaq",    z23_form(63, 3),   {frt_pair, fra_pair, frb_pair, rmc}, rc, dfp, decimal},
    {"drrnd",    z23_form(59, 35),  {frt, fra, frb, rmc},           rc,    dfp, decimal},
    {"drrndq",   z23_form(63, 35),  {frt_pair, fra, frb_pair, rmc}, rc,    dfp, decimal},
    {"drintx",   z23_form(59, 99),  {r_round, frt, frb, rmc},       rc,    dfp, round},
    {"drintxq",  z23_form(63, 99),  {r_round, frt_pair, frb_pair, rmc}, rc, dfp, round},
    {"drintn",   z23_form(59, 227), {r_round, frt, frb, rmc},       rc,    dfp, round},
    {"drintnq",  z23_form(63, 227), {r_round, frt_pair, frb_pair, rmc}, rc, dfp, round},

    // 5.6.5 Conversion
    {"dctdp",    x_form(59, 258),   {frt, frb},                     rc,    dfp, convert},
    {"dctqpq",   x_form(63, 258),   {frt_pair, frb},                rc,    dfp, convert},
    {"drsp",     x_form(59, 770),   {frt, frb},                     rc,    dfp, convert},
    {"drdpq",    x_form(63, 770),   {frt_pair, frb_pair},           rc,    dfp, convert},
    {"dcffix",   x_form(59, 802),   {frt, frb},                     rc,    dfp, convert},
    {"dcffixq",  x_form(63, 802),   {frt_pair, frb},                rc,    dfp, convert},
    {"dctfix",   x_form(59, 290),   {frt, frb},                     rc,    dfp, convert},
    {"dctfixq",  x_form(63, 290),   {frt, frb_pair},                rc,    dfp, convert},

    // 5.6.6 Format
    {"ddedpd",   x_form(59, 322),   {sp, frt, frb},                 rc,    dfp, decimal},
    {"ddedpdq",  x_form(63, 322),   {sp, frt_pair, frb_pair},       rc,    dfp, decimal},
    {"denbcd",   x_form(59, 834),   {s, frt, frb},                  rc,    dfp, decimal},
    {"denbcdq",  x_form(63, 834),   {s, frt_pair, frb_pair},        rc,    dfp, decimal},
    {"dxex",     x_form(59, 354),   {frt, frb},                     rc,    dfp, decimal},
    {"dxexq",    x_form(63, 354),   {frt, frb_pair},                rc,    dfp, decimal},
    {"diex",     x_form(59, 866),   {frt, fra, frb},                rc,    dfp, decimal},
    {"diexq",    x_form(63, 866),   {frt_pair, fra, frb_pair},      rc,    dfp, decimal},
    {"dscli",    z22_form(59, 66),  {frt, fra, sh_dfp},             rc,    dfp, decimal},
    {"dscliq",   z22_form(63, 66),  {frt_pair, fra_pair, sh_dfp},   rc,    dfp, decimal},
    {"dscri",    z22_form(59, 98),  {frt, fra, sh_dfp},             rc,    dfp, decimal},
    {"dscriq",   z22_form(63, 98),  {frt_pair, fra_pair, sh_dfp},   rc,    dfp, decimal},
};
// clang-format on

}  // namespace

std::span<const instruction> decimal_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
