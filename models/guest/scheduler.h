// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "cpu/native/native_cpu.h"
#include "guest/callback.h"
#include "guest/interrupts.h"

namespace pefsim::guest {

using cpu::native::native_cpu;

/// What a CPU waits for, for people: "a request's completion" and whose, "virtio-blk0". Both outlive the wait.
struct wait_reason {
    std::string_view what = "an interrupt";
    std::string_view whose{};
};

/// Something that a CPU waits for and an interrupt handler, on this CPU or another, says (Linux's struct completion).
struct completion {
    explicit completion(const native_cpu& waits_on, wait_reason waits_for = {})
        : waiter(waits_on.number()),
          reason(waits_for) {}
    unsigned waiter;
    bool done = false;
    wait_reason reason;
};

/// How the kernel's CPUs wait, put work off and give each other work.
///
/// A CPU that waits cedes to the hypervisor (H_CEDE) with the decrementer set to the earliest moment it cares about.
/// Waiting in an interrupt handler, or with interrupts off, is a bug of the caller: std::logic_error.
class scheduler {
public:
    using task = std::function<void(native_cpu&)>;
    using deferred_task = callback<void(native_cpu&)>;

    /// \param cpus in order of their interrupt server numbers
    scheduler(interrupts& irqs, std::vector<native_cpu*> cpus);

    [[nodiscard]] std::size_t cpus() const { return cpus_.size(); }

    /// Idles until `condition()` is true; looks after every interrupt.
    template <class Condition>
    void wait_until(native_cpu& cpu, Condition condition, const wait_reason& reason = {}) {
        wait_until(cpu, condition, std::optional<sc_core::sc_time>{}, reason);
    }
    /// The same, but not beyond `deadline`. \returns whether the condition is true
    template <class Condition>
    bool wait_until(native_cpu& cpu, Condition condition, std::optional<sc_core::sc_time> deadline,
                    const wait_reason& reason = {}) {
        check_may_wait(cpu);
        const waiting on_record(*this, cpu, reason, deadline);
        while (true) {
            run_deferred(cpu);
            const native_cpu::irqs_off between_look_and_idle(cpu);
            if (condition()) {
                return true;
            }
            if (deadline && cpu.now() >= *deadline) {
                return false;
            }
            idle(cpu, deadline);
        }
    }
    void wait_for(native_cpu& cpu, const completion& event) {
        wait_until(
            cpu, [&event] { return event.done; }, event.reason);
    }
    void complete(native_cpu& on, completion& event);
    /// The same for several. All are said before the first CPU is woken, which takes time: whoever gives up waiting
    /// meanwhile takes its completion away.
    void complete_all(native_cpu& on, std::span<completion* const> events);
    void sleep(native_cpu& cpu, const sc_core::sc_time& duration);

    /// Calls `work` on this CPU the first time it waits after `delay` has passed.
    void defer(native_cpu& cpu, const sc_core::sc_time& delay, deferred_task work);

    /// Gives `work` to a CPU that serves; on the calling CPU it is done at once.
    void run_on(native_cpu& from, unsigned target, task work);
    /// Waits until everything that was given to CPUs is done.
    void join(native_cpu& cpu);
    /// The idle loop of the other CPUs: does what run_on() gives it, until stop().
    void serve(native_cpu& cpu);
    /// Ends serve() on all CPUs and waits until they are out of it.
    void stop(native_cpu& cpu);

    /// "waits since 12 us for a request's completion (virtio-blk0)", or "runs".
    [[nodiscard]] std::string what_it_does(const native_cpu& cpu) const;

private:
    /// A CPU's wait for as long as it lives, for what_it_does().
    class waiting {
    public:
        waiting(scheduler& in, const native_cpu& cpu, const wait_reason& why,
                const std::optional<sc_core::sc_time>& until)
            : reason(why),
              since(cpu.now()),
              deadline(until),
              place_(in.cpus_[cpu.number()].wait),
              before_(place_) {
            place_ = this;
        }
        ~waiting() { place_ = before_; }
        waiting(const waiting&) = delete;
        waiting& operator=(const waiting&) = delete;

        const wait_reason& reason;
        sc_core::sc_time since;
        const std::optional<sc_core::sc_time>& deadline;

    private:
        const waiting*& place_;
        const waiting* before_;
    };

    struct deferred {
        sc_core::sc_time due;
        deferred_task work;
    };
    struct per_cpu {
        native_cpu* cpu;
        std::deque<task> given;
        std::vector<deferred> put_off;
        const waiting* wait = nullptr;
    };

    static void check_may_wait(native_cpu& cpu);
    void run_deferred(native_cpu& cpu);
    void idle(native_cpu& cpu, std::optional<sc_core::sc_time> until);
    void wake(native_cpu& from, unsigned target);
    void wake_joining(native_cpu& cpu);

    interrupts& irqs_;
    std::vector<per_cpu> cpus_;
    unsigned unfinished_ = 0;
    unsigned serving_ = 0;             // CPUs
    std::optional<unsigned> joining_;  // the CPU in join() or stop()
    bool stopped_ = false;
};

/// A lock for code that waits while it holds it; CPUs get it in the order in which they asked.
class mutex {
public:
    void lock(scheduler& cpus, native_cpu& cpu);
    void unlock(scheduler& cpus, native_cpu& cpu);

private:
    bool taken_ = false;
    std::deque<completion*> waiting_;
};

}  // namespace pefsim::guest
