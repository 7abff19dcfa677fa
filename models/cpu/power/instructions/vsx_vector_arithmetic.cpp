// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Vector arithmetic and estimates of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction rows[] = {
    // Arithmetic
    {"xvadddp",     xx3_form(60, 96),       {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xvaddsp",     xx3_form(60, 64),       {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xvsubdp",     xx3_form(60, 104),      {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xvsubsp",     xx3_form(60, 72),       {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xvmuldp",     xx3_form(60, 112),      {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xvmulsp",     xx3_form(60, 80),       {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xvdivdp",     xx3_form(60, 120),      {xt, xa, xb},    plain, vsx,        divide},
    {"xvdivsp",     xx3_form(60, 88),       {xt, xa, xb},    plain, vsx,        divide},
    {"xvsqrtdp",    xx2_form(60, 203),      {xt, xb},        plain, vsx,        divide},
    {"xvsqrtsp",    xx2_form(60, 139),      {xt, xb},        plain, vsx,        divide},
    {"xvredp",      xx2_form(60, 218),      {xt, xb},        plain, vsx,        estimate},
    {"xvresp",      xx2_form(60, 154),      {xt, xb},        plain, vsx,        estimate},
    {"xvrsqrtedp",  xx2_form(60, 202),      {xt, xb},        plain, vsx,        estimate},
    {"xvrsqrtesp",  xx2_form(60, 138),      {xt, xb},        plain, vsx,        estimate},
    {"xvtdivdp",    xx3_form(60, 125),      {bf, xa, xb},    plain, vsx,        compare},
    {"xvtdivsp",    xx3_form(60, 93),       {bf, xa, xb},    plain, vsx,        compare},
    {"xvtsqrtdp",   xx2_form(60, 234),      {bf, xb},        plain, vsx,        compare},
    {"xvtsqrtsp",   xx2_form(60, 170),      {bf, xb},        plain, vsx,        compare},
    {"xvmaddadp",   xx3_form(60, 97),       {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvmaddasp",   xx3_form(60, 65),       {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvmaddmdp",   xx3_form(60, 105),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvmaddmsp",   xx3_form(60, 73),       {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvmsubadp",   xx3_form(60, 113),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvmsubasp",   xx3_form(60, 81),       {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvmsubmdp",   xx3_form(60, 121),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvmsubmsp",   xx3_form(60, 89),       {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvnmaddadp",  xx3_form(60, 225),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvnmaddasp",  xx3_form(60, 193),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvnmaddmdp",  xx3_form(60, 233),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvnmaddmsp",  xx3_form(60, 201),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvnmsubadp",  xx3_form(60, 241),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvnmsubasp",  xx3_form(60, 209),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvnmsubmdp",  xx3_form(60, 249),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xvnmsubmsp",  xx3_form(60, 217),      {xt, xa, xb},    plain, vsx,        multiply_add},
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_vector_arithmetic_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
