// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>

#include "abi/platform.h"
#include "ultravisor/ultravisor.h"

namespace pefsim::ultravisor {

using abi::u_status;

namespace {

using power::msr_hv;
using power::msr_pr;
using power::msr_s;

bool may_call(abi::ucall_caller caller, std::uint64_t msr) {
    switch (caller) {
    case abi::ucall_caller::hypervisor:
        return (msr & (msr_s | msr_hv | msr_pr)) == msr_hv;
    case abi::ucall_caller::os:
        return (msr & (msr_hv | msr_pr)) == 0;
    case abi::ucall_caller::secure_os:
        return (msr & (msr_s | msr_hv | msr_pr)) == msr_s;
    }
    return false;
}

std::string_view to_name(u_status status) {
    switch (status) {
    case u_status::u_success:
        return "U_SUCCESS";
    case u_status::u_busy:
        return "U_BUSY";
    case u_status::u_function:
        return "U_FUNCTION";
    case u_status::u_parameter:
        return "U_PARAMETER";
    case u_status::u_retry:
        return "U_RETRY";
    case u_status::u_permission:
        return "U_PERMISSION";
    case u_status::u_p2:
        return "U_P2";
    case u_status::u_p3:
        return "U_P3";
    case u_status::u_p4:
        return "U_P4";
    case u_status::u_p5:
        return "U_P5";
    case u_status::u_bad_mode:
        return "U_BAD_MODE";
    case u_status::u_invalid:
        return "U_INVALID";
    case u_status::u_no_key:
        return "U_NO_KEY";
    case u_status::u_state:
        return "U_STATE";
    }
    return "?";
}

}  // namespace

// Who may call is declared with the numbers (abi::ucall_declarations). UV_RETURN is not here: a hypercall returns to the
// Ultravisor as the function that it is.
const std::array<ultravisor::ultracall_row, 10> ultravisor::ultracall_table{{
    {abi::ucall::uv_esm, &ultravisor::uv_esm},
    {abi::ucall::uv_register_mem_slot, &ultravisor::uv_register_mem_slot},
    {abi::ucall::uv_unregister_mem_slot, &ultravisor::uv_unregister_mem_slot},
    {abi::ucall::uv_page_in, &ultravisor::uv_page_in},
    {abi::ucall::uv_page_out, &ultravisor::uv_page_out},
    {abi::ucall::uv_share_page, &ultravisor::uv_share_page},
    {abi::ucall::uv_unshare_page, &ultravisor::uv_unshare_page},
    {abi::ucall::uv_page_inval, &ultravisor::uv_page_inval},
    {abi::ucall::uv_svm_terminate, &ultravisor::uv_svm_terminate},
    {abi::ucall::uv_unshare_all_pages, &ultravisor::uv_unshare_all_pages},
}};

void ultravisor::ultracall(power::registers& state, cpu::trap_context& context) {
    const std::uint64_t number = state.gpr[3];
    shows_.ultracalls.add(abi::ucall_row(number));
    const shown_call showing(shows_.ultracall, abi::ucall_name(number), context);
    context.delay += costs_.ultracall;

    const answer result = dispatch(number, state, context);
    if (!result.resumes_elsewhere) {
        state.gpr[3] = static_cast<std::uint64_t>(result.status);
    }
    if (!result.why.empty()) {
        report_failure(number, result, state, context);
    }
}

ultravisor::answer ultravisor::dispatch(std::uint64_t number, power::registers& state,
                                        cpu::trap_context& context) {
    const auto row = std::ranges::find(ultracall_table, static_cast<abi::ucall>(number),
                                       &ultracall_row::number);
    if (row == ultracall_table.end()) {
        return {.status = u_status::u_function, .why = "no such ultracall"};
    }
    if (!may_call(abi::ucall_declarations[abi::ucall_row(number)].caller, state.msr)) {
        return {.status = u_status::u_permission, .why = "not a call for this caller"};
    }
    return (this->*row->serve)(state, context);
}

void ultravisor::report_failure(std::uint64_t number, const answer& what, const power::registers& state,
                                const cpu::trap_context& context) {
    const abi::phys_addr at{what.address};
    const bool about_a_page = what.address != 0 && vm_.owns(abi::gfn_of(at));
    recorder_.violations().report(
        {.when = context.now(),
         .kind = what.kind,
         .who = caller_name(state, context),
         .address = what.address,
         .size = 0,
         .page_state = about_a_page ? std::string(memory::to_name(vm_.page(abi::gfn_of(at)))) : std::string(),
         .request = 0,
         .detail = fmt::format("{} {:#x}: {}: {}", abi::ucall_name(number), number, to_name(what.status),
                               what.why)});
}

bool ultravisor::no_such_svm(std::uint64_t lpid) const {
    return lpid != abi::platform::lpid || vm_.state() == vm_state::normal ||
           vm_.state() == vm_state::terminated;
}

ultravisor::answer ultravisor::uv_register_mem_slot(power::registers& state, cpu::trap_context& context) {
    const std::uint64_t lpid = state.gpr[4];
    const std::uint64_t start = state.gpr[5];
    const std::uint64_t size = state.gpr[6];
    const std::uint64_t flags = state.gpr[7];
    const std::uint64_t id = state.gpr[8];

    const abi::gfn first = abi::gfn_of(abi::phys_addr{start});
    const std::uint64_t pages = size >> abi::page_shift;
    const std::uint64_t ram_pages = bus_.ram().pages();
    if (no_such_svm(lpid)) {
        return {u_status::u_parameter, "no secure virtual machine of this lpid", start};
    }
    if (vm_.state() == vm_state::aborted) {
        return {u_status::u_state, "the virtual machine failed to become secure", start};
    }
    if (start % abi::page_size != 0 || first >= ram_pages || vm_.slots().contains(first)) {
        return {u_status::u_p2, "start is not 64 KiB aligned, is outside RAM or in another slot", start};
    }
    if (size == 0 || size % abi::page_size != 0 || pages > ram_pages - first ||
        vm_.slots().overlaps(first, pages)) {
        return {u_status::u_p3, "size is no multiple of 64 KiB, or reaches beyond RAM or into another slot",
                start};
    }
    if (flags != 0) {
        return {u_status::u_p4, "reserved flags", start};
    }
    if (id >= memory_slots::max_slots || vm_.slots().find(id)) {
        return {u_status::u_p5, "the slot identifier is in use or too large", start};
    }
    vm_.add_slot({.id = id, .first = first, .pages = pages}, context.now());
    return {};
}

ultravisor::answer ultravisor::uv_unregister_mem_slot(power::registers& state, cpu::trap_context& context) {
    if (no_such_svm(state.gpr[4])) {
        return {u_status::u_parameter, "no secure virtual machine of this lpid"};
    }
    const auto slot = vm_.slots().find(state.gpr[5]);
    if (!slot) {
        return {u_status::u_p2, "no slot of this identifier"};
    }
    vm_.remove_slot(*slot, context.now());
    return {};
}

ultravisor::answer ultravisor::uv_svm_terminate(power::registers& state, cpu::trap_context& context) {
    if (state.gpr[4] != abi::platform::lpid) {
        return {u_status::u_parameter, "no virtual machine of this lpid"};
    }
    if (no_such_svm(state.gpr[4])) {
        return {u_status::u_invalid, "the virtual machine is not secure"};
    }
    vm_.release(secure() ? vm_state::terminated : vm_state::normal, context.now());
    show_state(context);
    return {};
}

}  // namespace pefsim::ultravisor
