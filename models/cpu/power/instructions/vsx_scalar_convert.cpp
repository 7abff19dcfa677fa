// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Scalar conversion and rounding of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction rows[] = {
    // Conversion and rounding
    {"xscvdpsp",    xx2_form(60, 265),      {xt, xb},        plain, vsx,        convert},
    {"xscvdpspn",   xx2_form(60, 267),      {xt, xb},        plain, vsx,        convert},
    {"xscvspdp",    xx2_form(60, 329),      {xt, xb},        plain, vsx,        convert},
    {"xscvspdpn",   xx2_form(60, 331),      {xt, xb},        plain, vsx,        convert},
    {"xsrsp",       xx2_form(60, 281),      {xt, xb},        plain, vsx,        convert},
    {"xscvhpdp",    xx2_form(60, 347).eo(16), {xt, xb},      plain, vsx,        convert},
    {"xscvdphp",    xx2_form(60, 347).eo(17), {xt, xb},      plain, vsx,        convert},
    {"xscvdpsxds",  xx2_form(60, 344),      {xt, xb},        plain, vsx,        convert},
    {"xscvdpsxws",  xx2_form(60, 88),       {xt, xb},        plain, vsx,        convert},
    {"xscvdpuxds",  xx2_form(60, 328),      {xt, xb},        plain, vsx,        convert},
    {"xscvdpuxws",  xx2_form(60, 72),       {xt, xb},        plain, vsx,        convert},
    {"xscvsxddp",   xx2_form(60, 376),      {xt, xb},        plain, vsx,        convert},
    {"xscvsxdsp",   xx2_form(60, 312),      {xt, xb},        plain, vsx,        convert},
    {"xscvuxddp",   xx2_form(60, 360),      {xt, xb},        plain, vsx,        convert},
    {"xscvuxdsp",   xx2_form(60, 296),      {xt, xb},        plain, vsx,        convert},
    {"xsrdpi",      xx2_form(60, 73),       {xt, xb},        plain, vsx,        round},
    {"xsrdpic",     xx2_form(60, 107),      {xt, xb},        plain, vsx,        round},
    {"xsrdpim",     xx2_form(60, 121),      {xt, xb},        plain, vsx,        round},
    {"xsrdpip",     xx2_form(60, 105),      {xt, xb},        plain, vsx,        round},
    {"xsrdpiz",     xx2_form(60, 89),       {xt, xb},        plain, vsx,        round},
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_scalar_convert_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
