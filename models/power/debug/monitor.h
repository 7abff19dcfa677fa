// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "power/debug/call_chain.h"
#include "power/debug/coverage.h"
#include "power/debug/line_coverage.h"
#include "power/debug/profile.h"
#include "power/debug/trace_recorder.h"
#include "power/engine/core.h"

namespace pefsim::power::debug {

/// A range of effective addresses, first .. last.
struct address_range {
    std::uint64_t first = 0;
    std::uint64_t last = std::numeric_limits<std::uint64_t>::max();

    [[nodiscard]] bool contains(std::uint64_t ea) const { return ea >= first && ea <= last; }
    [[nodiscard]] bool overlaps(const address_range& other) const {
        return first <= other.last && other.first <= last;
    }
    friend bool operator==(const address_range&, const address_range&) = default;
};

/// What of an execution is recorded: instructions that lie in the address range and in the range of instruction
/// numbers.
struct trace_window {
    address_range where{};
    std::uint64_t from = 0;  ///< number of the first instruction
    std::uint64_t to =
        std::numeric_limits<std::uint64_t>::max();  ///< number of the first that is not recorded
};

enum class watch_kind : std::uint8_t { write = 1, read = 2, access = 3 };

struct watchpoint {
    address_range where;
    watch_kind kind = watch_kind::write;
    friend bool operator==(const watchpoint&, const watchpoint&) = default;
};

/// Why an observed core stopped.
struct stop_cause {
    enum class reason : std::uint8_t {
        breakpoint,  ///< before the instruction at `ea`
        watchpoint,  ///< before an instruction that accesses `ea`, within `watch`
        step,        ///< a step is done
        interrupt,  ///< before an interrupt of stop_before(); core::interrupt() tells which, `ea` is the instruction's
    };
    reason why = reason::step;
    std::uint64_t ea = 0;
    watch_kind watch = watch_kind::write;
};

/// Interrupts that a user may want to stop before.
struct interrupt_kinds {
    bool trap = false;  ///< Program, of type trap: tw, td and their like
    bool illegal =
        false;  ///< of an instruction that there is not: Hypervisor Emulation Assistance, or Program of that type

    [[nodiscard]] bool contains(const interrupt_cause& cause) const;
};

/// The tools that look at one core: breakpoints and watchpoints, single steps, exact budgets, trace, coverage, profile.
/// Without any of them the core runs as fast as if the monitor were not there; with breakpoints only, code outside
/// their small pages does; with a trace or coverage, code that they do not cover.
///
/// What is not a stop, a step or an exact budget leaves the execution as it is: runs end at the same instructions, and
/// registers, storage and interrupts are the same, whatever is recorded, counted or sampled.
///
/// Everything here is to be called outside core::run(), besides core::pause().
class monitor final : private observer {
public:
    explicit monitor(core& observed);
    ~monitor() override;
    monitor(const monitor&) = delete;
    monitor& operator=(const monitor&) = delete;

    // --- stops. run() then returns exit_reason::observed and stopped() tells why; the next run() goes on.
    /// Any number; a second one at the same address is the same.
    void add_breakpoint(std::uint64_t ea);
    /// False: there is none.
    bool remove_breakpoint(std::uint64_t ea);
    void add_watchpoint(const watchpoint& point);
    bool remove_watchpoint(const watchpoint& point);
    void remove_all_points();
    /// NIP is then at the instruction, and the interrupt has not been taken; the next run() executes it again. Not
    /// together with core::interrupts_leave().
    void stop_before(interrupt_kinds which) { interrupts_ = which; }
    /// The next run() executes one instruction, or enters one interrupt.
    void step();
    /// Until called with false, run(n) executes exactly n instructions.
    void exact(bool on);
    [[nodiscard]] const std::optional<stop_cause>& stopped() const { return stopped_; }

