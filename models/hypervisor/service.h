// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <systemc>

#include "abi/hcall.h"
#include "cpu/processor_if.h"
#include "cpu/time_base.h"
#include "cpu/traps.h"
#include "hypervisor/firmware_if.h"
#include "hypervisor/guest_end.h"
#include "hypervisor/mmio_emulation.h"
#include "hypervisor/secure_guest.h"
#include "hypervisor/ultravisor_gate.h"
#include "hypervisor/virtual_processors.h"
#include "hypervisor/virtual_terminal.h"
#include "interrupt/interrupt_controllers.h"
#include "memory/guest_memory.h"
#include "pci/tce_iommu.h"
#include "power/registers.h"

namespace pefsim::hypervisor {

using memory::guest_memory;

/// The guest's processors, by number.
using processor_port = sc_core::sc_port<cpu::processor_if, 0, sc_core::SC_ZERO_OR_MORE_BOUND>;

/// The machine's firmware, if it has one.
using firmware_port = sc_core::sc_port<firmware_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;

/// What a hypercall may touch: the hypervisor's parts, each with a contract of its own.
struct host {
    guest_memory& memory;
    mmio_emulation& mmio;
    secure_guest& guest;
    ultravisor_gate& ultravisor;
    virtual_terminal& terminal;
    virtual_processors& processors;  ///< what is kept of them, by number
    processor_port& cpus;            ///< they themselves
    firmware_port& firmware;
    interrupt::interrupt_controllers& controllers;
    interrupt::xics& interrupts;  ///< while it is the active one
    pci::tce_iommu& iommu;
    const cpu::time_base& ticks;
    std::uint64_t& time_base_given;  ///< by H_XIRR_X, the highest
    std::mt19937_64& random;         ///< of H_RANDOM
    std::optional<guest_end>& end;   ///< set when the guest has ended itself
};

/// Bit `n` of an argument or a result, in the numbering of PAPR: bit 0 is the most significant of 64.
constexpr std::uint64_t big_endian_bit(unsigned n) { return std::uint64_t{1} << (63 - n); }

/// A hypercall that is being served. Its return value goes to R3.
struct call {
    power::registers& state;
    cpu::trap_context& context;

    /// Arguments count from R4, and so do results.
    [[nodiscard]] std::uint64_t argument(unsigned n) const { return state.gpr[4 + n]; }
    void result(unsigned n, std::uint64_t value) const { state.gpr[4 + n] = value; }
    /// A trap that the Ultravisor has passed on for a secure guest, or made itself: MSR[HV]=1 and SRR1[S]=1.
    [[nodiscard]] bool from_secure_guest() const {
        return (state.msr & power::msr_hv) != 0 && (state[power::spr::srr1] & power::msr_s) != 0;
    }
};

/// A row of the hypervisor's dispatch table: a hypercall of abi/hcall.h, and the function that serves it. The rows of a
/// PAPR chapter stand at the end of the file with their functions.
struct service {
    abi::hcall number;
    abi::h_status (*serve)(host& here, const call& of);
    bool mmio = false;  ///< costs an MMIO exit instead of a hypercall
};

}  // namespace pefsim::hypervisor
