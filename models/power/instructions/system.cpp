// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/engine/msr.h"
#include "power/instructions/facility.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/special_register_access.h"

namespace pefsim::power::isa {
namespace {

bool problem_state(const core& c) { return (c.state.msr & msr_pr) != 0; }

// --- Who may. In problem state all of them are privileged instructions; a guest's kernel has no hypervisor's
// instructions (Book III 4.4.1, 6.5.9, 6.5.18).

template <handler run>
const op* for_supervisor(core& c, const op* o) {
    return problem_state(c) ? not_privileged(c, o) : run(c, o);
}
template <handler run>
const op* for_hypervisor(core& c, const op* o) {
    return problem_state(c) ? not_privileged(c, o) : (c.state.msr & msr_hv) == 0 ? illegal(c, o) : run(c, o);
}
template <handler run>
handler supervisor(std::uint32_t /*word*/, unsigned /*index*/, op& /*decoded*/) {
    return for_supervisor<run>;
}
template <handler run>
handler hypervisor_only(std::uint32_t /*word*/, unsigned /*index*/, op& /*decoded*/) {
    return for_hypervisor<run>;
}

// --- System linkage (4.3)

const op* go_to(core& c, const op* o, u64 address, u64 msr) {
    c.state.msr = msr;
    c.state.nip = address & ~u64{3};
    return c.resynchronise(o);
}

/// Returns from interrupts are branches in the eyes of CFAR.
const op* return_to(core& c, const op* o, u64 address, u64 saved_msr) {
    c.set_cfar(o);
    return go_to(c, o, address, msr::returned(c.state.msr, saved_msr));
}

const op* rfid(core& c, const op* o) { return return_to(c, o, c.state[spr::srr0], c.state[spr::srr1]); }
const op* rfscv(core& c, const op* o) { return return_to(c, o, c.state[spr::lr], c.state[spr::ctr]); }
const op* hrfid(core& c, const op* o) { return return_to(c, o, c.state[spr::hsrr0], c.state[spr::hsrr1]); }

// --- Power saving, and what only a processor's own software has

const op* idle(core& c, const op* o) { return c.leave_after(o, exit_reason::idle); }

const op* attn(core& c, const op* o) {
    return c.attention_leaves() ? c.leave_before(o, exit_reason::attention) : illegal(c, o);
}

// --- Machine State Register (4.4.2)

template <u64 bits>
const op* mtmsr(core& c, const op* o) {
    return go_to(c, o, c.nia(o), msr::changed(c.state.msr, c.state.gpr[o->t], bits));
}

/// EE and RI change nothing that the engine has prepared.
const op* mtmsr_l1(core& c, const op* o) {
    u64& msr = c.state.msr;
    msr = msr::changed(msr, c.state.gpr[o->t], msr::by_mtmsr_l1);
    if ((msr & msr_ee) != 0 && c.interrupt_waits_behind(o)) [[unlikely]] {
        return go_to(c, o, c.nia(o), msr);
    }
    return next(c, o);
}

template <u64 bits>
handler select_mtmsr(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return info_of(operand::l_msr).value(word) != 0 ? for_supervisor<mtmsr_l1> : for_supervisor<mtmsr<bits>>;
}

const op* mfmsr(core& c, const op* o) {
    c.state.gpr[o->t] = c.state.msr;
    return next(c, o);
}

// --- Translation look-aside buffers (5.9.3). op::imm is the instruction word. Under radix translation there are no
// segment look-aside buffers: what would change them does nothing, what would read them finds nothing.

const op* nothing_to_do(core& c, const op* o) { return next(c, o); }

const op* nothing_there(core& c, const op* o) {
    c.state.gpr[o->t] = 0;
    return next(c, o);
}
const op* slbfee(core& c, const op* o) {
    c.state.gpr[o->t] = 0;
    c.state.cr.field[0] = static_cast<std::uint8_t>(c.state[spr::xer] >> 31 & 1);
    return next(c, o);
}

/// RB of tlbie and tlbiel.
namespace tlbie_rb {
constexpr unsigned is_shift = 63 - 53;   // invalidation selector
constexpr unsigned ap_shift = 63 - 58;   // actual page size
constexpr unsigned set_shift = 63 - 51;  // tlbiel of more than a page: congruence class
constexpr u64 set_mask = 0xfff;
constexpr u64 page_number = ~u64{0xfff};
}  // namespace tlbie_rb

/// Page size by AP; 0 for an encoding that there is not.
constexpr std::array<u64, 8> page_size_of_ap{
    u64{1} << 12, u64{1} << 21, u64{1} << 30, 0, 0, u64{1} << 16, 0, 0};

constexpr std::int32_t ric_walks_only = 1;
constexpr std::int32_t ric_group = 3;

/// The processor keeps no intermediate steps of walks (RIC=1 has nothing to do), and everything that it keeps is in the
/// congruence class 0, so that tlbiel of other classes finds nothing.
template <bool everywhere>
void invalidate(core& c, const op* o) {
    const auto word = static_cast<std::uint32_t>(o->imm);
    const u64 rb = c.state.gpr[o->b];
    const u64 rs = c.state.gpr[o->t];
    const auto selector = rb >> tlbie_rb::is_shift & 3;
    const std::int32_t ric = info_of(operand::ric).value(word);
    tlb_invalidation what{.everywhere = everywhere, .pid = rs >> 32};
    if (selector == 0) {
        what.size = page_size_of_ap[rb >> tlbie_rb::ap_shift & 7];
        what.ea = rb & tlbie_rb::page_number & ~(what.size - 1);
        what.what = what.size == 0 || ric == ric_group ? tlb_invalidation::reach::process
                                                       : tlb_invalidation::reach::page;
    } else {
        if (!everywhere && (rb >> tlbie_rb::set_shift & tlbie_rb::set_mask) != 0) {
            return;
        }
        what.what = selector == 1 ? tlb_invalidation::reach::process : tlb_invalidation::reach::all;
    }
    if (ric != ric_walks_only) {
        c.invalidate(what);
    }
}
template <bool everywhere>
const op* tlbie(core& c, const op* o) {
    if ((c.state.msr & msr_hv) == 0 && (c.state[spr::lpcr] & lpcr::gtse) == 0) {
        return illegal(c, o);  // the hypervisor's alone
    }
    invalidate<everywhere>(c, o);
    return next(c, o);
}

const op* tlbsync(core& c, const op* o) { return next(c, o); }

// --- Messages to the threads of this processor, of which there is one (11.3)

constexpr unsigned message_type_shift = 63 - 36;
constexpr u64 message_type_mask = 0x1f;
constexpr u64 directed_doorbell_message = 5;
constexpr u64 message_thread_mask = 0x7f;

bool doorbell_for(u64 message, u64 thread) {
    return (message >> message_type_shift & message_type_mask) == directed_doorbell_message &&
           (message & message_thread_mask) == thread;
}

const op* msgsndp(core& c, const op* o) {
    if (!doorbell_for(c.state.gpr[o->b], 0)) {
        return next(c, o);
    }
    c.state[spr::dpdes] = 1;
    return go_to(c, o, c.nia(o), c.state.msr);
}
const op* msgclrp(core& c, const op* o) {
    if (doorbell_for(c.state.gpr[o->b], 0)) {
        c.state[spr::dpdes] = 0;
    }
    return next(c, o);
}

// --- Event-based branches and branch history (Book II 6). Nothing causes event-based exceptions, and no branch is
// recorded.

constexpr u64 bescr_ge = u64{1} << 63;

const op* rfebb(core& c, const op* o) {
    if (problem_state(c) && !fscr_enables(c.state[spr::fscr], facility_cause::ebb)) {
        return not_enabled(c, o, facility_cause::ebb);
    }
    const bool enable = info_of(operand::s_ebb).value(static_cast<std::uint32_t>(o->imm)) != 0;
    u64& bescr = c.state[spr::bescr];
    bescr = enable ? bescr | bescr_ge : bescr & ~bescr_ge;
    return c.branch_far(o, c.state[spr::ebbrr]);
}

/// MMCR0[PMCC]: problem state may read branch history when its first bit is one.
constexpr u64 pmcc_first = u64{1} << (63 - 44);

template <handler run>
const op* with_branch_history(core& c, const op* o) {
    const bool available = !problem_state(c) || (c.state[spr::mmcr0] & pmcc_first) != 0;
    return available ? run(c, o) : not_enabled(c, o, facility_cause::bhrb);
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Storage control and event-based branches (Power ISA 3.0B Book II), and what only system software uses
/// (Book III).
// clang-format off
constexpr instruction_row rows[] = {
    // Book II 4.6.4 Wait
    {"wait",    x_form(31, 30),    {},              plain, storage,    power_save, always<idle>},

    // Book II: time base (phased out in favour of mfspr)
    {"mftb",    xfx_form(31, 371), {rt, tbr},       plain, storage,    status, select_mfspr},

    // Book II: event-based branches, branch history
    {"rfebb",   xl_form(19, 146),  {s_ebb},         plain, ebb,        call, always<rfebb>},
    {"clrbhrb", x_form(31, 430),   {},              plain, ebb,        status, always<with_branch_history<nothing_to_do>>},
    {"mfbhrbe", xfx_form(31, 302), {rt, bhrbe},     plain, ebb,        status, always<with_branch_history<nothing_there>>},

    // Book III: system linkage, power saving
    {"rfscv",   xl_form(19, 82),   {},              plain, privileged, call, supervisor<rfscv>},
    {"rfid",    xl_form(19, 18),   {},              plain, privileged, call, supervisor<rfid>},
    {"hrfid",   xl_form(19, 274),  {},              plain, hypervisor, call, hypervisor_only<hrfid>},
    {"urfid",   xl_form(19, 306),  {},              plain, ultravisor, call, hypervisor_only<illegal>},
    {"stop",    xl_form(19, 370),  {},              plain, privileged, power_save, supervisor<idle>},

    // Book III: cache-inhibited loads and stores in hypervisor real mode
    {"lbzcix",  x_form(31, 853),   {rt, ra0, rb},   plain, hypervisor, load, hypervisor_only<illegal>},
    {"lhzcix",  x_form(31, 821),   {rt, ra0, rb},   plain, hypervisor, load, hypervisor_only<illegal>},
    {"lwzcix",  x_form(31, 789),   {rt, ra0, rb},   plain, hypervisor, load, hypervisor_only<illegal>},
    {"ldcix",   x_form(31, 885),   {rt, ra0, rb},   plain, hypervisor, load, hypervisor_only<illegal>},
    {"stbcix",  x_form(31, 981),   {rs, ra0, rb},   plain, hypervisor, store, hypervisor_only<illegal>},
    {"sthcix",  x_form(31, 949),   {rs, ra0, rb},   plain, hypervisor, store, hypervisor_only<illegal>},
    {"stwcix",  x_form(31, 917),   {rs, ra0, rb},   plain, hypervisor, store, hypervisor_only<illegal>},
    {"stdcix",  x_form(31, 1013),  {rs, ra0, rb},   plain, hypervisor, store, hypervisor_only<illegal>},

    // Book III: machine state register
    {"mtmsr",   x_form(31, 146),   {rs, l_msr},     plain, privileged, status, select_mtmsr<msr::by_mtmsr>},
    {"mtmsrd",  x_form(31, 178),   {rs, l_msr},     plain, privileged, status, select_mtmsr<msr::by_mtmsrd>},
    {"mfmsr",   x_form(31, 83),    {rt},            plain, privileged, status, supervisor<mfmsr>},

    // Book III: translation look-aside buffers
    {"slbie",   x_form(31, 434),   {rb},            plain, privileged, translation, supervisor<nothing_to_do>},
    {"slbiag",  x_form(31, 850),   {rs},            plain, privileged, translation, supervisor<nothing_to_do>},
    {"slbieg",  x_form(31, 466),   {rs, rb},        plain, privileged, translation, supervisor<nothing_to_do>},
    {"slbia",   x_form(31, 498),   {ih},            plain, privileged, translation, supervisor<nothing_to_do>},
    {"slbmte",  x_form(31, 402),   {rs, rb},        plain, privileged, translation, supervisor<nothing_to_do>},
    {"slbmfev", x_form(31, 851),   {rt, rb, l_slb}, plain, privileged, translation, supervisor<nothing_there>},
    {"slbmfee", x_form(31, 915),   {rt, rb, l_slb}, plain, privileged, translation, supervisor<nothing_there>},
    {"slbfee.", x_form(31, 979).dot(), {rt, rb},    plain, privileged, translation, supervisor<slbfee>},
    {"slbsync", x_form(31, 338),   {},              plain, privileged, translation, supervisor<nothing_to_do>},
    {"tlbie",   x_form(31, 306),   {rb, rs, ric, prs, r_radix}, plain, privileged, translation, supervisor<tlbie<true>>},
    {"tlbiel",  x_form(31, 274),   {rb, rs_or_0, ric, prs, r_radix}, plain, privileged, translation, supervisor<tlbie<false>>},
    {"tlbsync", x_form(31, 566),   {},              plain, privileged, translation, supervisor<tlbsync>},

    // Book III: messages
    {"msgsnd",  x_form(31, 206),   {rb},            plain, hypervisor, message, hypervisor_only<illegal>},
    {"msgclr",  x_form(31, 238),   {rb},            plain, hypervisor, message, hypervisor_only<illegal>},
    {"msgsndp", x_form(31, 142),   {rb},            plain, privileged, message, supervisor<msgsndp>},
    {"msgclrp", x_form(31, 174),   {rb},            plain, privileged, message, supervisor<msgclrp>},
    {"msgsync", x_form(31, 886),   {},              plain, hypervisor, message, hypervisor_only<illegal>},
    {"msgsndu", x_form(31, 78),    {rb},            plain, ultravisor, message, hypervisor_only<illegal>},
    {"msgclru", x_form(31, 110),   {rb},            plain, ultravisor, message, hypervisor_only<illegal>},

    // Support processor attention
    {"attn",    x_form(0, 256),    {},              plain, system,     trap, always<attn>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> system_rows() { return rows; }

}  // namespace pefsim::power::isa
