// SPDX-License-Identifier: Apache-2.0
#include "power/engine/interrupt.h"

#include "power/engine/msr.h"

namespace pefsim::power {
namespace {

constexpr std::uint64_t relocation = msr_ir | msr_dr;

/// How POWER9 reports an access to a real address that nothing answers (as Linux decodes it: mce_power.c).
namespace machine_check_status {
constexpr std::uint64_t by_data = std::uint64_t{1} << (63 - 42);  // SRR1: DSISR says more
constexpr std::uint32_t data_address = 0x40;
constexpr std::uint32_t data_table = 0x20;
constexpr std::uint64_t fetch_address = 0x080c'0000;
constexpr std::uint64_t fetch_table = 0x0810'0000;
}  // namespace machine_check_status

/// Where interrupts are taken with relocation on (LPCR[AIL], 2.2): an offset that is added to the vector.
constexpr std::uint64_t ail_2_offset = 0x0001'8000;
constexpr std::uint64_t ail_3_offset = 0xc000'0000'0000'4000;
/// System Call Vectored has its own places.
constexpr std::uint64_t scv_base = 0x0001'7000;
constexpr std::uint64_t scv_base_ail_3 = 0xc000'0000'0000'3000;
constexpr std::uint64_t scv_entry_size = 0x20;

/// How an interrupt finds the processor (6.5, figure "MSR setting due to interrupt"). ME stays as it is.
std::uint64_t msr_of_interrupt(const registers& state, bool relocate) {
    const std::uint64_t ile = (state[spr::lpcr] & lpcr::ile) != 0 ? msr_le : 0;
    return (state.msr & (msr_hv | msr_s | msr_me)) | msr_sf | ile | (relocate ? relocation : 0);
}

/// LPCR[AIL], when the interrupt finds relocation on.
std::uint64_t ail_of(const registers& state) {
    return (state.msr & relocation) == relocation ? state[spr::lpcr] & lpcr::ail : 0;
}

/// LR and CTR take the place of SRR0 and SRR1; MSR[EE] and MSR[RI] are left alone (6.5.28).
void enter_system_call_vectored(registers& state, std::uint64_t nip, std::uint8_t level) {
    const std::uint64_t ail = ail_of(state);
    state[spr::lr] = nip;
    state[spr::ctr] = state.msr & msr::saved;
    state.msr = msr_of_interrupt(state, ail != 0) | (state.msr & (msr_ee | msr_ri));
    state.nip = (ail == lpcr::ail_3 ? scv_base_ail_3 : scv_base) + level * scv_entry_size;
}

std::uint64_t address_of(vector which, std::uint64_t ail) {
    const std::uint64_t offset = ail == lpcr::ail_3 ? ail_3_offset : ail == lpcr::ail_2 ? ail_2_offset : 0;
    return offset + static_cast<std::uint64_t>(which);
}

}  // namespace

interrupt_cause instruction_fault(const translation& failed) {
    switch (failed.error) {
    case storage_error::segment:
        return {.which = vector::instruction_segment};
    case storage_error::machine_check:
        return {.which = vector::machine_check, .srr1 = machine_check_status::fetch_address};
    case storage_error::table_machine_check:
        return {.which = vector::machine_check, .srr1 = machine_check_status::fetch_table};
    default:
        return {.which = vector::instruction_storage, .srr1 = failed.status};
    }
}

interrupt_cause data_fault(const translation& failed, std::uint64_t ea, access_kind kind) {
    interrupt_cause cause{.has_dar = true, .dar = ea};
    switch (failed.error) {
    case storage_error::segment:
        cause.which = vector::data_segment;
        return cause;
    case storage_error::machine_check:
    case storage_error::table_machine_check:
        cause.which = vector::machine_check;
        cause.srr1 = machine_check_status::by_data;
        cause.dsisr = failed.error == storage_error::machine_check ? machine_check_status::data_address
                                                                   : machine_check_status::data_table;
        break;
    default:
        cause.which = vector::data_storage;
        cause.dsisr = static_cast<std::uint32_t>(failed.status);
        break;
    }
    cause.has_dsisr = true;
    cause.dsisr |= kind == access_kind::store ? storage_status::store : 0;
    return cause;
}

interrupt_cause alignment_fault(std::uint64_t ea) {
    return {.which = vector::alignment, .has_dar = true, .dar = ea};
}

interrupt_cause watchpoint_match(std::uint64_t ea, access_kind kind) {
    return data_fault({.error = storage_error::storage, .status = storage_status::watchpoint}, ea, kind);
}

interrupt_cause unsuitable_storage(std::uint64_t ea, access_kind kind) {
    return data_fault({.error = storage_error::storage, .status = storage_status::unsuitable}, ea, kind);
}

interrupt_cause enabled_by_msr() {
    return {.which = vector::program, .srr1 = program::enabled_fp | program::behind};
}

interrupt_cause facility_unavailable(std::uint8_t cause) {
    return {.which = vector::facility_unavailable, .has_facility = true, .facility = cause};
}

interrupt_cause privileged_instruction() { return {.which = vector::program, .srr1 = program::privileged}; }

interrupt_cause emulation_assistance(std::uint32_t instruction) {
    return {.which = vector::hypervisor_emulation_assistance, .instruction = instruction};
}

void enter_interrupt(registers& state, std::uint64_t nip, const interrupt_cause& cause) {
    if (cause.which == vector::system_call_vectored) {
        enter_system_call_vectored(state, nip, cause.level);
        return;
    }
    if (cause.has_dar) {
        state[spr::dar] = cause.dar;
    }
    if (cause.has_dsisr) {
        state[spr::dsisr] = cause.dsisr;
    }
    if (cause.has_facility) {
        constexpr std::uint64_t cause_field = std::uint64_t{0xff} << fscr_cause_shift;
        state[spr::fscr] = (state[spr::fscr] & ~cause_field) | std::uint64_t{cause.facility}
                                                                   << fscr_cause_shift;
    }
    vector which = cause.which;
    std::uint64_t srr1 = (state.msr & msr::saved) | cause.srr1;
    if (which == vector::hypervisor_emulation_assistance) {
        state[spr::heir] = cause.instruction;
        if ((state.msr & msr_hv) != 0) {
            state[spr::hsrr0] = nip;
            state[spr::hsrr1] = srr1;
            state.msr = msr_of_interrupt(state, false) | (state.msr & msr_ri);
            state.nip = static_cast<std::uint64_t>(which);
            return;
        }
        which = vector::program;
        srr1 |= program::illegal;
    }
    state[spr::srr0] = nip;
    state[spr::srr1] = srr1;
    const std::uint64_t ail = vectors[row_of(which)].relocated ? ail_of(state) : 0;
    state.msr = msr_of_interrupt(state, ail == lpcr::ail_2 || ail == lpcr::ail_3);
    state.nip = address_of(which, ail);
}

}  // namespace pefsim::power
