// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "cpu/native/native_cpu.h"
#include "timing/timing.h"

namespace pefsim::guest {

using cpu::native::native_cpu;

/// A lock between CPUs. Taking it costs timing::spinlock; a CPU that finds it taken spins in simulated time.
class spinlock {
public:
    explicit spinlock(const timing::timing& costs)
        : taking_(costs.spinlock_ns, sc_core::SC_NS),
          spinning_(4 * costs.spinlock_ns + 1, sc_core::SC_NS) {}
    spinlock(const spinlock&) = delete;
    spinlock& operator=(const spinlock&) = delete;

    /// Holds the lock with interrupts off (spin_lock_irqsave).
    class guard {
    public:
        guard(spinlock& lock, native_cpu& cpu) : interrupts_off_(cpu), lock_(lock) { lock_.take(cpu); }
        ~guard() { lock_.taken_ = false; }
        guard(const guard&) = delete;
        guard& operator=(const guard&) = delete;

    private:
        native_cpu::irqs_off interrupts_off_;
        spinlock& lock_;
    };

    /// Times that a CPU found it taken.
    [[nodiscard]] std::uint64_t contended() const { return contended_; }

private:
    void take(native_cpu& cpu) {
        cpu.spend_on_lock(taking_);
        if (taken_) [[unlikely]] {
            ++contended_;
            while (taken_) {
                cpu.spend_on_lock(spinning_);
                cpu.synchronize();
            }
        }
        taken_ = true;
    }

    sc_core::sc_time taking_;
    sc_core::sc_time spinning_;
    bool taken_ = false;
    std::uint64_t contended_ = 0;
};

}  // namespace pefsim::guest
