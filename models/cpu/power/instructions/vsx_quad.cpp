// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Quad precision of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction rows[] = {
    // Arithmetic
    {"xsaddqp",     x_form(63, 4),          {vrt, vra, vrb}, ro,    vsx,        arithmetic},
    {"xssubqp",     x_form(63, 516),        {vrt, vra, vrb}, ro,    vsx,        arithmetic},
    {"xsmulqp",     x_form(63, 36),         {vrt, vra, vrb}, ro,    vsx,        arithmetic},
    {"xsdivqp",     x_form(63, 548),        {vrt, vra, vrb}, ro,    vsx,        divide},
    {"xssqrtqp",    x_form(63, 804).eo(27), {vrt, vrb},      ro,    vsx,        divide},
    {"xsmaddqp",    x_form(63, 388),        {vrt, vra, vrb}, ro,    vsx,        multiply_add},
    {"xsmsubqp",    x_form(63, 420),        {vrt, vra, vrb}, ro,    vsx,        multiply_add},
    {"xsnmaddqp",   x_form(63, 452),        {vrt, vra, vrb}, ro,    vsx,        multiply_add},
    {"xsnmsubqp",   x_form(63, 484),        {vrt, vra, vrb}, ro,    vsx,        multiply_add},

    // Compare, minimum and maximum
    {"xscmpoqp",    x_form(63, 132),        {bf, vra, vrb},  plain, vsx,        compare},
    {"xscmpuqp",    x_form(63, 644),        {bf, vra, vrb},  plain, vsx,        compare},
    {"xscmpexpqp",  x_form(63, 164),        {bf, vra, vrb},  plain, vsx,        compare},
    {"xststdcqp",   x_form(63, 708),        {bf, vrb, dcmx}, plain, vsx,        compare},

    // Conversion and rounding
    {"xscvqpdp",    x_form(63, 836).eo(20), {vrt, vrb},      ro,    vsx,        convert},
    {"xscvdpqp",    x_form(63, 836).eo(22), {vrt, vrb},      plain, vsx,        convert},
    {"xscvqpsdz",   x_form(63, 836).eo(25), {vrt, vrb},      plain, vsx,        convert},
    {"xscvqpswz",   x_form(63, 836).eo(9),  {vrt, vrb},      plain, vsx,        convert},
    {"xscvqpudz",   x_form(63, 836).eo(17), {vrt, vrb},      plain, vsx,        convert},
    {"xscvqpuwz",   x_form(63, 836).eo(1),  {vrt, vrb},      plain, vsx,        convert},
    {"xscvsdqp",    x_form(63, 836).eo(10), {vrt, vrb},      plain, vsx,        convert},
    {"xscvudqp",    x_form(63, 836).eo(2),  {vrt, vrb},      plain, vsx,        convert},
    {"xsrqpi",      z23_form(63, 5),        {r_round, vrt, vrb, rmc}, ex, vsx,  round},
    {"xsrqpxp",     z23_form(63, 37),       {r_round, vrt, vrb, rmc}, plain, vsx, round},
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_quad_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
