// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Insertion and extraction of exponents and significands, VSX: Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction rows[] = {
    // Scalar exponent and significand
    {"xsiexpdp",    xx1_form(60, 918),      {xt, ra, rb},    plain, vsx,        convert},
    {"xsiexpqp",    x_form(63, 868),        {vrt, vra, vrb}, plain, vsx,        convert},
    {"xsxexpdp",    xx2_form(60, 347).eo(0), {rt, xb},       plain, vsx,        convert},
    {"xsxsigdp",    xx2_form(60, 347).eo(1), {rt, xb},       plain, vsx,        convert},
    {"xsxexpqp",    x_form(63, 804).eo(2),  {vrt, vrb},      plain, vsx,        convert},
    {"xsxsigqp",    x_form(63, 804).eo(18), {vrt, vrb},      plain, vsx,        convert},

    // Vector exponent and significand
    {"xviexpdp",    xx3_form(60, 248),      {xt, xa, xb},    plain, vsx,        convert},
    {"xviexpsp",    xx3_form(60, 216),      {xt, xa, xb},    plain, vsx,        convert},
    {"xvxexpdp",    xx2_form(60, 475).eo(0), {xt, xb},       plain, vsx,        convert},
    {"xvxexpsp",    xx2_form(60, 475).eo(8), {xt, xb},       plain, vsx,        convert},
    {"xvxsigdp",    xx2_form(60, 475).eo(1), {xt, xb},       plain, vsx,        convert},
    {"xvxsigsp",    xx2_form(60, 475).eo(9), {xt, xb},       plain, vsx,        convert},
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_exponent_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
