// SPDX-License-Identifier: Apache-2.0
#include "cpu/power_cpu/power_cpu.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <stdexcept>
#include <vector>

#include "cpu/call_rows.h"
#include "power/instructions/power9_decoder.h"
#include "power/int128.h"

namespace pefsim::cpu {

using sc_core::sc_time;

namespace {

constexpr std::size_t stack_size = 1 << 20;
constexpr unsigned max_attempts = 8;  // storage interrupts for one access before it fails
constexpr unsigned fraction_bits = 32;
/// A run of the engine takes less, in units of time, so that products of instructions and time fit 64 bits.
constexpr std::uint64_t longest_run = std::uint64_t{1} << (62 - fraction_bits);
constexpr double largest_cost = 1e5;  // units, of an instruction

std::uint64_t units_per_second() { return sc_time(1, sc_core::SC_SEC).value(); }

std::uint64_t cost_of_instruction(const timing::timing& costs) {
    const double units = costs.instruction_cycles * costs.cpu_cycle_ns * 1e-9 *
                         static_cast<double>(units_per_second());
    if (!(units > 0) || units > largest_cost) {
        throw std::invalid_argument(fmt::format(
            "timing.instruction is {} cycles of {} ns; it must be more than 0, and at most 100 ns",
            costs.instruction_cycles, costs.cpu_cycle_ns));
    }
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ldexp(units, fraction_bits)));
}

bool takes_interrupts(const power::registers& state) { return (state.msr & power::msr_ee) != 0; }

/// What the guest takes, and software above it first.
constexpr std::array taken_above{
    std::pair{power::vector::machine_check, host_interrupt::machine_check},
    std::pair{power::vector::external, host_interrupt::external},
    std::pair{power::vector::hypervisor_emulation_assistance, host_interrupt::emulation_assistance},
};

}  // namespace

power_cpu::power_cpu(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters,
                     power::mmu::partition& within)
    : sc_module(name),
      bus("bus"),
      hypervisor("hypervisor"),
      ultravisor("ultravisor"),
      recorder_(recorder),
      parameters_(parameters),
      partition_(within),
      mmu_(*this, within, this),
      core_(power::isa::power9_decoder(), mmu_, *this),
      time_(parameters.quantum),
      memory_(bus, recorder, sc_module::name(), basename()),
      traps_(hypervisor, ultravisor),
      line_(recorder, sc_module::name()),
      exits_(parameters.time_slice),
      writer_(memory_.writer()),
      site_(core_, memory_, within, recorder.ledger()),
      watched_site_(core_, memory_, within, recorder.ledger()),
      units_per_instruction_(cost_of_instruction(parameters.costs)),
      failed_(recorder, basename(), max_attempts),
      shows_(recorder, sc_module::name(), false),
      instructions_(recorder.metrics(), sc_module::name(), "instructions", "instructions", "completed"),
      interrupts_by_vector_(recorder.metrics(), sc_module::name(), "interrupts_by_vector", "interrupts",
                            "interrupts of the guest, by vector", names_of(power::vectors)),
      translations_(recorder.metrics(), sc_module::name(), "translations", "translations",
                    "of addresses that the engine's own TLBs did not have"),
      table_walks_(recorder.metrics(), sc_module::name(), "table_walks", "walks", "of radix trees") {
    bus.register_invalidate_direct_mem_ptr(this, &power_cpu::invalidate_grants);
    partition_.join(*this);
    core_.use(*this);
    core_.attention_leaves(parameters_.attention_leaves);
    for (const auto& [vector, which] : taken_above) {
        core_.pause_at(vector);
    }
    reset();
    SC_THREAD(run);
    set_stack_size(stack_size);
}

power_cpu::~power_cpu() { partition_.leave(*this); }

void power_cpu::reset() {
    power::registers& state = core_.state;
    state = {};
    state.msr = power::msr_sf | power::msr_me;
    state[power::spr::lpcr] = power::lpcr::hr | power::lpcr::ld | power::lpcr::gtse;
    state[power::spr::amor] = ~std::uint64_t{0};
    state[power::spr::ctrl] = 1;
    state[power::spr::pir] = parameters_.number;
    core_.dec.set(~std::uint64_t{0} >> 1 >> (64 - power::decrementer::large), 0, power::decrementer::large);
    core_.msr_changed();
}

void power_cpu::start() { start_at(sc_core::sc_time_stamp()); }

void power_cpu::start_at(const sc_time& when) {
    core_.msr_changed();
    msr_may_have_changed();
    switch_.turn_on(when);
}

