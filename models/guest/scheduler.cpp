// SPDX-License-Identifier: Apache-2.0
#include "guest/scheduler.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

#include "abi/platform.h"
#include "report/quantity_text.h"

namespace pefsim::guest {

using sc_core::sc_time;

scheduler::scheduler(interrupts& irqs, std::vector<native_cpu*> cpus) : irqs_(irqs) {
    for (native_cpu* cpu : cpus) {
        cpus_.push_back({cpu, {}, {}});
    }
    // The interrupt itself is the message: whoever waits looks again.
    irqs_.request(abi::platform::ipi_source, [](native_cpu&) {});
}

void scheduler::check_may_wait(native_cpu& cpu) {
    if (!cpu.irqs_enabled()) {
        throw std::logic_error(
            fmt::format("{}: {}: waits with interrupts off", cpu.now().to_string(), cpu.name()));
    }
}

void scheduler::wake(native_cpu& from, unsigned target) {
    if (target != from.number()) {
        irqs_.send_ipi(from, target);
    }
}

void scheduler::complete(native_cpu& on, completion& event) {
    const unsigned waiter = event.waiter;
    event.done = true;
    wake(on, waiter);
}

void scheduler::complete_all(native_cpu& on, std::span<completion* const> events) {
    std::vector<unsigned> waiters;
    for (completion* event : events) {
        event->done = true;
        waiters.push_back(event->waiter);
    }
    for (const unsigned waiter : waiters) {
        wake(on, waiter);
    }
}

void scheduler::sleep(native_cpu& cpu, const sc_time& duration) {
    wait_until(cpu, [] { return false; }, cpu.now() + duration, {.what = "the end of its sleep"});
}

void scheduler::defer(native_cpu& cpu, const sc_time& delay, deferred_task work) {
    cpus_[cpu.number()].put_off.push_back({cpu.now() + delay, work});
}

void scheduler::run_deferred(native_cpu& cpu) {
    std::vector<deferred>& put_off = cpus_[cpu.number()].put_off;
    for (std::size_t i = 0; i < put_off.size();) {
        if (put_off[i].due > cpu.now()) {
            ++i;
            continue;
        }
        deferred_task work = put_off[i].work;
        put_off.erase(put_off.begin() + static_cast<std::ptrdiff_t>(i));
        work(cpu);
    }
}

void scheduler::idle(native_cpu& cpu, std::optional<sc_time> until) {
    for (const deferred& work : cpus_[cpu.number()].put_off) {
        until = until ? std::min(*until, work.due) : work.due;
    }
    if (!until) {
        cpu.wait_for_interrupt();
    } else if (*until > cpu.now()) {
        cpu.wait_for_interrupt(*until - cpu.now());
    }
}

void scheduler::run_on(native_cpu& from, unsigned target, task work) {
    if (target == from.number()) {
        work(from);
        return;
    }
    if (target >= cpus_.size()) {
        throw std::logic_error(
            fmt::format("{}: work for CPU {}, there are {}", from.name(), target, cpus_.size()));
    }
    ++unfinished_;
    cpus_[target].given.push_back(std::move(work));
    wake(from, target);
}

void scheduler::serve(native_cpu& cpu) {
    std::deque<task>& given = cpus_[cpu.number()].given;
    ++serving_;
    while (true) {
        wait_until(cpu, [this, &given] { return stopped_ || !given.empty(); }, {.what = "work"});
        if (given.empty()) {
            break;
        }
        const task work = std::move(given.front());
        given.pop_front();
        work(cpu);
        --unfinished_;
        wake_joining(cpu);
    }
    --serving_;
    wake_joining(cpu);
}

void scheduler::wake_joining(native_cpu& cpu) {
    if (joining_ && (unfinished_ == 0 || serving_ == 0)) {
        wake(cpu, *joining_);
    }
}

void scheduler::join(native_cpu& cpu) {
    joining_ = cpu.number();
    wait_until(cpu, [this] { return unfinished_ == 0; }, {.what = "work that other CPUs were given"});
    joining_.reset();
}

void scheduler::stop(native_cpu& cpu) {
    stopped_ = true;
    joining_ = cpu.number();
    for (unsigned target = 0; target < cpus_.size(); ++target) {
        wake(cpu, target);
    }
    wait_until(cpu, [this] { return serving_ == 0; }, {.what = "the other CPUs to stop"});
    joining_.reset();
}

std::string scheduler::what_it_does(const native_cpu& cpu) const {
    const waiting* wait = cpus_[cpu.number()].wait;
    if (wait == nullptr) {
        return "runs";
    }
    const auto text = [](const sc_time& when) { return report::time_text(report::in_ns(when)); };
    std::string result = fmt::format("waits since {} for {}", text(wait->since), wait->reason.what);
    if (!wait->reason.whose.empty()) {
        result += fmt::format(" ({})", wait->reason.whose);
    }
    if (wait->deadline) {
        result += fmt::format(", until {}", text(*wait->deadline));
    }
    return result;
}

void mutex::lock(scheduler& cpus, native_cpu& cpu) {
    if (taken_) {
        completion handed_over(cpu, {.what = "a mutex"});
        waiting_.push_back(&handed_over);
        cpus.wait_for(cpu, handed_over);
    }
    taken_ = true;
}

void mutex::unlock(scheduler& cpus, native_cpu& cpu) {
    if (waiting_.empty()) {
        taken_ = false;
        return;
    }
    completion* const next = waiting_.front();
    waiting_.pop_front();
    cpus.complete(cpu, *next);
}

}  // namespace pefsim::guest
