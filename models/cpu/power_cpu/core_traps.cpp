// SPDX-License-Identifier: Apache-2.0
#include "cpu/power_cpu/core_traps.h"

#include "abi/hcall.h"
#include "abi/platform.h"
#include "abi/ucall.h"
#include "cpu/call_rows.h"
#include "exposure/ledger.h"

namespace pefsim::cpu {

trap_context core_traps::prepare() {
    power::core& core = cpu_.core;
    core.state[power::spr::dec] = core.dec.value(core.time_base(), core.decrementer_width());
    // Whence a canary came is worth a walk at each call.
    cpu_.author.writer.origin = cpu_.recorder.ledger().watching() ? cpu_.author.site.origin()
                                                                  : core.state.nip;
    cpu_.memory.set_writer(cpu_.author.writer);
    core.lose_reservation();
    return {.cpu = number_,
            .delay = cpu_.time.ahead(),
            .writer = cpu_.author.writer,
            .time_base = cpu_.partition.time_base()};
}

bool core_traps::finish(const trap_context& context) {
    cpu_.partition.time_base_was_read(context.time_base);
    msr_may_have_changed();
    cpu_.storage.apply_invalidations();
    cpu_.core.external_interrupt(cpu_.line.asserted());
    if (context.terminated) {
        cpu_.terminated();
        return false;
    }
    return true;
}

core_traps::after core_traps::make(call kind) {
    power::core& core = cpu_.core;
    power::registers& state = core.state;
    exposure::ledger& ledger = cpu_.recorder.ledger();
    const bool hypercall = kind == call::hypercall;
    if (hypercall && (state.msr & (power::msr_s | power::msr_pr)) == power::msr_pr) {
        core.take_interrupt({.which = power::vector::system_call});
        return after::goes_on;
    }
    cpu_.clock.catch_up();
    const std::uint64_t number = state.gpr[3];
    if (cpu_.recorder.recording()) [[unlikely]] {
        cpu_.shows.call.set(hypercall ? abi::hcall_name(number) : abi::ucall_name(number), cpu_.time.now());
    }
    trap_context context = prepare();
    const std::uint64_t decrementer_before = state[power::spr::dec];
    // While the stack can still be read: the call may take pages away, and who asks for its caller may ask late.
    if (!hypercall || ledger.stories().any()) {
        static_cast<void>(cpu_.author.watched_site.origin());
    }
    const std::size_t row = hypercall ? fast_hcall_row(number) : abi::ucall_row(number);
    const auto call_name = hypercall ? abi::hcall_name_of_row(row) : abi::ucall_name(number);
    const exposure::call_in_progress::scope in(ledger.call(), call_name, *this);
    cpu_.leaves(hypercall ? "hypercall" : "ultracall", call_name, state.nip - 4);
    if (hypercall) {
        cpu_.shows.hypercalls.add(row);
        router_.supervisor_of(state).hypercall(state, context);
    } else {
        cpu_.shows.ultracalls.add(row);
        router_.ultracalls().ultracall(state, context);
    }
    cpu_.shows.call.set(instruments::no_call, cpu_.time.now());
    if (state[power::spr::dec] != decrementer_before) {
        core.dec.set(state[power::spr::dec], core.time_base(), core.decrementer_width());
    }
    if (!finish(context)) {
        return after::terminated;
    }
    if (!context.ceded) {
        return after::goes_on;
    }
    return context.until_prodded ? after::ceded_until_prodded : after::ceded;
}

bool core_traps::interrupt(host_interrupt why) {
    trap_context context = prepare();
    router_.supervisor_of(cpu_.core.state).interrupt(why, cpu_.core.state, context);
    return finish(context);
}

bool core_traps::enter() {
    trap_context context = prepare();
    router_.ultracalls().enter(cpu_.core.state, context);
    return finish(context);
}

fault_outcome core_traps::storage_interrupt(storage_fault& fault) {
    cpu_.shows.storage_interrupts.add();
    cpu_.leaves(fault.at < abi::platform::mmio_base        ? "hypervisor page fault"
                : fault.kind == memory::access_kind::write ? "MMIO store"
                                                           : "MMIO load",
                "", cpu_.core.state.nip);
    trap_context context = prepare();
    const exposure::call_in_progress::scope in(cpu_.recorder.ledger().call(), "a storage interrupt", *this);
    const fault_outcome result =
        router_.supervisor_of(cpu_.core.state).storage_interrupt(fault, cpu_.core.state, context);
    cpu_.core.pause();
    context.terminated |= result == fault_outcome::terminated;
    return finish(context) ? result : fault_outcome::terminated;
}

/// Calls from one place are told apart by their number, where a store has its mapping's.
exposure::attribution core_traps::calls_from() {
    return {
        .initiator = cpu_.author.writer.initiator,
        .mapping = static_cast<std::uint32_t>(cpu_.shows.hypercalls.total() + cpu_.shows.ultracalls.total()),
        .origin = cpu_.author.watched_site.origin()};
}

void core_traps::msr_may_have_changed() {
    power::core& core = cpu_.core;
    const bool was_secure = cpu_.shows.msr_s.value();
    const bool secure = (core.state.msr & power::msr_s) != 0;
    core.msr_changed();
    cpu_.memory.set_secure(secure);
    cpu_.shows.msr_s.set(secure, cpu_.time.now());
    cpu_.shows.ee.set((core.state.msr & power::msr_ee) != 0, cpu_.time.now());
    if (was_secure != secure) {
        core.forget_real(0, ~std::uint64_t{0});  // other frames stand at the same addresses
    }
}

}  // namespace pefsim::cpu
