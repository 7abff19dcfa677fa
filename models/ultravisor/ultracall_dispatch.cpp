// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/ultracall_dispatch.h"

#include <fmt/format.h>
#include <string>
#include <string_view>

#include "cpu/call_rows.h"
#include "report/violations.h"

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
    case abi::ucall_caller::secure:
        return (msr & (msr_s | msr_hv)) == msr_s;
    }
    return false;
}

}  // namespace

ultracall_dispatch::ultracall_dispatch(firmware& here)
    : here_(here),
      services_(cpu::services_by_row<abi::ucall_declarations.size(), service>(
          {esm_services(), esm_file_services(), machine_services(), memory_slot_services(), paging_services(),
           sharing_services()},
          abi::ucall_row, abi::ucall_name)) {}

void ultracall_dispatch::serve(power::registers& state, cpu::trap_context& context) {
    const std::uint64_t number = state.gpr[3];
    here_.shows.ultracalls.add(abi::ucall_row(number));
    const shown_call showing(here_.shows.ultracall, abi::ucall_name(number), context);
    context.delay += here_.costs.ultracall;

    const answer result = dispatch(number, state, context);
    if (!result.resumes_elsewhere) {
        state.gpr[3] = static_cast<std::uint64_t>(result.status);
    }
    if (!result.why.empty()) {
        report_failure(number, result, state, context);
    }
}

answer ultracall_dispatch::dispatch(std::uint64_t number, power::registers& state,
                                    cpu::trap_context& context) {
    const std::size_t row = abi::ucall_row(number);
    if (row == services_.size() || services_[row] == nullptr) {
        return {.status = u_status::u_function, .why = "no such ultracall"};
    }
    if (!may_call(abi::ucall_declarations[row].caller, state.msr)) {
        return {.status = u_status::u_permission, .why = "not a call for this caller"};
    }
    return services_[row]->serve(here_, state, context);
}

void ultracall_dispatch::report_failure(std::uint64_t number, const answer& what,
                                        const power::registers& state, const cpu::trap_context& context) {
    const abi::phys_addr at{what.address};
    const bool about_a_page = what.address != 0 && here_.vm.owns(abi::gfn_of(at));
    here_.recorder.violations().report(
        {.when = context.now(),
         .kind = what.kind,
         .who = caller_name(state, context),
         .address = what.address,
         .size = 0,
         .page_state = about_a_page ? std::string(memory::to_name(here_.vm.page(abi::gfn_of(at))))
                                    : std::string(),
         .request = 0,
         .detail = fmt::format("{} {:#x}: {}: {}", abi::ucall_name(number), number, abi::to_name(what.status),
                               what.why)});
}

}  // namespace pefsim::ultravisor
