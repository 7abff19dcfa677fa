// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/timed_spinlock.h"

#include <algorithm>

#include "timing/simulation_time.h"

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
        cpu.spend_on_lock(free - now);
        now = cpu.now();
    }
    if (now > begin) {
        contention.times.add();
        contention.wait.add(now - begin);
    }
}

// A hold may end within the next one: look again from its end.
sc_time timed_spinlock::free_at(sc_time when, unsigned cpu) const {
    for (bool moved = true; moved;) {
        moved = false;
        auto later = std::ranges::upper_bound(holds_, when, {}, &hold::begin);
        for (; later != holds_.begin() && (later - 1)->begin + longest_ > when; --later) {
            const hold& each = *(later - 1);
            if (each.cpu != cpu && when < each.end) {
                when = each.end;
                moved = true;
                break;
            }
        }
    }
    return when;
}

void timed_spinlock::hold_for(native_cpu& cpu, const sc_time& cost, const sc_time& work) {
    const sc_time begin = cpu.now();
    remember({.begin = begin, .end = begin + cost + work, .cpu = cpu.number()});
    cpu.spend_on_lock(cost, work);
}

void timed_spinlock::remember(const hold& what) {
    if (holds_.full()) [[unlikely]] {
        forget_past();
    }
    if (holds_.empty() || holds_.back().begin <= what.begin) {
        holds_.push_back(what);
    } else {
        holds_.insert(std::ranges::upper_bound(holds_, what.begin, {}, &hold::begin), what);
    }
    longest_ = std::max(longest_, what.end - what.begin);
    last_end_ = std::max(last_end_, what.end);
}

// No CPU's local time is behind simulation time.
void timed_spinlock::forget_past() {
    while (!holds_.empty() && holds_.front().end <= timing::simulation_time()) {
        holds_.pop_front();
    }
    if (holds_.full()) {
        holds_.set_capacity(2 * holds_.capacity());
    }
}

}  // namespace pefsim::dma_ops
