// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/instructions/instructions.h"

namespace pefsim::cpu::power::isa {
namespace {

using enum operand;
using enum facility;
using enum instruction_class;

/// Storage control and event-based branches (Power ISA 3.0B Book II), and what only system software uses
/// (Book III).
// clang-format off
constexpr instruction rows[] = {
    // Book II 4.6.4 Wait
    {"wait",    x_form(31, 30),    {},              plain, storage,    power_save},

    // Book II: time base (phased out in favour of mfspr)
    {"mftb",    xfx_form(31, 371), {rt, tbr},       plain, storage,    status},

    // Book II: event-based branches, branch history
    {"rfebb",   xl_form(19, 146),  {s_ebb},         plain, ebb,        call},
    {"clrbhrb", x_form(31, 430),   {},              plain, ebb,        status},
    {"mfbhrbe", xfx_form(31, 302), {rt, bhrbe},     plain, ebb,        status},

    // Book III: system linkage, power saving
    {"rfscv",   xl_form(19, 82),   {},              plain, privileged, call},
    {"rfid",    xl_form(19, 18),   {},              plain, privileged, call},
    {"hrfid",   xl_form(19, 274),  {},              plain, hypervisor, call},
    {"urfid",   xl_form(19, 306),  {},              plain, ultravisor, call},
    {"stop",    xl_form(19, 370),  {},              plain, privileged, power_save},

    // Book III: cache-inhibited loads and stores in hypervisor real mode
    {"lbzcix",  x_form(31, 853),   {rt, ra0, rb},   plain, hypervisor, load},
    {"lhzcix",  x_form(31, 821),   {rt, ra0, rb},   plain, hypervisor, load},
    {"lwzcix",  x_form(31, 789),   {rt, ra0, rb},   plain, hypervisor, load},
    {"ldcix",   x_form(31, 885),   {rt, ra0, rb},   plain, hypervisor, load},
    {"stbcix",  x_form(31, 981),   {rs, ra0, rb},   plain, hypervisor, store},
    {"sthcix",  x_form(31, 949),   {rs, ra0, rb},   plain, hypervisor, store},
    {"stwcix",  x_form(31, 917),   {rs, ra0, rb},   plain, hypervisor, store},
    {"stdcix",  x_form(31, 1013),  {rs, ra0, rb},   plain, hypervisor, store},

    // Book III: machine state register
    {"mtmsr",   x_form(31, 146),   {rs, l_msr},     plain, privileged, status},
    {"mtmsrd",  x_form(31, 178),   {rs, l_msr},     plain, privileged, status},
    {"mfmsr",   x_form(31, 83),    {rt},            plain, privileged, status},

    // Book III: translation look-aside buffers
    {"slbie",   x_form(31, 434),   {rb},            plain, privileged, translation},
    {"slbiag",  x_form(31, 850),   {rs},            plain, privileged, translation},
    {"slbieg",  x_form(31, 466),   {rs, rb},        plain, privileged, translation},
    {"slbia",   x_form(31, 498),   {ih},            plain, privileged, translation},
    {"slbmte",  x_form(31, 402),   {rs, rb},        plain, privileged, translation},
    {"slbmfev", x_form(31, 851),   {rt, rb, l_slb}, plain, privileged, translation},
    {"slbmfee", x_form(31, 915),   {rt, rb, l_slb}, plain, privileged, translation},
    {"slbfee.", x_form(31, 979).dot(), {rt, rb},    plain, privileged, translation},
    {"slbsync", x_form(31, 338),   {},              plain, privileged, translation},
    {"tlbie",   x_form(31, 306),   {rb, rs, ric, prs, r_radix}, plain, privileged, translation},
    {"tlbiel",  x_form(31, 274),   {rb, rs_or_0, ric, prs, r_radix}, plain, privileged, translation},
    {"tlbsync", x_form(31, 566),   {},              plain, privileged, translation},

    // Book III: messages
    {"msgsnd",  x_form(31, 206),   {rb},            plain, hypervisor, message},
    {"msgclr",  x_form(31, 238),   {rb},            plain, hypervisor, message},
    {"msgsndp", x_form(31, 142),   {rb},            plain, privileged, message},
    {"msgclrp", x_form(31, 174),   {rb},            plain, privileged, message},
    {"msgsync", x_form(31, 886),   {},              plain, hypervisor, message},
    {"msgsndu", x_form(31, 78),    {rb},            plain, ultravisor, message},
    {"msgclru", x_form(31, 110),   {rb},            plain, ultravisor, message},

    // Support processor attention
    {"attn",    x_form(0, 256),    {},              plain, system,     trap},
};
// clang-format on

}  // namespace

std::span<const instruction> system_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
