// SPDX-License-Identifier: Apache-2.0
#include "power/debug/monitor.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "power/debug/effect.h"

namespace pefsim::power::debug {
namespace {

/// A stretch goes on for up to a small page of straight code beyond its length.
constexpr std::uint64_t overshoot = 2 * words_per_page;

/// A trace tells all registers now and then, at the beginning of a stretch.
constexpr std::uint64_t longest_record = 65'536;

address_range small_page_at(std::uint64_t ea) { return {ea & small_page_mask, ea | ~small_page_mask}; }

}  // namespace

bool interrupt_kinds::contains(const interrupt_cause& cause) const {
    const bool of_program = cause.which == vector::program;
    return (trap && of_program && (cause.srr1 & program::trap) != 0) ||
           (illegal && (cause.which == vector::hypervisor_emulation_assistance ||
                        (of_program && (cause.srr1 & program::illegal) != 0)));
}

monitor::monitor(core& observed) : core_(observed) { core_.observe(this); }

monitor::~monitor() { core_.observe(nullptr); }

// --- stops

void monitor::add_breakpoint(std::uint64_t ea) {
    const auto place = std::ranges::lower_bound(breakpoints_, ea);
    if (place == breakpoints_.end() || *place != ea) {
        breakpoints_.insert(place, ea);
        changed_ = true;
    }
}

bool monitor::remove_breakpoint(std::uint64_t ea) {
    changed_ = true;
    return std::erase(breakpoints_, ea) != 0;
}

void monitor::add_watchpoint(const watchpoint& point) {
    watchpoints_.push_back(point);
    changed_ = true;
}

bool monitor::remove_watchpoint(const watchpoint& point) {
    const auto found = std::ranges::find(watchpoints_, point);
    if (found == watchpoints_.end()) {
        return false;
    }
    watchpoints_.erase(found);
    changed_ = true;
    return true;
}

void monitor::remove_all_points() {
    breakpoints_.clear();
    watchpoints_.clear();
    changed_ = true;
}

void monitor::step() { stepping_ = true; }

void monitor::exact(bool on) { exact_ = on; }

bool monitor::broken_at(std::uint64_t ea) const { return std::ranges::binary_search(breakpoints_, ea); }

void monitor::stop(std::uint64_t number, std::uint64_t nip, const stop_cause& cause) {
    stopped_ = cause;
    stop_number_ = number;
    stop_nip_ = nip;
}

// --- tools

void monitor::record(trace_recorder* into, const trace_window& window) {
    recorder_ = into;
    window_ = window;
    phase_ = phase::far;
    changed_ = true;
}

void monitor::count(coverage* into) {
    coverage_ = into;
    changed_ = true;
}

void monitor::count(execution_counts* into) {
    executions_ = into;
    changed_ = true;
}

void monitor::sample(profile* into, stack_storage* stacks) {
    profile_ = into;
    stacks_ = stacks;
    next_sample_ = into == nullptr ? 0 : core_.instructions() + into->period() - 1;
}

void monitor::follow_window() {
    const std::uint64_t number = core_.instructions();
    const phase now = recorder_ == nullptr || number >= window_.to ? phase::far
                      : number >= window_.from                     ? phase::within
                      : window_.from - number <= overshoot         ? phase::near
                                                                   : phase::far;
    changed_ = changed_ || now != phase_;
    phase_ = now;
}

/// What the registers tell of the stack at `place`, from which straight code has led to the latest branch.
stack_state monitor::behind(std::uint64_t place, std::uint64_t msr) const {
    const registers& state = core_.state;
    stack_state found{.place = place, .nip = state.nip, .msr = msr, .r1 = state.gpr[1], .lr = state[spr::lr]};
    const std::uint64_t branch = core_.recent(none);
    if (const auto words = stacks_->doubleword(branch & ~std::uint64_t{7}, msr);
        words && state.nip != branch + 4) {
        const bool upper = (branch % 8 != 0) == ((msr & msr_le) != 0);
        found.then = way_of(static_cast<std::uint32_t>(upper ? *words >> 32 : *words));
    }
    return found;
}

void monitor::take_sample(std::uint64_t number) {
    const std::uint64_t place = core_.recent(number);
    if (stacks_ == nullptr) {
        profile_->sample(place);
        return;
    }
    // An interrupt has kept R1 and LR, and what comes behind it lies behind the end of the stretch.
    const bool before = interrupt_ && number < interrupt_->number;
    std::array<chain_step, deepest_chain> chain;
    const stack_state from = before ? stack_state{.place = place,
                                                  .msr = interrupt_->msr,
                                                  .r1 = core_.state.gpr[1],
                                                  .lr = core_.state[spr::lr]}
                                    : behind(place, core_.state.msr);
    profile_->sample(std::span(chain).first(call_chain(from, *stacks_, chain)));
}

/// The samples that fell into the last stretch.
void monitor::take_samples() {
    for (; next_sample_ < core_.instructions(); next_sample_ += profile_->period()) {
        take_sample(next_sample_);
    }
}

void monitor::happened(std::string_view what, std::uint64_t nip) {
    if (profile_ == nullptr || stacks_ == nullptr) {
        return;
    }
    const registers& state = core_.state;
    std::array<chain_step, deepest_chain> chain;
    const stack_state from{.place = nip, .msr = state.msr, .r1 = state.gpr[1], .lr = state[spr::lr]};
    profile_->happened(what, std::span(chain).first(call_chain(from, *stacks_, chain)));
}

/// Those that an instruction causes are counted as one.
void monitor::note_interrupt(const interrupt_cause& cause) {
    const bool counted = cause.which != vector::external && cause.which != vector::decrementer &&
                         cause.which != vector::directed_doorbell;
    if (!interrupt_) {
        interrupt_ = {.number = core_.instructions() + (counted ? 1 : 0), .msr = core_.state.msr};
    }
}

void monitor::renew() {
    if (changed_ || sees_all_ != sees_everything()) {
        changed_ = false;
        sees_all_ = sees_everything();
        core_.observe(this);
    }
}

// --- the engine's questions

/// Instructions until something is to be looked at.
std::uint64_t monitor::stretch() const {
    const std::uint64_t number = core_.instructions();
    std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    if (recorder_ != nullptr && number < window_.from) {
        most = std::min(most, window_.from - number - (phase_ == phase::far ? overshoot : 0));
    } else if (phase_ == phase::within) {
        most = std::min({most, window_.to - number, longest_record});
    }
    if (profile_ != nullptr) {
        most = std::min(most, next_sample_ + 1 - number);
    }
    return most;
}

std::int64_t monitor::before_run(core& /*c*/, std::int64_t instructions) {
    stopped_.reset();
    return stepping_ ? 1 : std::max<std::int64_t>(instructions, 1);
}

std::int64_t monitor::before_stretch(core& c) {
    follow_window();
    renew();
    interrupt_.reset();
    if (phase_ == phase::within) {
        begin_record(c, c.instructions());
    }
    return static_cast<std::int64_t>(stretch());
}

void monitor::after_stretch(core& c) {
    if (recording_) {
        recorder_->end(c);
        recording_ = false;
    }
    if (profile_ != nullptr) {
        take_samples();
    }
}

void monitor::begin_record(const core& c, std::uint64_t number) {
    recorder_->begin(c, number, picoseconds_, window_.to);
    recording_ = true;
}

bool monitor::records(const core& c, std::uint64_t number) {
    if (recorder_ == nullptr || number < window_.from || number >= window_.to) {
        return false;
    }
    if (!recording_) {
        begin_record(c, number);
    }
    return true;
}

exit_reason monitor::after_run(core& c, exit_reason why) {
    if (stopping_before_interrupt_) {
        stopping_before_interrupt_ = false;
        stepping_ = false;
        c.interrupts_leave(false);
        stopped_ = stop_cause{.why = stop_cause::reason::interrupt, .ea = c.state.nip};
        return exit_reason::observed;
    }
    if (!stepping_) {
        return why;
    }
    stepping_ = false;
    if (why == exit_reason::observed) {
        return why;
    }
    stopped_ = stop_cause{.why = stop_cause::reason::step, .ea = c.state.nip};
    return why == exit_reason::paused ? exit_reason::observed : why;
}

bool monitor::sees_code(std::uint64_t ea) {
    const address_range here = small_page_at(ea);
    if (sees_everything() || (phase_ == phase::within && window_.where.overlaps(here))) {
        return true;
    }
    const auto first = std::ranges::lower_bound(breakpoints_, here.first);
    return first != breakpoints_.end() && *first <= here.last;
}

handler monitor::shim_of(observed_op& decoded, std::uint64_t ea) {
    describe_effect(decoded);
    const bool recorded = phase_ != phase::far && window_.where.contains(ea);
    if (recorded) {
        decoded.place = recorder_->place_of(ea);
    }
    if (broken_at(ea)) {
        return break_shim;
    }
    if (sees_everything()) {
        return every_shim;
    }
    return !recorded ? nullptr : window_.where == address_range{} ? trace_shim : range_shim;
}

bool monitor::sees_data(std::uint64_t ea) {
    const address_range here = small_page_at(ea);
    return std::ranges::any_of(watchpoints_,
                               [&](const watchpoint& each) { return each.where.overlaps(here); });
}

bool monitor::access(core& c, const op* o, std::uint64_t ea, std::size_t size, access_kind kind) {
    const address_range bytes{ea, ea + (size - 1)};
    const unsigned what = static_cast<unsigned>(kind == access_kind::store ? watch_kind::write
                                                                           : watch_kind::read);
    const auto hit = std::ranges::find_if(watchpoints_, [&](const watchpoint& each) {
        return (static_cast<unsigned>(each.kind) & what) != 0 && each.where.overlaps(bytes);
    });
    if (hit == watchpoints_.end() || resuming(c, o)) {
        return true;
    }
    stop(c.instructions_before(o), c.cia(o),
         {.why = stop_cause::reason::watchpoint, .ea = std::max(ea, hit->where.first), .watch = hit->kind});
    return false;
}

/// The engine asks whether interrupts leave it after it has told of this one.
void monitor::interrupted(core& c, std::uint64_t nip, const interrupt_cause& cause) {
    if (profile_ != nullptr) {
        note_interrupt(cause);
        if (cause.which == vector::data_storage || cause.which == vector::instruction_storage) {
            happened(cause.which == vector::data_storage ? "data page fault" : "instruction page fault", nip);
        }
    }
    if (interrupts_.contains(cause)) {
        stopping_before_interrupt_ = true;
        c.interrupts_leave(true);
    }
    if (records(c, c.instructions() - (cause.completes ? 1 : 0))) {
        recorder_->interrupt(c, nip, cause);
    }
}

// --- shims

/// For a trace of everything: the quick one.
const op* monitor::trace_shim(core& c, const op* o) {
    trace_recorder& recorder = *of(c).recorder_;
    if (!recorder.ready()) [[unlikely]] {
        return make_room(c, o);
    }
    const observed_op& decoded = c.observed(o);
    recorder.add(c, decoded);
    return decoded.execute(c, o);
}

[[gnu::noinline]] const op* monitor::make_room(core& c, const op* o) {
    return of(c).recorder_->room(c, o) ? trace_shim(c, o) : c.proceed(o);
}

/// For a trace of a range of addresses.
const op* monitor::range_shim(core& c, const op* o) {
    monitor& m = of(c);
    const observed_op& decoded = c.observed(o);
    if (m.records(c, c.instructions_before(o))) [[likely]] {
        m.recorder_->add_after_gap(c, o, decoded);
    } else if (m.recording_) {
        m.recorder_->leave_out(c);
    }
    return decoded.execute(c, o);
}

const op* monitor::break_shim(core& c, const op* o) {
    monitor& m = of(c);
    if (!m.resuming(c, o)) {
        m.stop(c.instructions_before(o), c.cia(o), {.why = stop_cause::reason::breakpoint, .ea = c.cia(o)});
        return c.leave_before(o, exit_reason::observed);
    }
    return every_shim(c, o);
}

const op* monitor::every_shim(core& c, const op* o) {
    monitor& m = of(c);
    if ((m.exact_ || m.stepping_) && c.left(o) <= 0) [[unlikely]] {
        return c.leave_before(o, exit_reason::paused);
    }
    const observed_op& decoded = c.observed(o);
    if (m.coverage_ != nullptr) {
        m.coverage_->count(decoded.row);
    }
    if (m.executions_ != nullptr) {
        m.executions_->count(c.cia(o));
    }
    if (m.window_.where.contains(c.cia(o)) && m.records(c, c.instructions_before(o))) {
        m.recorder_->add_after_gap(c, o, decoded);
    } else if (m.recording_) {
        m.recorder_->leave_out(c);
    }
    return decoded.execute(c, o);
}

}  // namespace pefsim::power::debug