bool power_cpu::start(const processor_start& with, const sc_time& when) {
    if (!stopped()) {
        return false;
    }
    const power::registers before = core_.state;
    reset();
    for (const power::spr of_the_partition : {power::spr::lpcr, power::spr::lpidr}) {
        core_.state[of_the_partition] = before[of_the_partition];
    }
    core_.state.nip = with.nip;
    core_.state.gpr[3] = with.r3;
    core_.state.msr = with.msr;
    entry_waits_ = !secure() && ultravisor.size() != 0;
    start_at(when);
    return true;
}

bool power_cpu::stop() { return !halted() && switch_.turn_off(); }

bool power_cpu::wake(const sc_time& when) {
    if (!idle()) {
        return false;
    }
    line_.wake(when);
    return true;
}

void power_cpu::set_lpcr(std::uint64_t value, std::uint64_t mask) {
    std::uint64_t& lpcr = core_.state[power::spr::lpcr];
    lpcr = (lpcr & ~mask) | (value & mask);
}

void power_cpu::forget_translations() { forget_translations(power::tlb_invalidation{}); }

void power_cpu::system_reset(const sc_time& when) {
    if (!stopped()) {
        reset_waits_ = true;
        line_.wake(when);
    }
}

void power_cpu::use_process_table(std::uint64_t base, unsigned size_exponent) {
    partition_.use({.base = base, .size_exponent = size_exponent});
}

// --- running

void power_cpu::run() {
    while (!halted()) {
        if (switch_.off()) {
            core_.lose_reservation();
            catch_up();
            switch_.rest();
            time_.resume();
            exits_.entered(now(), false);
            continue;
        }
        if (std::exchange(entry_waits_, false)) {
            ask_ultravisor();
            continue;
        }
        run_once();
        if (time_.quantum_used()) {
            catch_up();
        }
    }
    core_.lose_reservation();
    catch_up();
    halted_event_.notify(sc_core::SC_ZERO_TIME);
}

void power_cpu::catch_up() {
    if (time_.ahead() != sc_core::SC_ZERO_TIME) {
        core_.lose_reservation();
    }
    time_.catch_up();
}

/// A CPU that stays lets time pass.
bool power_cpu::ask_control() {
    switch (control_->may_run(*this)) {
    case run_control::permission::run:
        return true;
    case run_control::permission::stay:
        time_.spend(time_.left());
        return false;
    case run_control::permission::halt:
        halt(ending::controlled);
        return false;
    }
    return false;
}

void power_cpu::ask_ultravisor() {
    trap_context context = prepare_trap();
    ultravisor->enter(core_.state, context);
    finish_trap(context);
}

void power_cpu::run_once() {
    if (control_ != nullptr && !ask_control()) {
        return;
    }
    apply_invalidations();
    if (!leave_guest_if_due()) {
        return;
    }
    core_.external_interrupt(line_.asserted());
    const interrupt_counts taken_before = core_.interrupts_taken();
    const power::exit_reason why = core_.run(budget());
    account();
    publish();
    if (control_ != nullptr) {
        control_->ran(*this, why);
    }
    if (parameters_.instruction_limit != 0 && core_.instructions() >= parameters_.instruction_limit) {
        halt(ending::instruction_limit);
    }
    if (!tell_supervisor(taken_before)) {
        return;
    }
    switch (why) {
    case power::exit_reason::hypercall:
        make_call(trap::hypercall);
        break;
    case power::exit_reason::ultracall:
        make_call(trap::ultracall);
        break;
    case power::exit_reason::idle:
        cede(false);
        break;
    case power::exit_reason::attention:
        halt(ending::attention);
        break;
    case power::exit_reason::stopped:
        halt(ending::terminated);
        break;
    case power::exit_reason::lost:
        halt(ending::lost);
        break;
    case power::exit_reason::paused:
    case power::exit_reason::interrupt:
    case power::exit_reason::observed:
        break;
    }
}

void power_cpu::halt(ending why) {
    if (ended_ == ending::none) {
        ended_ = why;
    }
}

void power_cpu::cede(bool until_prodded) {
    line_.begin_idling();
    shows_.idle.set(true, now());
    core_.lose_reservation();
    catch_up();
    if (until_prodded && !switch_.off()) {
        line_.wait_until_woken();
    }
    while (!until_prodded && !switch_.off()) {
        core_.external_interrupt(line_.asserted());
        if (core_.interrupt_waits()) {
            break;
        }
        // A decrementer that nobody set ends long after everything else.
        const std::uint64_t left = units_until_decrementer();
        const bool woken = left / units_per_second() < 1'000'000
                               ? !line_.wait_until_asserted(
                                     sc_time::from_value(std::max<std::uint64_t>(left, 1)))
                               : !line_.wait_until_asserted();
        if (woken) {
            break;
        }
    }
    time_.resume();
    exits_.entered(now(), takes_interrupts(core_.state) && line_.asserted());
    shows_.idle.set(false, now());
}

