// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Scalar comparisons of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction rows[] = {
    // Compare, minimum and maximum
    {"xscmpeqdp",   xx3_form(60, 3),        {xt, xa, xb},    plain, vsx,        compare},
    {"xscmpgtdp",   xx3_form(60, 11),       {xt, xa, xb},    plain, vsx,        compare},
    {"xscmpgedp",   xx3_form(60, 19),       {xt, xa, xb},    plain, vsx,        compare},
    {"xscmpodp",    xx3_form(60, 43),       {bf, xa, xb},    plain, vsx,        compare},
    {"xscmpudp",    xx3_form(60, 35),       {bf, xa, xb},    plain, vsx,        compare},
    {"xscmpexpdp",  xx3_form(60, 59),       {bf, xa, xb},    plain, vsx,        compare},
    {"xsmaxdp",     xx3_form(60, 160),      {xt, xa, xb},    plain, vsx,        compare},
    {"xsmindp",     xx3_form(60, 168),      {xt, xa, xb},    plain, vsx,        compare},
    {"xsmaxcdp",    xx3_form(60, 128),      {xt, xa, xb},    plain, vsx,        compare},
    {"xsmincdp",    xx3_form(60, 136),      {xt, xa, xb},    plain, vsx,        compare},
    {"xsmaxjdp",    xx3_form(60, 144),      {xt, xa, xb},    plain, vsx,        compare},
    {"xsminjdp",    xx3_form(60, 152),      {xt, xa, xb},    plain, vsx,        compare},
    {"xststdcdp",   xx2_form(60, 362),      {bf, xb, dcmx},  plain, vsx,        compare},
    {"xststdcsp",   xx2_form(60, 298),      {bf, xb, dcmx},  plain, vsx,        compare},
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_scalar_compare_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
