// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/hypervisor_calls.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <span>

#include "cpu/call_rows.h"
#include "exposure/ledger.h"

namespace pefsim::ultravisor {

using abi::h_status;
using abi::hcall;
using memory::page_state;

void hypervisor_calls::reflect(std::size_t row, power::registers& state, cpu::trap_context& context) {
    const abi::hcall_declaration& declared = abi::hcall_declarations[row];
    if (declared.number == hcall::h_cede) {
        state.msr |= power::msr_ee;
    }
    disguise hidden = reflection_.hide(state, std::span(state.gpr).subspan(3, declared.n_in));
    if (pass(hidden, row, state, context)) {
        reflection::take_back(hidden, declared.n_out, state);
    }
}

hypervisor_calls::answer hypervisor_calls::call(hcall number, std::initializer_list<std::uint64_t> arguments,
                                                const power::registers& state, cpu::trap_context& context) {
    std::array<std::uint64_t, 9> inputs{static_cast<std::uint64_t>(number)};
    std::ranges::copy(arguments, inputs.begin() + 1);
    disguise hidden = reflection_.hide(state, std::span(inputs).first(1 + arguments.size()));
    if (!pass(hidden, cpu::fast_hcall_row(inputs[0]), state, context)) {
        return {};
    }
    return {static_cast<h_status>(hidden.shown.gpr[3]), hidden.shown.gpr[4]};
}

// \returns false when nothing of the answer may be used: the hypervisor broke a rule, or the guest is no more
bool hypervisor_calls::pass(disguise& hidden, std::size_t row, const power::registers& state,
                            cpu::trap_context& context) {
    const std::uint64_t number = hidden.shown.gpr[3];
    const bool was_secure = guest_.secure();
    shows_.hypercalls.add(row);
    recorder_.ledger().crossed(exposure::channel_kind::hypercall_register, number,
                               std::as_bytes(std::span(hidden.shown.gpr)), context.writer, context.now(),
                               cpu::declared_input_bytes(row));
    {
        const shown_call showing(shows_.hypercall, abi::hcall_name(number), context);
        to_->hypercall(hidden.shown, context);
    }
    if (!kept_the_rules(hidden, "a hypercall", number, state, context)) {
        return false;
    }
    context.terminated |= was_secure && !guest_.secure();
    return guest_.secure() || !was_secure;
}

bool hypervisor_calls::kept_the_rules(const disguise& back, std::string_view of, std::uint64_t number,
                                      const power::registers& state, cpu::trap_context& context) {
    if (reflection::intact(state, back)) {
        return true;
    }
    if (guest_.secure()) {
        guest_.end(fmt::format("the hypervisor changed LPIDR, PIDR or the cookie of {}", of), number,
                   context);
    }
    return false;
}

void hypervisor_calls::reflect(cpu::host_interrupt which, const power::registers& state,
                               cpu::trap_context& context) {
    disguise hidden = reflection_.hide(state, which);
    to_->interrupt(which, hidden.shown, context);
    kept_the_rules(hidden, "an interrupt", cpu::info_of(which).vector, state, context);
    context.terminated |= !guest_.secure();
}

bool hypervisor_calls::bring_in(abi::gfn page, page_state missing, std::uint64_t flags,
                                const power::registers& state, cpu::trap_context& context) {
    const vm_state before = vm_.state();
    for (unsigned tries = 0; tries < max_page_in_tries && vm_.page(page) == missing; ++tries) {
        const answer reply = call(hcall::h_svm_page_in,
                                  {abi::page_base(page).value(), flags, abi::uv_page_order}, state, context);
        if (reply.status != h_status::h_success || vm_.state() != before) {
            break;
        }
    }
    return vm_.state() == before && vm_.page(page) != missing;
}

}  // namespace pefsim::ultravisor