bool power_cpu::enter_supervisor(host_interrupt why) {
    trap_context context = prepare_trap();
    traps_.supervisor_of(core_.state).interrupt(why, core_.state, context);
    return finish_trap(context);
}

bool power_cpu::leave_guest_if_due() {
    while (const auto why = exits_.next(now())) {
        if (!enter_supervisor(*why)) {
            return false;
        }
        exits_.entered(now(), takes_interrupts(core_.state) && line_.asserted());
    }
    if (std::exchange(reset_waits_, false)) {
        if (!enter_supervisor(host_interrupt::system_reset)) {
            return false;
        }
        core_.take_interrupt({.which = power::vector::system_reset});
    }
    return true;
}

bool power_cpu::tell_supervisor(const interrupt_counts& taken_before) {
    for (const auto& [vector, which] : taken_above) {
        const std::size_t row = power::row_of(vector);
        for (std::uint64_t taken = taken_before[row]; taken != core_.interrupts_taken()[row]; ++taken) {
            // Hardware gives an ordinary guest its external interrupts past everyone.
            const bool past = which == host_interrupt::external && (!secure() || exits_.came_with_entry());
            if (!past && !enter_supervisor(which)) {
                return false;
            }
        }
    }
    return true;
}

/// Signals and metrics, from what the core has counted.
void power_cpu::publish() {
    shows_.ee.set(takes_interrupts(core_.state), now());
    instructions_.add(core_.instructions() - instructions_.value());
    translations_.add(mmu_.lookups() - translations_.value());
    table_walks_.add(mmu_.walks() - table_walks_.value());
    const auto& taken = core_.interrupts_taken();
    for (std::size_t row = 0; row < taken.size(); ++row) {
        if (const std::uint64_t more = taken[row] - interrupts_by_vector_.count(row); more != 0) {
            interrupts_by_vector_.add(row, more);
            if (power::vectors[row].which == power::vector::external) {
                shows_.interrupts.add(more);
                shows_.interrupt.fire(now());
            }
        }
    }
}

// --- time

/// Time from the start of simulation until `instructions` have been executed, in units of the resolution.
std::uint64_t power_cpu::units_at(std::uint64_t instructions) const {
    const std::uint64_t fraction = (instructions - accounted_) * units_per_instruction_ + remainder_;
    return now().value() + (fraction >> fraction_bits);
}

void power_cpu::account() {
    const std::uint64_t fraction = (core_.instructions() - accounted_) * units_per_instruction_ + remainder_;
    accounted_ = core_.instructions();
    remainder_ = fraction & ((std::uint64_t{1} << fraction_bits) - 1);
    time_.spend(sc_time::from_value(fraction >> fraction_bits));
}

/// Instructions that take at least `units`; at least one.
std::int64_t power_cpu::instructions_in(std::uint64_t units) const {
    const std::uint64_t fraction = std::min(units, longest_run) << fraction_bits;
    return static_cast<std::int64_t>(
        std::max<std::uint64_t>(1, (fraction + units_per_instruction_ - 1) / units_per_instruction_));
}

std::uint64_t power_cpu::time_base(std::uint64_t instructions) {
    return std::max(ticks_.ticks_at(units_at(instructions)), partition_.time_base());
}

std::uint64_t power_cpu::read_time_base(std::uint64_t instructions) {
    const std::uint64_t value = time_base(instructions);
    partition_.time_base_was_read(value);
    return value;
}

std::uint64_t power_cpu::units_until_decrementer() {
    const std::uint64_t ticks = core_.time_base();
    const power::uint128 end = power::uint128{ticks} + core_.dec.ticks_left(ticks, core_.decrementer_width());
    const power::uint128 units = ticks_.units_of(end);
    const power::uint128 left = units - std::min<power::uint128>(units, now().value());
    return static_cast<std::uint64_t>(std::min<power::uint128>(left, ~std::uint64_t{0}));
}

/// To the end of the quantum, or until the decrementer expires.
std::int64_t power_cpu::budget() {
    std::uint64_t units = time_.left().value();
    if (const auto slice = exits_.left(now())) {
        units = std::min<std::uint64_t>(units, slice->value());
    }
    if (!core_.decrementer_expired()) {
        units = std::min(units, units_until_decrementer());
    }
    const std::int64_t instructions = instructions_in(units);
    if (parameters_.instruction_limit == 0) {
        return instructions;
    }
    const std::uint64_t left = parameters_.instruction_limit - core_.instructions();
    return static_cast<std::int64_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(instructions), left));
}

// --- traps

