// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <systemc>
#include <utility>

#include "cpu/host_interrupt.h"

namespace pefsim::cpu {

/// What the host does to take a processor out of its guest: a doorbell, and the hypervisor decrementer. Plain C++; the
/// CPU asks between instructions.
class guest_exits {
public:
    /// \param time_slice the host takes the processor back so long after it entered the guest; 0: never
    explicit guest_exits(const sc_core::sc_time& time_slice)
        : time_slice_(time_slice),
          slice_end_(time_slice) {}

    /// A hypervisor doorbell arrives while the processor runs the guest.
    void ring() { doorbell_ = true; }
    [[nodiscard]] bool waits(const sc_core::sc_time& now) const { return doorbell_ || slice_over(now); }
    /// What takes the processor out of the guest at `now`, once.
    std::optional<host_interrupt> next(const sc_core::sc_time& now) {
        if (std::exchange(doorbell_, false)) {
            return host_interrupt::hypervisor_doorbell;
        }
        return slice_over(now) ? std::optional(host_interrupt::hypervisor_decrementer) : std::nullopt;
    }
    /// The hypervisor lets the processor into the guest again: its time begins anew.
    /// \param with_interrupts an interrupt that waits is delivered by the same step
    void entered(const sc_core::sc_time& now, bool with_interrupts) {
        slice_end_ = now + time_slice_;
        brings_interrupt_ = with_interrupts;
    }
    /// The external interrupt that is taken now came with the entry; no second one does.
    bool came_with_entry() { return std::exchange(brings_interrupt_, false); }
    /// Until the host takes the processor back; nullopt: it does not.
    [[nodiscard]] std::optional<sc_core::sc_time> left(const sc_core::sc_time& now) const {
        if (time_slice_ == sc_core::SC_ZERO_TIME) {
            return std::nullopt;
        }
        return slice_end_ > now ? slice_end_ - now : sc_core::SC_ZERO_TIME;
    }

private:
    [[nodiscard]] bool slice_over(const sc_core::sc_time& now) const {
        return time_slice_ != sc_core::SC_ZERO_TIME && now >= slice_end_;
    }

    sc_core::sc_time time_slice_;
    sc_core::sc_time slice_end_;
    bool doorbell_ = false;
    bool brings_interrupt_ = false;
};

}  // namespace pefsim::cpu
