// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Floating-point instructions of the vector facility (VMX): Power ISA 3.0B Book I 6.10.
// clang-format off
constexpr instruction rows[] = {
    // 6.10 Floating point
    {"vaddfp",       vx_form(4, 10),         {vrt, vra, vrb},      plain, vmx, arithmetic},
    {"vsubfp",       vx_form(4, 74),         {vrt, vra, vrb},      plain, vmx, arithmetic},
    {"vmaddfp",      va_form(4, 46),         {vrt, vra, vrc, vrb}, plain, vmx, multiply_add},
    {"vnmsubfp",     va_form(4, 47),         {vrt, vra, vrc, vrb}, plain, vmx, multiply_add},
    {"vmaxfp",       vx_form(4, 1034),       {vrt, vra, vrb},      plain, vmx, arithmetic},
    {"vminfp",       vx_form(4, 1098),       {vrt, vra, vrb},      plain, vmx, arithmetic},
    {"vctuxs",       vx_form(4, 906),        {vrt, vrb, uim},      plain, vmx, convert},
    {"vctsxs",       vx_form(4, 970),        {vrt, vrb, uim},      plain, vmx, convert},
    {"vcfux",        vx_form(4, 778),        {vrt, vrb, uim},      plain, vmx, convert},
    {"vcfsx",        vx_form(4, 842),        {vrt, vrb, uim},      plain, vmx, convert},
    {"vrfim",        vx_form(4, 714),        {vrt, vrb},           plain, vmx, round},
    {"vrfin",        vx_form(4, 522),        {vrt, vrb},           plain, vmx, round},
    {"vrfip",        vx_form(4, 650),        {vrt, vrb},           plain, vmx, round},
    {"vrfiz",        vx_form(4, 586),        {vrt, vrb},           plain, vmx, round},
    {"vcmpbfp",      vc_form(4, 966),        {vrt, vra, vrb},      rc,    vmx, compare},
    {"vcmpeqfp",     vc_form(4, 198),        {vrt, vra, vrb},      rc,    vmx, compare},
    {"vcmpgefp",     vc_form(4, 454),        {vrt, vra, vrb},      rc,    vmx, compare},
    {"vcmpgtfp",     vc_form(4, 710),        {vrt, vra, vrb},      rc,    vmx, compare},
    {"vexptefp",     vx_form(4, 394),        {vrt, vrb},           plain, vmx, estimate},
    {"vlogefp",      vx_form(4, 458),        {vrt, vrb},           plain, vmx, estimate},
    {"vrefp",        vx_form(4, 266),        {vrt, vrb},           plain, vmx, estimate},
    {"vrsqrtefp",    vx_form(4, 330),        {vrt, vrb},           plain, vmx, estimate},
};
// clang-format on

}  // namespace

std::span<const instruction> vmx_floating_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
