// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/timed_spinlock.h"

#include <algorithm>

namespace pefsim::dma_ops {

using sc_core::sc_time;

void timed_spinlock::take(native_cpu& cpu, lock_contention& contention) {
    const sc_time begin = cpu.now();
    if (begin >= last_end_) [[likely]] {
        return;
    }
    // Others may take the lock while this CPU waits, so it looks again.
    sc_time now = begin;
    for (sc_time free = free_at(now, cpu.number()); free > now; free = free_at(now, cpu.number())) {
        cpu.spend(free - now);
        now = cpu.now();
    }
    if (now > begin) {
        contention.times.add();
        contention.wait.add(now - begin);
    }
}

// One hold may end within another: look again from its end.
sc_time timed_spinlock::free_at(sc_time when, unsigned cpu) const {
    for (bool moved = true; moved;) {
        moved = false;
        for (const hold& each : holds_) {
            if (each.cpu != cpu && each.begin <= when && when < each.end) {
                when = each.end;
                moved = true;
            }
        }
    }
    return when;
}

void timed_spinlock::hold_for(native_cpu& cpu, const sc_time& duration) {
    const sc_time begin = cpu.now();
    holds_[next_] = {.begin = begin, .end = begin + duration, .cpu = cpu.number()};
    next_ = (next_ + 1) % remembered;
    last_end_ = std::max(last_end_, begin + duration);
    cpu.spend(duration);
}

}  // namespace pefsim::dma_ops
