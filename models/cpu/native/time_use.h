// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

namespace pefsim::cpu::native {

/// What a CPU's time has gone into, since it started. What is in none of the parts of sum() is the program's own work:
/// driver and DMA-ops calls with their accesses to memory, and barriers. Of that, the share of the DMA API is known.
struct time_use {
    sc_core::sc_time copies;  ///< copy(): of bounce buffers
    sc_core::sc_time locks;   ///< taking and releasing locks between CPUs, and spinning for them
    sc_core::sc_time
        hypercalls;  ///< hypercalls, MMIO, and pages that are not there: the way to the other side and back
    sc_core::sc_time ultracalls;  ///< likewise, with what the Ultravisor asks of the hypervisor meanwhile
    sc_core::sc_time
        interrupts;         ///< entry to and return from external interrupts; not what their handlers do
    sc_core::sc_time idle;  ///< ceded, waiting for an interrupt

    // --- of the program's own work, not in sum()
    sc_core::sc_time dma_api;         ///< calls of DMA operations, but for what is in one of the parts above
    sc_core::sc_time indirect_calls;  ///< of that, what getting to the operation takes (dma_ops::call_form)

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
        dma_api += other.dma_api;
        indirect_calls += other.indirect_calls;
        return *this;
    }
    time_use& operator-=(const time_use& earlier) {
        copies -= earlier.copies;
        locks -= earlier.locks;
        hypercalls -= earlier.hypercalls;
        ultracalls -= earlier.ultracalls;
        interrupts -= earlier.interrupts;
        idle -= earlier.idle;
        dma_api -= earlier.dma_api;
        indirect_calls -= earlier.indirect_calls;
        return *this;
    }
};

}  // namespace pefsim::cpu::native
