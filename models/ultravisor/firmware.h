// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "cpu/traps.h"
#include "memory/guest_memory.h"
#include "memory/memory_bus.h"
#include "power/registers.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "ultravisor/esm_checks.h"
#include "ultravisor/hypervisor_calls.h"
#include "ultravisor/instruments.h"
#include "ultravisor/partition_table.h"
#include "ultravisor/protected_guest.h"
#include "ultravisor/restricted_registers.h"
#include "ultravisor/rtas_relay.h"
#include "ultravisor/secure_vm.h"

namespace pefsim::ultravisor {

/// Where a guest's kernel finds itself when UV_ESM has succeeded.
enum class esm_entry : std::uint8_t {
    return_to_caller,  ///< after the `sc 2`, R3 = U_SUCCESS: for native guests
    /// At kbase with R3 = fdt, R4 = kbase, R5 = 0, MSR[EE] = 0, as IBM's: for POWER guests.
    kernel_entry,
};

/// What the Ultravisor's work takes.
struct work_costs {
    /// \throws std::invalid_argument when a bandwidth is not positive
    explicit work_costs(const timing::timing& of);
    sc_core::sc_time ultracall;
    sc_core::sc_time reflection;
    sc_core::sc_time interrupt_return;
    sc_core::sc_time page_in;
    sc_core::sc_time crypt;  ///< one page
    sc_core::sc_time zero;   ///< one page
    sc_core::sc_time copy;   ///< one page
};

/// What the services of the Ultravisor may touch: its parts, each with a
/// contract of its own.
struct firmware {
    trace::recorder& recorder;
    memory::memory_bus& bus;
    memory::guest_memory& memory;  ///< use it by guest_access.h
    const work_costs& costs;
    esm_entry entry;
    const esm_checks& esm;
    secure_vm& vm;
    protected_guest& guest;
    hypervisor_calls& host;
    rtas_relay& rtas;
    partition_table& partitions;
    restricted_registers& restricted;
    instruments& shows;
};

/// An interrupt of cpu/host_interrupt.h while the secure guest runs. Every one enters the Ultravisor:
///
/// | interrupt                                       | what becomes of it                                         |
/// |-------------------------------------------------|------------------------------------------------------------|
/// | external                                        | straight back: the guest's own                             |
/// | hypervisor emulation assistance                 | straight back as the guest's Program interrupt, as KVM     |
/// |                                                 | does it for others (the public Ultravisor ends the guest)  |
/// | system reset, machine check, hypervisor         | reflected to the hypervisor in disguise (reflection.h)     |
/// | decrementer, hypervisor doorbell                |                                                            |
void interrupt(firmware& here, cpu::host_interrupt which, const power::registers& state,
               cpu::trap_context& context);

/// A storage interrupt of the secure guest: pages that are out are asked for,
/// MMIO becomes H_LOGICAL_CI_LOAD or H_LOGICAL_CI_STORE.
cpu::fault_outcome storage_interrupt(firmware& here, cpu::storage_fault& fault, const power::registers& state,
                                     cpu::trap_context& context);

}  // namespace pefsim::ultravisor
