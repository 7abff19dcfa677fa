// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

namespace pefsim::cpu::native {

/// What a CPU's time has gone into, since it started. What is in none of these is the program's own work: driver and
/// DMA-ops calls with their accesses to memory, and barriers.
struct time_use {
    sc_core::sc_time copies;  ///< copy(): of bounce buffers
    sc_core::sc_time locks;   ///< taking and releasing locks between CPUs, and spinning for them
    sc_core::sc_time
        hypercalls;  ///< hypercalls, MMIO, and pages that are not there: the way to the other side and back
    sc_core::sc_time ultracalls;  ///< likewise, with what the Ultravisor asks of the hypervisor meanwhile
    sc_core::sc_time
        interrupts;         ///< entry to and return from external interrupts; not what their handlers do
    sc_core::sc_time idle;  ///< ceded, waiting for an interrupt

    [[nodiscard]] sc_core::sc_time sum() const {
        return copies + locks + hypercalls + ultracalls + interrupts + idle;
    }
    time_use& operator+=(const time_use& other) {
        copies += other.copies;
        locks += other.locks;
        hypercalls += other.hypercalls;
        ultracalls += other.ultracalls;
        interrupts += other.interrupts;
        idle += other.idle;
        return *this;
    }
    time_use& operator-=(const time_use& earlier) {
        copies -= earlier.copies;
        locks -= earlier.locks;
        hypercalls -= earlier.hypercalls;
        ultracalls -= earlier.ultracalls;
        interrupts -= earlier.interrupts;
        idle -= earlier.idle;
        return *this;
    }
};

}  // namespace pefsim::cpu::native
