// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Scalar arithmetic and estimates of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction rows[] = {
    // Arithmetic
    {"xsadddp",     xx3_form(60, 32),       {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xsaddsp",     xx3_form(60, 0),        {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xssubdp",     xx3_form(60, 40),       {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xssubsp",     xx3_form(60, 8),        {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xsmuldp",     xx3_form(60, 48),       {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xsmulsp",     xx3_form(60, 16),       {xt, xa, xb},    plain, vsx,        arithmetic},
    {"xsdivdp",     xx3_form(60, 56),       {xt, xa, xb},    plain, vsx,        divide},
    {"xsdivsp",     xx3_form(60, 24),       {xt, xa, xb},    plain, vsx,        divide},
    {"xssqrtdp",    xx2_form(60, 75),       {xt, xb},        plain, vsx,        divide},
    {"xssqrtsp",    xx2_form(60, 11),       {xt, xb},        plain, vsx,        divide},
    {"xsredp",      xx2_form(60, 90),       {xt, xb},        plain, vsx,        estimate},
    {"xsresp",      xx2_form(60, 26),       {xt, xb},        plain, vsx,        estimate},
    {"xsrsqrtedp",  xx2_form(60, 74),       {xt, xb},        plain, vsx,        estimate},
    {"xsrsqrtesp",  xx2_form(60, 10),       {xt, xb},        plain, vsx,        estimate},
    {"xstdivdp",    xx3_form(60, 61),       {bf, xa, xb},    plain, vsx,        compare},
    {"xstsqrtdp",   xx2_form(60, 106),      {bf, xb},        plain, vsx,        compare},
    {"xsmaddadp",   xx3_form(60, 33),       {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsmaddasp",   xx3_form(60, 1),        {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsmaddmdp",   xx3_form(60, 41),       {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsmaddmsp",   xx3_form(60, 9),        {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsmsubadp",   xx3_form(60, 49),       {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsmsubasp",   xx3_form(60, 17),       {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsmsubmdp",   xx3_form(60, 57),       {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsmsubmsp",   xx3_form(60, 25),       {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsnmaddadp",  xx3_form(60, 161),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsnmaddasp",  xx3_form(60, 129),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsnmaddmdp",  xx3_form(60, 169),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsnmaddmsp",  xx3_form(60, 137),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsnmsubadp",  xx3_form(60, 177),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsnmsubasp",  xx3_form(60, 145),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsnmsubmdp",  xx3_form(60, 185),      {xt, xa, xb},    plain, vsx,        multiply_add},
    {"xsnmsubmsp",  xx3_form(60, 153),      {xt, xa, xb},    plain, vsx,        multiply_add},
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_scalar_arithmetic_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
