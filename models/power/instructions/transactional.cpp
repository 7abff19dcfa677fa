// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/facility.h"
#include "power/instructions/instructions.h"

namespace pefsim::power::isa {
namespace {

/// MSR[TM] is always 0.
const op* unavailable_tm(core& c, const op* o) { return not_enabled(c, o, facility_cause::tm); }
const op* privileged_tm(core& c, const op* o) {
    return (c.state.msr & msr_pr) != 0 ? not_privileged(c, o) : unavailable_tm(c, o);
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Transactional memory facility: Power ISA 3.0B Book II chapter 5; Book III.
// clang-format off
constexpr instruction_row rows[] = {
    // Book II: problem state
    {"tbegin.",    x_form(31, 654).dot(),  {r_tm},        plain, tm,            transaction, always<unavailable_tm>},
    {"tend.",      x_form(31, 686).dot(),  {a_tm},        plain, tm,            transaction, always<unavailable_tm>},
    {"tabort.",    x_form(31, 910).dot(),  {ra},          plain, tm,            transaction, always<unavailable_tm>},
    {"tabortwc.",  x_form(31, 782).dot(),  {to, ra, rb},  plain, tm,            transaction, always<unavailable_tm>},
    {"tabortwci.", x_form(31, 846).dot(),  {to, ra, si5}, plain, tm,            transaction, always<unavailable_tm>},
    {"tabortdc.",  x_form(31, 814).dot(),  {to, ra, rb},  plain, tm,            transaction, always<unavailable_tm>},
    {"tabortdci.", x_form(31, 878).dot(),  {to, ra, si5}, plain, tm,            transaction, always<unavailable_tm>},
    {"tsr.",       x_form(31, 750).dot(),  {l_tm},        plain, tm,            transaction, always<unavailable_tm>},
    {"tcheck",     x_form(31, 718),        {bf},          plain, tm,            transaction, always<unavailable_tm>},

    // Book III: privileged instructions
    {"treclaim.",  x_form(31, 942).dot(),  {ra},          plain, tm_privileged, transaction, always<privileged_tm>},
    {"trechkpt.",  x_form(31, 1006).dot(), {},            plain, tm_privileged, transaction, always<privileged_tm>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> transactional_rows() { return rows; }

}  // namespace pefsim::power::isa
