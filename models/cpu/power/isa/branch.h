// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/power/isa/instruction.h"

namespace pefsim::cpu::power::isa::rows {

using enum operand;
using enum facility;
using enum instruction_class;

/// Branch facility: Power ISA 3.0B Book I chapter 2.
// clang-format off
inline constexpr instruction branch_rows[] = {
    // 2.4 Branch instructions
    {"b",      i_form(18),                   {target_i},   aa | lk, branch, jump},
    {"bc",     b_form(16),                   {bo, bi, target_b}, aa | lk, branch, jump},
    {"bclr",   xl_form(19, 16),              {bo, bi, bh}, lk,      branch, jump},
    {"bcctr",  xl_form(19, 528),             {bo, bi, bh}, lk,      branch, jump},
    {"bctar",  xl_form(19, 560),             {bo, bi, bh}, lk,      branch, jump},

    // 2.5 Condition register instructions
    {"crand",  xl_form(19, 257),             {bt, ba, bb}, plain,   branch, condition},
    {"crnand", xl_form(19, 225),             {bt, ba, bb}, plain,   branch, condition},
    {"cror",   xl_form(19, 449),             {bt, ba, bb}, plain,   branch, condition},
    {"crxor",  xl_form(19, 193),             {bt, ba, bb}, plain,   branch, condition},
    {"crnor",  xl_form(19, 33),              {bt, ba, bb}, plain,   branch, condition},
    {"creqv",  xl_form(19, 289),             {bt, ba, bb}, plain,   branch, condition},
    {"crandc", xl_form(19, 129),             {bt, ba, bb}, plain,   branch, condition},
    {"crorc",  xl_form(19, 417),             {bt, ba, bb}, plain,   branch, condition},
    {"mcrf",   xl_form(19, 0),               {bf, bfa},    plain,   branch, condition},

    // 2.6 System call instructions
    {"sc",     sc_form(17).with(bit(30), 1), {lev_or_0},   plain,   system, call},
    {"scv",    sc_form(17).with(bits(30, 31), 1), {lev},   plain,   system, call},
};
// clang-format on

}  // namespace pefsim::cpu::power::isa::rows
