// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Vector conversion and rounding of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction rows[] = {
    // Conversion and rounding
    {"xvcvdpsp",    xx2_form(60, 393),      {xt, xb},        plain, vsx,        convert},
    {"xvcvspdp",    xx2_form(60, 457),      {xt, xb},        plain, vsx,        convert},
    {"xvcvhpsp",    xx2_form(60, 475).eo(24), {xt, xb},      plain, vsx,        convert},
    {"xvcvsphp",    xx2_form(60, 475).eo(25), {xt, xb},      plain, vsx,        convert},
    {"xvcvdpsxds",  xx2_form(60, 472),      {xt, xb},        plain, vsx,        convert},
    {"xvcvdpsxws",  xx2_form(60, 216),      {xt, xb},        plain, vsx,        convert},
    {"xvcvdpuxds",  xx2_form(60, 456),      {xt, xb},        plain, vsx,        convert},
    {"xvcvdpuxws",  xx2_form(60, 200),      {xt, xb},        plain, vsx,        convert},
    {"xvcvspsxds",  xx2_form(60, 408),      {xt, xb},        plain, vsx,        convert},
    {"xvcvspsxws",  xx2_form(60, 152),      {xt, xb},        plain, vsx,        convert},
    {"xvcvspuxds",  xx2_form(60, 392),      {xt, xb},        plain, vsx,        convert},
    {"xvcvspuxws",  xx2_form(60, 136),      {xt, xb},        plain, vsx,        convert},
    {"xvcvsxddp",   xx2_form(60, 504),      {xt, xb},        plain, vsx,        convert},
    {"xvcvsxdsp",   xx2_form(60, 440),      {xt, xb},        plain, vsx,        convert},
    {"xvcvsxwdp",   xx2_form(60, 248),      {xt, xb},        plain, vsx,        convert},
    {"xvcvsxwsp",   xx2_form(60, 184),      {xt, xb},        plain, vsx,        convert},
    {"xvcvuxddp",   xx2_form(60, 488),      {xt, xb},        plain, vsx,        convert},
    {"xvcvuxdsp",   xx2_form(60, 424),      {xt, xb},        plain, vsx,        convert},
    {"xvcvuxwdp",   xx2_form(60, 232),      {xt, xb},        plain, vsx,        convert},
    {"xvcvuxwsp",   xx2_form(60, 168),      {xt, xb},        plain, vsx,        convert},
    {"xvrdpi",      xx2_form(60, 201),      {xt, xb},        plain, vsx,        round},
    {"xvrdpic",     xx2_form(60, 235),      {xt, xb},        plain, vsx,        round},
    {"xvrdpim",     xx2_form(60, 249),      {xt, xb},        plain, vsx,        round},
    {"xvrdpip",     xx2_form(60, 233),      {xt, xb},        plain, vsx,        round},
    {"xvrdpiz",     xx2_form(60, 217),      {xt, xb},        plain, vsx,        round},
    {"xvrspi",      xx2_form(60, 137),      {xt, xb},        plain, vsx,        round},
    {"xvrspic",     xx2_form(60, 171),      {xt, xb},        plain, vsx,        round},
    {"xvrspim",     xx2_form(60, 185),      {xt, xb},        plain, vsx,        round},
    {"xvrspip",     xx2_form(60, 169),      {xt, xb},        plain, vsx,        round},
    {"xvrspiz",     xx2_form(60, 153),      {xt, xb},        plain, vsx,        round},
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_vector_convert_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
