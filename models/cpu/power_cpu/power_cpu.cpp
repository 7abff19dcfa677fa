// SPDX-License-Identifier: Apache-2.0
#include "cpu/power_cpu/power_cpu.h"

#include <algorithm>
#include <vector>

#include "cpu/call_rows.h"
#include "power/instructions/power9_decoder.h"

namespace pefsim::cpu {

using sc_core::sc_time;

namespace {

constexpr std::size_t stack_size = 1 << 20;
constexpr unsigned max_attempts = 8;  // storage interrupts for one access before it fails

std::uint64_t units_per_second() { return sc_time(1, sc_core::SC_SEC).value(); }

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
      time_(parameters.quantum),
      memory_(bus, recorder, sc_module::name(), basename()),
      line_(recorder, sc_module::name()),
      exits_(parameters.time_slice),
      shows_(recorder, sc_module::name(), false),
      clock_(core_, time_, within, parameters.costs),
      author_(core_, memory_, within, recorder.ledger()),
      traps_({.recorder = recorder,
              .core = core_,
              .memory = memory_,
              .time = time_,
              .clock = clock_,
              .author = author_,
              .storage = storage_,
              .line = line_,
              .shows = shows_,
              .partition = within,
              .terminated = [this] { halt(ending::terminated); },
              .leaves =
                  [this](std::string_view kind, std::string_view called, std::uint64_t nip) {
                      if (control_ != nullptr) {
                          control_->leaves(*this, kind, called, nip);
                      }
                  }},
             parameters.number, {hypervisor, ultravisor}),
      storage_({.recorder = recorder,
                .core = core_,
                .memory = memory_,
                .time = time_,
                .clock = clock_,
                .author = author_,
                .above = traps_,
                .shows = shows_,
                .partition = within,
                .processor = *this},
               parameters.report_ordinary_stores, {recorder, basename(), max_attempts}),
      mmu_(storage_, within, this),
      core_(power::isa::power9_decoder(), mmu_, storage_),
      instructions_(recorder.metrics(), sc_module::name(), "instructions", "instructions", "completed"),
      interrupts_by_vector_(recorder.metrics(), sc_module::name(), "interrupts_by_vector", "interrupts",
                            "interrupts of the guest, by vector", names_of(power::vectors)),
      translations_(recorder.metrics(), sc_module::name(), "translations", "translations",
                    "of addresses that the engine's own TLBs did not have"),
      table_walks_(recorder.metrics(), sc_module::name(), "table_walks", "walks", "of radix trees") {
    bus.register_invalidate_direct_mem_ptr(this, &power_cpu::invalidate_grants);
    partition_.join(*this);
    core_.use(clock_);
    core_.attention_leaves(parameters_.attention_leaves);
    for (const auto& [vector, which] : taken_above) {
        core_.pause_at(vector);
    }
    if (parameters_.translator && power::region_translator::available()) {
        translator_ = std::make_unique<power::region_translator>(core_, *parameters_.translator);
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
    traps_.msr_may_have_changed();
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
            clock_.catch_up();
            switch_.rest();
            time_.resume();
            exits_.entered(now(), false);
            continue;
        }
        if (std::exchange(entry_waits_, false)) {
            traps_.enter();
            continue;
        }
        run_once();
        if (time_.quantum_used()) {
            clock_.catch_up();
        }
    }
    core_.lose_reservation();
    clock_.catch_up();
    halted_event_.notify(sc_core::SC_ZERO_TIME);
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

void power_cpu::run_once() {
    if (control_ != nullptr && !ask_control()) {
        return;
    }
    storage_.apply_invalidations();
    if (!leave_guest_if_due()) {
        return;
    }
    core_.external_interrupt(line_.asserted());
    const interrupt_counts taken_before = core_.interrupts_taken();
    const power::exit_reason why = core_.run(budget());
    clock_.account();
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
        make_call(core_traps::call::hypercall);
        break;
    case power::exit_reason::ultracall:
        make_call(core_traps::call::ultracall);
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
    clock_.catch_up();
    if (until_prodded && !switch_.off()) {
        line_.wait_until_woken();
    }
    while (!until_prodded && !switch_.off()) {
        core_.external_interrupt(line_.asserted());
        if (core_.interrupt_waits()) {
            break;
        }
        // A decrementer that nobody set ends long after everything else.
        const std::uint64_t left = clock_.units_until_decrementer();
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

void power_cpu::make_call(core_traps::call kind) {
    switch (const core_traps::after then = traps_.make(kind)) {
    case core_traps::after::ceded:
    case core_traps::after::ceded_until_prodded:
        cede(then == core_traps::after::ceded_until_prodded);
        break;
    case core_traps::after::goes_on:
    case core_traps::after::terminated:
        break;
    }
}

bool power_cpu::leave_guest_if_due() {
    while (const auto why = exits_.next(now())) {
        if (!traps_.interrupt(*why)) {
            return false;
        }
        exits_.entered(now(), takes_interrupts(core_.state) && line_.asserted());
    }
    if (std::exchange(reset_waits_, false)) {
        if (!traps_.interrupt(host_interrupt::system_reset)) {
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
            if (!past && !traps_.interrupt(which)) {
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

/// To the end of the quantum, or until the decrementer expires.
std::int64_t power_cpu::budget() {
    std::uint64_t units = time_.left().value();
    if (const auto slice = exits_.left(now())) {
        units = std::min<std::uint64_t>(units, slice->value());
    }
    if (!core_.decrementer_expired()) {
        units = std::min(units, clock_.units_until_decrementer());
    }
    const std::int64_t instructions = clock_.instructions_in(units);
    if (parameters_.instruction_limit == 0) {
        return instructions;
    }
    const std::uint64_t left = parameters_.instruction_limit - core_.instructions();
    return static_cast<std::int64_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(instructions), left));
}

// --- from the interrupt controller and other processors

void power_cpu::external_interrupt(bool asserted) { line_.drive(asserted); }

void power_cpu::doorbell() {
    if (!idle() && !stopped() && !halted()) {
        exits_.ring();
    }
}

void power_cpu::forget_translations(const power::tlb_invalidation& what) {
    mmu_.forget(what);
    core_.forget_translations(what);
}

}  // namespace pefsim::cpu
