// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "cpu/traps.h"
#include "power/registers.h"

namespace pefsim::cpu {

/// Which of its two ports a CPU's trap goes to (cpu/traps.h).
///
/// | trap                      | MSR[S]=0   | MSR[S]=1   |
/// |---------------------------|------------|------------|
/// | `sc 1`, storage interrupt | hypervisor | Ultravisor |
/// | interrupt of the host's   | hypervisor | Ultravisor |
/// | `sc 2`                    | Ultravisor | Ultravisor |
///
/// Without an Ultravisor `sc 2` goes to the hypervisor; MSR[S]=1 is then impossible (std::logic_error).
class trap_router {
public:
    using hypervisor_port = sc_core::sc_port<trap_if>;
    using ultravisor_port = sc_core::sc_port<trap_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;

    trap_router(hypervisor_port& hypervisor, ultravisor_port& ultravisor)
        : hypervisor_(hypervisor),
          ultravisor_(ultravisor) {}

    /// Takes `sc 1`, storage interrupts and the host's of a CPU in this state.
    [[nodiscard]] trap_if& supervisor_of(const power::registers& state);
    /// Takes `sc 2`.
    [[nodiscard]] trap_if& ultracalls();

private:
    hypervisor_port& hypervisor_;
    ultravisor_port& ultravisor_;
};

}  // namespace pefsim::cpu
