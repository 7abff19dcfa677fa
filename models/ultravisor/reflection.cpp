// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/reflection.h"

#include <algorithm>

#include "abi/hcall.h"

namespace pefsim::ultravisor {

using power::spr;

disguise reflection::hide_all(const power::registers& guest, std::uint64_t vector) {
    disguise hidden;
    power::registers& shown = hidden.shown;
    for (std::uint64_t& gpr : shown.gpr) {
        gpr = noise_.next();
    }
    hidden.cookie = shown.gpr[31];
    shown[spr::srr0] = hidden.cookie;
    shown[spr::hsrr0] = hidden.cookie;
    shown[spr::srr1] = (guest.msr | power::msr_s) & ~srr1_system_call_level;
    shown[spr::hsrr1] = shown[spr::srr1];
    shown[spr::dec] = masked_decrementer;
    shown[spr::ppr] = masked_ppr;
    shown[spr::lpidr] = guest[spr::lpidr];
    shown[spr::pidr] = guest[spr::pidr];
    shown.msr = power::msr_sf | power::msr_hv | msr_me | power::msr_le;
    shown.nip = vector;
    return hidden;
}

disguise reflection::hide(const power::registers& guest, std::span<const std::uint64_t> inputs) {
    disguise hidden = hide_all(guest, system_call_vector);
    power::registers& shown = hidden.shown;
    std::ranges::copy(inputs, shown.gpr.begin() + 3);
    shown[spr::srr1] |= srr1_system_call_level_1;
    shown[spr::hsrr1] |= srr1_system_call_level_1;
    if (inputs.front() == static_cast<std::uint64_t>(abi::hcall::h_cede)) {
        shown[spr::dec] = guest[spr::dec];
    }
    return hidden;
}

disguise reflection::hide(const power::registers& guest, cpu::host_interrupt which) {
    disguise hidden = hide_all(guest, cpu::info_of(which).vector);
    if (which == cpu::host_interrupt::machine_check) {
        hidden.shown[spr::dsisr] = guest[spr::dsisr];
    }
    return hidden;
}

bool reflection::intact(const power::registers& guest, const disguise& back) {
    return back.shown[spr::lpidr] == guest[spr::lpidr] && back.shown[spr::pidr] == guest[spr::pidr] &&
           back.shown.gpr[31] == back.cookie && back.shown[spr::srr0] == back.cookie &&
           back.shown[spr::hsrr0] == back.cookie;
}

void reflection::take_back(const disguise& back, unsigned n_out, power::registers& guest) {
    std::copy_n(back.shown.gpr.begin() + 3, n_out, guest.gpr.begin() + 3);
}

}  // namespace pefsim::ultravisor
