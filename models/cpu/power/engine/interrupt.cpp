// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/engine/interrupt.h"

namespace pefsim::cpu::power {

interrupt_cause instruction_fault(const translation& failed) {
    switch (failed.error) {
    case storage_error::segment:
        return {.which = vector::instruction_segment};
    case storage_error::machine_check:
        return {.which = vector::machine_check, .srr1 = failed.status};
    default:
        return {.which = vector::instruction_storage, .srr1 = failed.status};
    }
}

interrupt_cause data_fault(const translation& failed, std::uint64_t ea, access_kind kind) {
    const std::uint32_t store = kind == access_kind::store ? 0x0200'0000 : 0;
    switch (failed.error) {
    case storage_error::segment:
        return {.which = vector::data_segment, .has_dar = true, .dar = ea};
    case storage_error::machine_check:
        return {.which = vector::machine_check, .has_dar = true, .dar = ea};
    default:
        return {.which = vector::data_storage,
                .has_dar = true,
                .dar = ea,
                .has_dsisr = true,
                .dsisr = static_cast<std::uint32_t>(failed.status) | store};
    }
}

void enter_interrupt(registers& state, std::uint64_t nip, const interrupt_cause& cause) {
    state[spr::srr0] = nip;
    state[spr::srr1] = state.msr | cause.srr1;
    if (cause.has_dar) {
        state[spr::dar] = cause.dar;
    }
    if (cause.has_dsisr) {
        state[spr::dsisr] = cause.dsisr;
    }
    state.msr = (state.msr & (msr_hv | msr_s | msr_le)) | msr_sf;
    state.nip = static_cast<std::uint64_t>(cause.which);
}

}  // namespace pefsim::cpu::power
