// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <systemc>

#include "cpu/interrupt_line.h"

namespace pefsim::cpu {

/// By which a supervisor starts and stops a CPU (cpu/processor_if.h). A CPU begins stopped; one that is to stop is
/// stopped, for others, when its own thread has come to rest.
class run_switch {
public:
    explicit run_switch(interrupt_line& line) : line_(line) {}

    [[nodiscard]] bool stopped() const { return stopped_; }
    /// The CPU's thread is to come to rest() as soon as it may.
    [[nodiscard]] bool off() const { return off_; }

    /// Of a stopped CPU: its thread leaves rest() at `when`.
    void turn_on(const sc_core::sc_time& when) {
        stopped_ = false;
        start_at_ = when;
        started_.notify(when - sc_core::sc_time_stamp());
    }
    /// Ends its idling, too, and a start that has not come yet. \returns false when the CPU is stopped, or is to be
    bool turn_off() {
        if (off_ && !start_at_) {
            return false;
        }
        stopped_ = off_;
        off_ = true;
        start_at_.reset();
        line_.wake(sc_core::sc_time_stamp());
        return true;
    }
    /// In the CPU's thread, whose local time is simulation time: waits until it is started.
    void rest() {
        stopped_ = !start_at_;
        while (!start_at_ || *start_at_ > sc_core::sc_time_stamp()) {
            sc_core::wait(started_);
        }
        start_at_.reset();
        off_ = false;
    }

private:
    interrupt_line& line_;
    bool stopped_ = true;
    bool off_ = true;
    std::optional<sc_core::sc_time> start_at_;  // of a CPU that is off still
    sc_core::sc_event started_;
};

}  // namespace pefsim::cpu
