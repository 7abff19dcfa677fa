// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/circular_buffer.hpp>
#include <string_view>
#include <systemc>

#include "cpu/native/native_cpu.h"
#include "report/metrics.h"

namespace pefsim::dma_ops {

using cpu::native::native_cpu;

/// Times a CPU found a lock taken, and how long it then waited; shared by the locks of a module.
struct lock_contention {
    lock_contention(report::metric_registry& in, std::string_view scope)
        : times(in, scope, "lock_contended", "times", "a CPU found the lock taken by another"),
          wait(in, scope, "lock_wait", "time that a CPU spun for a taken lock") {}
    report::counter times;
    report::duration_histogram wait;
};

/// A spinlock between CPUs that run ahead of simulation time, each by its own amount.
///
/// What it protects is done at once in the host, between take() and hold_for(); in simulated time the lock is held for
/// the duration given there. CPUs come here in any order of their local times, so the lock remembers all holds that end
/// after simulation time, and older ones while there is room: a CPU whose local time falls into another's hold spins to
/// the end of it.
class timed_spinlock {
public:
    timed_spinlock() : holds_(64) {}

    /// Spins while another CPU holds the lock at this CPU's local time.
    void take(native_cpu& cpu, lock_contention& contention);
    /// The lock is held from now on for as long as the CPU spends on `work` and on the lock itself (`cost`,
    /// timing::spinlock), since the lock's cache line goes from CPU to CPU meanwhile.
    void hold_for(native_cpu& cpu, const sc_core::sc_time& cost,
                  const sc_core::sc_time& work = sc_core::SC_ZERO_TIME);

private:
    struct hold {
        sc_core::sc_time begin;
        sc_core::sc_time end;
        unsigned cpu = 0;
    };

    [[nodiscard]] sc_core::sc_time free_at(sc_core::sc_time when, unsigned cpu) const;
    void remember(const hold& what);
    void forget_past();

    boost::circular_buffer<hold> holds_;  // by begin
    sc_core::sc_time longest_;
    sc_core::sc_time last_end_;
};

}  // namespace pefsim::dma_ops
