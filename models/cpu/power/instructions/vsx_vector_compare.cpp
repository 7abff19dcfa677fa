// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Vector comparisons of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction rows[] = {
    // Compare, minimum and maximum
    {"xvcmpeqdp",   xx3_rc_form(60, 99),    {xt, xa, xb},    rc,    vsx,        compare},
    {"xvcmpeqsp",   xx3_rc_form(60, 67),    {xt, xa, xb},    rc,    vsx,        compare},
    {"xvcmpgedp",   xx3_rc_form(60, 115),   {xt, xa, xb},    rc,    vsx,        compare},
    {"xvcmpgesp",   xx3_rc_form(60, 83),    {xt, xa, xb},    rc,    vsx,        compare},
    {"xvcmpgtdp",   xx3_rc_form(60, 107),   {xt, xa, xb},    rc,    vsx,        compare},
    {"xvcmpgtsp",   xx3_rc_form(60, 75),    {xt, xa, xb},    rc,    vsx,        compare},
    {"xvmaxdp",     xx3_form(60, 224),      {xt, xa, xb},    plain, vsx,        compare},
    {"xvmaxsp",     xx3_form(60, 192),      {xt, xa, xb},    plain, vsx,        compare},
    {"xvmindp",     xx3_form(60, 232),      {xt, xa, xb},    plain, vsx,        compare},
    {"xvminsp",     xx3_form(60, 200),      {xt, xa, xb},    plain, vsx,        compare},
    {"xvtstdcdp",   xx2_dcmx_form(60, 15, 5), {xt, xb, dcmx_split}, plain, vsx, compare},
    {"xvtstdcsp",   xx2_dcmx_form(60, 13, 5), {xt, xb, dcmx_split}, plain, vsx, compare},
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_vector_compare_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
