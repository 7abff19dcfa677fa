// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/ultravisor.h"

#include <fmt/format.h>

#include "cpu/call_rows.h"
#include "report/violations.h"

namespace pefsim::ultravisor {

using abi::h_status;
using abi::hcall;

namespace {

/// What becomes of a secure guest's hypercall.
enum class policy : std::uint8_t { reflect, relay, answer_here, refuse };

constexpr policy policy_of(std::size_t row) {
    if (row >= abi::hcall_declarations.size()) {
        return policy::refuse;
    }
    switch (abi::hcall_declarations[row].number) {
    case hcall::h_random:
        return policy::answer_here;
    case hcall::h_rtas:
        return policy::relay;
    case hcall::h_svm_page_in:
    case hcall::h_svm_page_out:
    case hcall::h_svm_init_start:
    case hcall::h_svm_init_done:
    case hcall::h_svm_init_abort:
        return policy::refuse;
    default:
        return policy::reflect;
    }
}

}  // namespace

ultravisor::ultravisor(const sc_core::sc_module_name& name, trace::recorder& recorder,
                       memory::memory_bus& bus, const config& parameters)
    : sc_module(name),
      hypervisor("hypervisor"),
      guest_access("guest_access"),
      recorder_(recorder),
      costs_(parameters.costs),
      esm_(parameters.esm),
      vm_(bus, parameters.seed),
      guest_random_(derive_seed(parameters.seed, "H_RANDOM")),
      shows_(recorder, this->name()),
      guest_(vm_, recorder, shows_),
      calls_(hypervisor, vm_, guest_, recorder, shows_, derive_seed(parameters.seed, "hidden registers")),
      guest_memory_(guest_access.get_base_port(), ::pefsim::memory::world::ultravisor, parameters.costs,
                    recorder.ledger().name_initiator(basename())),
      rtas_(derive_seed(parameters.seed, "start-cpu")),
      firmware_{.recorder = recorder,
                .bus = bus,
                .memory = guest_memory_,
                .costs = costs_,
                .entry = parameters.entry,
                .esm = esm_,
                .vm = vm_,
                .guest = guest_,
                .host = calls_,
                .rtas = rtas_,
                .partitions = partitions_,
                .restricted = restricted_,
                .shows = shows_},
      ultracalls_(firmware_) {}

void ultravisor::ultracall(power::registers& state, cpu::trap_context& context) {
    ultracalls_.serve(state, context);
}

cpu::fault_outcome ultravisor::storage_interrupt(cpu::storage_fault& fault, power::registers& state,
                                                 cpu::trap_context& context) {
    return ::pefsim::ultravisor::storage_interrupt(firmware_, fault, state, context);
}

void ultravisor::interrupt(cpu::host_interrupt which, power::registers& state, cpu::trap_context& context) {
    if (!guest_.secure()) {
        context.terminated = true;
        return;
    }
    ::pefsim::ultravisor::interrupt(firmware_, which, state, context);
}

void ultravisor::enter(power::registers& state, cpu::trap_context& context) {
    if (guest_.secure()) {
        context.delay += costs_.reflection;
        rtas_.enter(firmware_, state, context);
    }
}

void ultravisor::hypercall(power::registers& state, cpu::trap_context& context) {
    context.delay += costs_.reflection;
    if ((state.msr & power::msr_s) == 0) {
        refuse_hypercall("MSR[S]=0: not a call for the Ultravisor", h_status::h_hardware, state, context);
        return;
    }
    if (!guest_.secure()) {
        context.terminated = true;
        return;
    }
    if ((state.msr & power::msr_pr) != 0) {
        refuse_hypercall("from problem state", h_status::h_privilege, state, context);
        return;
    }
    const std::size_t row = cpu::fast_hcall_row(state.gpr[3]);
    switch (policy_of(row)) {
    case policy::reflect:
        calls_.reflect(row, state, context);
        break;
    case policy::relay:
        rtas_.serve(firmware_, state, context);
        break;
    case policy::answer_here:
        state.gpr[3] = static_cast<std::uint64_t>(h_status::h_success);
        state.gpr[4] = guest_random_.next();
        break;
    case policy::refuse:
        refuse_hypercall("not a call for guests", h_status::h_function, state, context);
        break;
    }
}

void ultravisor::refuse_hypercall(std::string_view why, h_status status, power::registers& state,
                                  const cpu::trap_context& context) {
    const std::uint64_t number = state.gpr[3];
    recorder_.violations().report(
        {.when = context.now(),
         .kind = report::violation_kind::call_refused,
         .who = caller_name(state, context),
         .address = 0,
         .size = 0,
         .page_state = {},
         .request = 0,
         .detail = fmt::format("{} {:#x}: {}", abi::hcall_name(number), number, why)});
    state.gpr[3] = static_cast<std::uint64_t>(status);
}

}  // namespace pefsim::ultravisor
