// SPDX-License-Identifier: Apache-2.0
#include "cpu/native/native_cpu.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

#include "cpu/call_rows.h"
#include "exposure/ledger.h"

namespace pefsim::cpu::native {

using sc_core::sc_time;

namespace {

/// Leaves the program of a CPU that is to stop.
struct processor_stopped {};

constexpr std::size_t max_arguments = 9;
constexpr std::size_t stack_size = 1 << 20;
/// A page fault that is still there after this many storage interrupts is a live-lock of the software above.
constexpr unsigned max_attempts = 64;

double time_units(double nanoseconds) {
    return nanoseconds * 1e-9 / sc_core::sc_get_time_resolution().to_seconds();
}

sc_time rounded(double units) { return sc_time::from_value(static_cast<sc_time::value_type>(units + 0.5)); }

double positive(double bandwidth) {
    if (!(bandwidth > 0)) {
        throw std::invalid_argument(
            fmt::format("timing.memcpy is {} GB/s; it must be more than 0", bandwidth));
    }
    return bandwidth;
}

}  // namespace

native_cpu::native_cpu(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters)
    : sc_module(name),
      bus("bus"),
      hypervisor("hypervisor"),
      ultravisor("ultravisor"),
      recorder_(recorder),
      parameters_(parameters),
      time_(parameters.quantum),
      memory_(bus, recorder, sc_module::name(), basename()),
      traps_(hypervisor, ultravisor),
      line_(recorder, sc_module::name()),
      exits_(parameters.time_slice),
      interrupt_origin_(recorder.ledger().name_origin("external_interrupt")),
      access_cost_(rounded(time_units(parameters.costs.memory_access_ns))),
      barrier_cost_(rounded(time_units(parameters.costs.barrier_ns))),
      interrupt_cost_(rounded(time_units(parameters.costs.interrupt_ns))),
      units_per_cycle_(time_units(parameters.costs.cpu_cycle_ns)),
      units_per_byte_(time_units(1 / positive(parameters.costs.memcpy_gb_per_s))),
      failed_(recorder, basename(), max_attempts),
      shows_(recorder, sc_module::name(), true),
      driver_call_(recorder, sc_module::name(), "driver_call", "driver call that the CPU is in") {
    for (std::size_t bytes = 0; bytes < small_copies_.size(); ++bytes) {
        small_copies_[bytes] = large_copy_cost(bytes);
    }
    bus.register_invalidate_direct_mem_ptr(this, &native_cpu::invalidate_grants);
    SC_THREAD(run);
    set_stack_size(stack_size);
}

void native_cpu::load(program code) {
    if (code_) {
        throw std::logic_error(fmt::format("{}: a second program at {}", name(), now().to_string()));
    }
    code_ = std::move(code);
    switch_.turn_on(sc_core::sc_time_stamp());
}

bool native_cpu::start(const processor_start& with, const sc_time& when) {
    if (!stopped() || !code_) {
        return false;
    }
    state_.gpr = {};
    state_.gpr[3] = with.r3;
    state_.nip = with.nip;
    state_.msr = with.msr;
    msr_may_have_changed();
    switch_.turn_on(when);
    return true;
}

bool native_cpu::stop() { return !halted_ && switch_.turn_off(); }

bool native_cpu::wake(const sc_time& when) {
    if (!idle()) {
        return false;
    }
    line_.wake(when);
    return true;
}

void native_cpu::set_lpcr(std::uint64_t value, std::uint64_t mask) {
    std::uint64_t& lpcr = state_[power::spr::lpcr];
    lpcr = (lpcr & ~mask) | (value & mask);
}

void native_cpu::use_process_table(std::uint64_t /*base*/, unsigned /*size_exponent*/) {}

void native_cpu::start_secondary(native_cpu& secondary, program code) {
    synchronize();
    secondary.time_.resume();
    secondary.state_.msr = (state_.msr & ~power::msr_ee);
    secondary.msr_may_have_changed();
    secondary.load(std::move(code));
}

void native_cpu::run() {
    while (!halted_) {
        if (switch_.off()) {
            switch_.rest();
            time_.resume();
            exits_.entered(now(), false);
            continue;
        }
        try {
            code_(*this);
            halted_ = true;
        } catch (const guest_terminated&) {
            // Whoever ended the virtual machine has reported it; what is left of the program does not run.
            halted_ = true;
        } catch (const processor_stopped&) {
        }
        time_.catch_up();
    }
    halted_event_.notify(sc_core::SC_ZERO_TIME);
}

void native_cpu::stop_if_due() {
    if (switch_.off()) [[unlikely]] {
        throw processor_stopped{};
    }
}

// --- time

void native_cpu::spend_cycles(double cycles) { spend(rounded(cycles * units_per_cycle_)); }

void native_cpu::synchronize() {
    time_.catch_up();
    stop_if_due();
    leave_guest_if_due();
    if (line_.asserted()) {
        take_interrupts();
    }
}

// When nothing else can happen before it, what the CPU stored is seen at its own time without giving way.
void native_cpu::barrier() {
    time_.spend(barrier_cost_);
    if (!time_.undisturbed()) {
        time_.catch_up();
        stop_if_due();
    }
    leave_guest_if_due();
    if (line_.asserted()) {
        take_interrupts();
    }
}

sc_time native_cpu::large_copy_cost(std::size_t bytes) const {
    return rounded(static_cast<double>(bytes) * units_per_byte_);
}

// --- interrupts

void native_cpu::on_external_interrupt(std::function<void(native_cpu&)> handler) {
    interrupt_handler_ = std::move(handler);
}

void native_cpu::invalidate_grants(sc_dt::uint64 first, sc_dt::uint64 last) {
    memory_.invalidate(first, last);
}

void native_cpu::external_interrupt(bool asserted) { line_.drive(asserted); }

void native_cpu::doorbell() {
    if (!idle() && !stopped() && !halted_) {
        exits_.ring();
    }
}

void native_cpu::enter_supervisor(host_interrupt why) {
    const sc_time begin = now();
    trap_context context{.cpu = parameters_.number, .delay = time_.ahead(), .writer = writer()};
    traps_.supervisor_of(state_).interrupt(why, state_, context);
    use_.interrupts += now() - begin;
    msr_may_have_changed();
    if (context.terminated) {
        throw guest_terminated{};
    }
}

void native_cpu::leave_guest_if_due() {
    if (!exits_.waits(now())) [[likely]] {
        return;
    }
    while (const auto why = exits_.next(now())) {
        enter_supervisor(*why);
        exits_.entered(now(), irqs_enabled() && line_.asserted());
    }
}

void native_cpu::take_interrupts() {
    while (line_.asserted() && irqs_enabled() && interrupt_handler_) {
        shows_.interrupts.add();
        shows_.interrupt.fire(now());
        const auto registers_before = state_.gpr;
        set_ee(false);
        if (!exits_.came_with_entry() && secure()) {
            enter_supervisor(host_interrupt::external);
        }
        use_.interrupts += interrupt_cost_;
        spend(interrupt_cost_);
        {
            const call_scope handler(*this, interrupt_origin_);
            interrupt_handler_(*this);
        }
        state_.gpr = registers_before;
        set_ee(true);
    }
}

void native_cpu::idle_until_interrupt(bool until_prodded) {
    set_ee(!until_prodded);
    const sc_time begin = now();
    line_.begin_idling();
    shows_.idle.set(true, begin);
    time_.catch_up();
    if (switch_.off()) {
        // What stops it came while simulation time caught up.
    } else if (until_prodded) {
        line_.wait_until_woken();
    } else if (!decrementer_) {
        line_.wait_until_asserted();
    } else if (!decrementer_expired()) {
        line_.wait_until_asserted(*decrementer_ - now());
    }
    time_.resume();
    exits_.entered(now(), irqs_enabled() && line_.asserted());
    use_.idle += now() - begin;
    shows_.idle.set(false, now());
    stop_if_due();
    take_interrupts();
}

void native_cpu::wait_for_interrupt() {
    const bool enabled = irqs_enabled();
    const std::uint64_t before = shows_.interrupts.value();
    synchronize();
    if (shows_.interrupts.value() == before) {
        hypercall(abi::hcall::h_cede);
        if (shows_.interrupts.value() == before && !decrementer_expired() &&
            !(line_.asserted() && !interrupt_handler_)) {
            idle_until_interrupt();  // the hypervisor came straight back
        }
    }
    set_ee(enabled);
}

void native_cpu::wait_for_interrupt(const sc_core::sc_time& at_most) {
    decrementer_ = now() + at_most;
    wait_for_interrupt();
    decrementer_.reset();
}

// --- attribution

// --- calls

abi::h_status native_cpu::hypercall(abi::hcall number, std::initializer_list<std::uint64_t> arguments) {
    make_call(trap::hypercall, static_cast<std::uint64_t>(number), arguments);
    return static_cast<abi::h_status>(state_.gpr[3]);
}

abi::u_status native_cpu::ultracall(abi::ucall number, std::initializer_list<std::uint64_t> arguments) {
    make_call(trap::ultracall, static_cast<std::uint64_t>(number), arguments);
    return static_cast<abi::u_status>(state_.gpr[3]);
}

void native_cpu::make_call(trap kind, std::uint64_t number, std::initializer_list<std::uint64_t> arguments) {
    if (arguments.size() > max_arguments) {
        throw std::logic_error(
            fmt::format("{}: {}: call {:#x} with {} arguments, at most {} fit the registers",
                        now().to_string(), name(), number, arguments.size(), max_arguments));
    }
    synchronize();
    state_.gpr[3] = number;
    std::ranges::copy(arguments, state_.gpr.begin() + 4);

    if (recorder_.recording()) [[unlikely]] {
        shows_.call.set(kind == trap::hypercall ? abi::hcall_name(number) : abi::ucall_name(number), now());
    }
    const sc_time begin = now();
    trap_context context{.cpu = parameters_.number, .delay = time_.ahead(), .writer = writer()};
    const std::size_t row = kind == trap::hypercall ? fast_hcall_row(number) : abi::ucall_row(number);
    const exposure::call_in_progress::scope in(
        recorder_.ledger().call(),
        kind == trap::hypercall ? abi::hcall_name_of_row(row) : abi::ucall_name(number), *this);
    if (kind == trap::hypercall) {
        shows_.hypercalls.add(row);
        traps_.supervisor_of(state_).hypercall(state_, context);
    } else {
        shows_.ultracalls.add(row);
        traps_.ultracalls().ultracall(state_, context);
    }
    const sc_time end = now();
    (kind == trap::hypercall ? use_.hypercalls : use_.ultracalls) += end - begin;
    shows_.call.set(instruments::no_call, end);

    msr_may_have_changed();
    if (context.terminated) {
        throw guest_terminated{};
    }
    if (context.ceded) {
        idle_until_interrupt(context.until_prodded);
    } else if (time_.quantum_used()) {
        time_.catch_up();
    }
}

void native_cpu::msr_may_have_changed() {
    memory_.set_secure(secure());
    shows_.msr_s.set(secure(), now());
    shows_.ee.set(irqs_enabled(), now());
}

fault_outcome native_cpu::storage_interrupt(storage_fault& fault) {
    const sc_time begin = now();
    trap_context context{.cpu = parameters_.number, .delay = time_.ahead(), .writer = writer()};
    const exposure::call_in_progress::scope in(recorder_.ledger().call(), "a storage interrupt", *this);
    const fault_outcome outcome = traps_.supervisor_of(state_).storage_interrupt(fault, state_, context);
    use_.hypercalls += now() - begin;
    msr_may_have_changed();
    if (outcome == fault_outcome::terminated || context.terminated) {
        throw guest_terminated{};
    }
    if (time_.quantum_used()) {
        time_.catch_up();
    }
    return outcome;
}

}  // namespace pefsim::cpu::native
