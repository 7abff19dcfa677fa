// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Moves of the vector-scalar facility (VSX) that change signs: Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction rows[] = {
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
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_move_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
