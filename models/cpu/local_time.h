// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

#include "timing/simulation_time.h"

namespace pefsim::cpu {

/// Local time of a CPU that runs ahead of simulation time: tlm_utils::tlm_quantumkeeper with a quantum of its own.
///
/// Simulation time is to catch up at the latest when local time reaches the next multiple of the quantum, so CPUs of
/// the same quantum meet there. A quantum of zero means: after every operation that takes time.
class local_time {
public:
    explicit local_time(const sc_core::sc_time& quantum);

    /// How far local time is ahead; what b_transport and a trap take as their delay and add to.
    sc_core::sc_time& ahead() { return ahead_; }
    [[nodiscard]] sc_core::sc_time now() const { return timing::simulation_time() + ahead_; }
    /// The same, for the CPU's own thread: simulation time stands still between its waits, and is remembered.
    [[nodiscard]] sc_core::sc_time own_now() const { return waited_until_ + ahead_; }

    void spend(const sc_core::sc_time& duration) { ahead_ += duration; }
    [[nodiscard]] bool quantum_used() const { return ahead_ >= left_; }
    /// True when nothing else can happen up to local time: to let simulation time catch up would change nothing.
    [[nodiscard]] bool undisturbed() const;
    /// Local time that is left until simulation time is to catch up.
    [[nodiscard]] sc_core::sc_time left() const {
        return quantum_used() ? sc_core::SC_ZERO_TIME : left_ - ahead_;
    }
    /// Waits, in the calling thread, until simulation time is local time. Does nothing when it is already. Simulation
    /// stops when the user has asked for it (output::stop_request).
    void catch_up();
    /// To be called after the thread has waited for something else than catch_up(); local time was not ahead.
    void resume();

private:
    sc_core::sc_time quantum_;
    sc_core::sc_time left_;
    sc_core::sc_time ahead_;
    sc_core::sc_time waited_until_;
    sc_core::sc_time meeting_point_;
};

}  // namespace pefsim::cpu
