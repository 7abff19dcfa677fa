// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Transactional memory facility: Power ISA 3.0B Book II chapter 5; Book III.
// clang-format off
constexpr instruction rows[] = {
    // Book II: problem state
    {"tbegin.",    x_form(31, 654).dot(),  {r_tm},        plain, tm,            transaction},
    {"tend.",      x_form(31, 686).dot(),  {a_tm},        plain, tm,            transaction},
    {"tabort.",    x_form(31, 910).dot(),  {ra},          plain, tm,            transaction},
    {"tabortwc.",  x_form(31, 782).dot(),  {to, ra, rb},  plain, tm,            transaction},
    {"tabortwci.", x_form(31, 846).dot(),  {to, ra, si5}, plain, tm,            transaction},
    {"tabortdc.",  x_form(31, 814).dot(),  {to, ra, rb},  plain, tm,            transaction},
    {"tabortdci.", x_form(31, 878).dot(),  {to, ra, si5}, plain, tm,            transaction},
    {"tsr.",       x_form(31, 750).dot(),  {l_tm},        plain, tm,            transaction},
    {"tcheck",     x_form(31, 718),        {bf},          plain, tm,            transaction},

    // Book III: privileged instructions
    {"treclaim.",  x_form(31, 942).dot(),  {ra},          plain, tm_privileged, transaction},
    {"trechkpt.",  x_form(31, 1006).dot(), {},            plain, tm_privileged, transaction},
};
// clang-format on

}  // namespace

std::span<const instruction> transactional_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
