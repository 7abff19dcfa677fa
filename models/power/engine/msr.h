// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/registers.h"

/// Who may change which bits of the Machine State Register: Power ISA 3.0B Book III 3.2.1, 3.3.1 and 4.4.2. Reserved
/// bits, and those of transactional memory, which this processor has not, are zero and stay so.
namespace pefsim::power::msr {

/// MSR bits that SRR1, CTR and the like return unchanged: all but 33:36 and 42:47, which interrupts use.
inline constexpr std::uint64_t saved = ~std::uint64_t{0x783f'0000};

/// What mtmsrd (L=0) changes: not HV, S, ME and LE.
inline constexpr std::uint64_t by_mtmsrd = msr_sf | msr_vec | msr_vsx | msr_ee | msr_pr | msr_fp | msr_fe0 |
                                           msr_se | msr_be | msr_fe1 | msr_ir | msr_dr | msr_pmm | msr_ri;
/// mtmsr (L=0): bits 32:63 of these.
inline constexpr std::uint64_t by_mtmsr = by_mtmsrd & 0xffff'ffff;
/// mtmsr and mtmsrd with L=1.
inline constexpr std::uint64_t by_mtmsr_l1 = msr_ee | msr_ri;
/// rfid and rfscv.
inline constexpr std::uint64_t by_return = by_mtmsrd | msr_le;

/// Problem state implies external interrupts and relocation.
constexpr std::uint64_t with_implied(std::uint64_t value) {
    return (value & msr_pr) != 0 ? value | msr_ee | msr_ir | msr_dr : value;
}

constexpr std::uint64_t changed(std::uint64_t before, std::uint64_t to, std::uint64_t bits) {
    return with_implied((before & ~bits) | (to & bits));
}

/// After rfid, or rfscv, from `before`: HV can be given up, never taken; ME is a hypervisor's to change; S stays.
constexpr std::uint64_t returned(std::uint64_t before, std::uint64_t to) {
    const bool hypervisor = (before & msr_hv) != 0;
    const std::uint64_t bits = by_return | (hypervisor ? msr_hv | msr_me : 0);
    return changed(before, to, bits);
}

}  // namespace pefsim::power::msr