    // --- tools; null ends them. They must outlive their use.
    void record(trace_recorder* into, const trace_window& window = {});
    /// The time that the trace's marks carry from now on.
    void now(std::uint64_t picoseconds) { picoseconds_ = picoseconds; }
    void count(coverage* into);
    void count(execution_counts* into);
    /// \param stacks where the calls are read that led to a sample; null: they are not
    void sample(profile* into, stack_storage* stacks = nullptr);
    /// The core has left its guest at `nip`, or is about to: counts it as an event of the profile, if there is one.
    void happened(std::string_view what, std::uint64_t nip);

private:
    std::int64_t before_run(core& c, std::int64_t instructions) override;
    std::int64_t before_stretch(core& c) override;
    void after_stretch(core& c) override;
    exit_reason after_run(core& c, exit_reason why) override;
    bool sees_code(std::uint64_t ea) override;
    handler shim_of(observed_op& decoded, std::uint64_t ea) override;
    bool sees_data(std::uint64_t ea) override;
    bool access(core& c, const op* o, std::uint64_t ea, std::size_t size, access_kind kind) override;
    void interrupted(core& c, std::uint64_t nip, const interrupt_cause& cause) override;

    static const op* trace_shim(core& c, const op* o);
    static const op* make_room(core& c, const op* o);
    static const op* range_shim(core& c, const op* o);
    static const op* break_shim(core& c, const op* o);
    static const op* every_shim(core& c, const op* o);
    static monitor& of(const core& c) { return static_cast<monitor&>(*c.observed_by()); }

    [[nodiscard]] bool sees_everything() const {
        return stepping_ || exact_ || phase_ == phase::near || coverage_ != nullptr || executions_ != nullptr;
    }
    [[nodiscard]] bool broken_at(std::uint64_t ea) const;
    /// Whether the recorder is to get what happens at instruction `number`. It is told where that begins.
    bool records(const core& c, std::uint64_t number);
    void begin_record(const core& c, std::uint64_t number);
    /// True for the instruction before which a point stopped the core last, when it is executed at last.
    [[nodiscard]] bool resuming(const core& c, const op* o) const {
        return c.instructions_before(o) == stop_number_ && c.cia(o) == stop_nip_;
    }
    void stop(std::uint64_t number, std::uint64_t nip, const stop_cause& cause);
    void take_samples();
    void take_sample(std::uint64_t number);
    [[nodiscard]] stack_state behind(std::uint64_t place, std::uint64_t msr) const;
    void note_interrupt(const interrupt_cause& cause);
    void follow_window();
    [[nodiscard]] std::uint64_t stretch() const;
    void renew();

    static constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();

    core& core_;
    std::vector<std::uint64_t> breakpoints_;  // in ascending order
    std::vector<watchpoint> watchpoints_;
    interrupt_kinds interrupts_;
    bool stopping_before_interrupt_ = false;
    bool stepping_ = false;
    bool exact_ = false;
    bool changed_ = false;   // the core does not know yet
    bool sees_all_ = false;  // what the core knows
    std::optional<stop_cause> stopped_;
    std::uint64_t stop_number_ = none;  // instructions when a point stopped the core last
    std::uint64_t stop_nip_ = none;

    trace_recorder* recorder_ = nullptr;
    trace_window window_;
    /// Where the core is: far from the window's first instruction, near it (it may come in this stretch), within.
    enum class phase : std::uint8_t { far, near, within } phase_ = phase::far;
    bool recording_ = false;  // the recorder has been told to begin, in this stretch
    std::uint64_t picoseconds_ = 0;
    coverage* coverage_ = nullptr;
    execution_counts* executions_ = nullptr;
    profile* profile_ = nullptr;
    stack_storage* stacks_ = nullptr;
    std::uint64_t next_sample_ = 0;
    /// The first interrupt of a stretch: samples before it have the MSR that it has saved.
    struct first_interrupt {
        std::uint64_t number = 0;  ///< of the first instruction that is not before it
        std::uint64_t msr = 0;
    };
    std::optional<first_interrupt> interrupt_;
};

}  // namespace pefsim::power::debug
