// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "cpu/call_rows.h"
#include "ultravisor/ultravisor.h"

namespace pefsim::ultravisor {

using abi::h_status;
using abi::hcall;

namespace {

/// What becomes of a secure guest's hypercall.
enum class policy : std::uint8_t { reflect, answer_here, refuse };

constexpr policy policy_of(std::size_t row) {
    if (row >= abi::hcall_declarations.size()) {
        return policy::refuse;
    }
    switch (abi::hcall_declarations[row].number) {
    case hcall::h_random:
        return policy::answer_here;
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

void ultravisor::hypercall(power::registers& state, cpu::trap_context& context) {
    context.delay += costs_.reflection;
    if ((state.msr & power::msr_s) == 0) {
        refuse_hypercall("MSR[S]=0: not a call for the Ultravisor", h_status::h_hardware, state, context);
        return;
    }
    if (!secure()) {
        context.terminated = true;
        state.gpr[3] = static_cast<std::uint64_t>(h_status::h_hardware);
        return;
    }
    if ((state.msr & power::msr_pr) != 0) {
        refuse_hypercall("from problem state", h_status::h_privilege, state, context);
        return;
    }
    const std::size_t row = cpu::fast_hcall_row(state.gpr[3]);
    switch (policy_of(row)) {
    case policy::reflect:
        reflect(row, state, context);
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
         .kind = trace::violation_kind::call_refused,
         .who = caller_name(state, context),
         .address = 0,
         .size = 0,
         .page_state = {},
         .request = 0,
         .detail = fmt::format("{} {:#x}: {}", abi::hcall_name(number), number, why)});
    state.gpr[3] = static_cast<std::uint64_t>(status);
}

void ultravisor::reflect(std::size_t row, power::registers& state, cpu::trap_context& context) {
    const abi::hcall_declaration& declared = abi::hcall_declarations[row];
    if (declared.number == hcall::h_cede) {
        state.msr |= power::msr_ee;
    }
    disguise hidden = reflection_.hide(state, std::span(state.gpr).subspan(3, declared.n_in));
    if (pass_to_hypervisor(hidden, row, state, context)) {
        reflection::take_back(hidden, declared.n_out, state);
    }
}

ultravisor::hcall_answer ultravisor::call(hcall number, std::initializer_list<std::uint64_t> arguments,
                                          const power::registers& state, cpu::trap_context& context) {
    std::array<std::uint64_t, 9> inputs{static_cast<std::uint64_t>(number)};
    std::ranges::copy(arguments, inputs.begin() + 1);
    disguise hidden = reflection_.hide(state, std::span(inputs).first(1 + arguments.size()));
    if (!pass_to_hypervisor(hidden, cpu::fast_hcall_row(inputs[0]), state, context)) {
        return {};
    }
    return {static_cast<h_status>(hidden.shown.gpr[3]), hidden.shown.gpr[4]};
}

// \returns false when nothing of the answer may be used: the hypervisor broke a rule, or the guest is no more
bool ultravisor::pass_to_hypervisor(disguise& hidden, std::size_t row, const power::registers& state,
                                    cpu::trap_context& context) {
    const std::uint64_t number = hidden.shown.gpr[3];
    const bool was_secure = secure();
    shows_.hypercalls.add(row);
    recorder_.ledger().crossed(trace::exposure_channel::hypercall_register, number,
                               std::as_bytes(std::span(hidden.shown.gpr)), context.writer, context.now(),
                               cpu::declared_input_bytes(row));
    {
        const shown_call showing(shows_.hypercall, abi::hcall_name(number), context);
        hypervisor->hypercall(hidden.shown, context);
    }
    if (!reflection::intact(state, hidden)) {
        if (secure()) {
            end_guest("the hypervisor changed LPIDR, PIDR or the cookie of a hypercall", number, context);
        }
        return false;
    }
    context.terminated |= was_secure && !secure();
    return secure() || !was_secure;
}

}  // namespace pefsim::ultravisor