trap_context power_cpu::prepare_trap() {
    core_.state[power::spr::dec] = core_.dec.value(core_.time_base(), core_.decrementer_width());
    // Whence a canary came is worth a walk at each call.
    writer_.origin = recorder_.ledger().watching() ? site_.origin() : core_.state.nip;
    memory_.set_writer(writer_);
    core_.lose_reservation();
    return {.cpu = parameters_.number,
            .delay = time_.ahead(),
            .writer = writer_,
            .time_base = partition_.time_base()};
}

bool power_cpu::finish_trap(const trap_context& context) {
    partition_.time_base_was_read(context.time_base);
    msr_may_have_changed();
    apply_invalidations();
    core_.external_interrupt(line_.asserted());
    if (context.terminated) {
        halt(ending::terminated);
        return false;
    }
    return true;
}

void power_cpu::make_call(trap kind) {
    power::registers& state = core_.state;
    if (kind == trap::hypercall && (state.msr & (power::msr_s | power::msr_pr)) == power::msr_pr) {
        core_.take_interrupt({.which = power::vector::system_call});
        return;
    }
    catch_up();
    const std::uint64_t number = state.gpr[3];
    if (recorder_.recording()) [[unlikely]] {
        shows_.call.set(kind == trap::hypercall ? abi::hcall_name(number) : abi::ucall_name(number), now());
    }
    trap_context context = prepare_trap();
    const std::uint64_t decrementer_before = state[power::spr::dec];
    // While the stack can still be read: the call may take pages away, and who asks for its caller may ask late.
    if (kind == trap::ultracall || recorder_.ledger().stories().any()) {
        static_cast<void>(watched_site_.origin());
    }
    const std::size_t row = kind == trap::hypercall ? fast_hcall_row(number) : abi::ucall_row(number);
    const exposure::call_in_progress::scope in(
        recorder_.ledger().call(),
        kind == trap::hypercall ? abi::hcall_name_of_row(row) : abi::ucall_name(number), *this);
    if (kind == trap::hypercall) {
        shows_.hypercalls.add(row);
        traps_.supervisor_of(state).hypercall(state, context);
    } else {
        shows_.ultracalls.add(row);
        traps_.ultracalls().ultracall(state, context);
    }
    shows_.call.set(instruments::no_call, now());
    if (state[power::spr::dec] != decrementer_before) {
        core_.dec.set(state[power::spr::dec], core_.time_base(), core_.decrementer_width());
    }
    if (finish_trap(context) && context.ceded) {
        cede(context.until_prodded);
    }
}

fault_outcome power_cpu::storage_interrupt(storage_fault& fault) {
    shows_.storage_interrupts.add();
    trap_context context = prepare_trap();
    const exposure::call_in_progress::scope in(recorder_.ledger().call(), "a storage interrupt", *this);
    const fault_outcome result =
        traps_.supervisor_of(core_.state).storage_interrupt(fault, core_.state, context);
    core_.pause();
    context.terminated |= result == fault_outcome::terminated;
    return finish_trap(context) ? result : fault_outcome::terminated;
}

/// Calls from one place are told apart by their number, where a store has its mapping's.
exposure::attribution power_cpu::calls_from() {
    return {.initiator = writer_.initiator,
            .mapping = static_cast<std::uint32_t>(shows_.hypercalls.total() + shows_.ultracalls.total()),
            .origin = watched_site_.origin()};
}

void power_cpu::msr_may_have_changed() {
    const bool was_secure = shows_.msr_s.value();
    core_.msr_changed();
    memory_.set_secure(secure());
    shows_.msr_s.set(secure(), now());
    shows_.ee.set(takes_interrupts(core_.state), now());
    if (was_secure != secure()) {
        core_.forget_real(0, ~std::uint64_t{0});  // other frames stand at the same addresses
    }
}

// --- from the bus, the interrupt controller and other processors

void power_cpu::external_interrupt(bool asserted) { line_.drive(asserted); }

void power_cpu::doorbell() {
    if (!idle() && !stopped() && !halted()) {
        exits_.ring();
    }
}

/// Collected until the engine runs again: thousands of pages may change in one call.
void power_cpu::invalidate_grants(sc_dt::uint64 first, sc_dt::uint64 last) {
    memory_.invalidate(first, last);
    invalidated_.add(first, last);
}

void power_cpu::apply_invalidations() {
    if (invalidated_.empty()) [[likely]] {
        return;
    }
    for (const range_set::range& each : invalidated_.ranges()) {
        const std::uint64_t distance = each.last - each.first;
        core_.forget_real(each.first, std::max(distance, distance + 1));
    }
    invalidated_.clear();
}

void power_cpu::forget_translations(const power::tlb_invalidation& what) {
    mmu_.forget(what);
    core_.forget_translations(what);
}

}  // namespace pefsim::cpu
