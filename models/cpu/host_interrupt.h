// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pefsim::cpu {

/// Interrupts that the software above a guest takes before the guest, if that takes them at all: the host causes them,
/// or the hardware leaves them to the host. Power ISA 3.0B Book III 6.5; with MSR[S]=1 every interrupt enters the
/// Ultravisor.
enum class host_interrupt : std::uint8_t {
    system_reset,
    machine_check,
    external,                ///< presented by hardware (XIVE), and the guest's own
    hypervisor_decrementer,  ///< the time that the host gives the processor is over
    emulation_assistance,    ///< the instruction is none; the guest's Program interrupt comes of it
    hypervisor_doorbell,  ///< the hypervisor has an interrupt of XICS, which it emulates, for the processor
};

struct host_interrupt_info {
    host_interrupt which;
    std::uint16_t vector;
    std::string_view name;
};

// clang-format off: a table, in the order of host_interrupt
inline constexpr std::array host_interrupts{
    host_interrupt_info{host_interrupt::system_reset, 0x100, "system_reset"},
    host_interrupt_info{host_interrupt::machine_check, 0x200, "machine_check"},
    host_interrupt_info{host_interrupt::external, 0x500, "external"},
    host_interrupt_info{host_interrupt::hypervisor_decrementer, 0x980, "hypervisor_decrementer"},
    host_interrupt_info{host_interrupt::emulation_assistance, 0xe40, "emulation_assistance"},
    host_interrupt_info{host_interrupt::hypervisor_doorbell, 0xe80, "hypervisor_doorbell"},
};
// clang-format on

constexpr const host_interrupt_info& info_of(host_interrupt which) {
    return host_interrupts[static_cast<std::size_t>(which)];
}

}  // namespace pefsim::cpu
