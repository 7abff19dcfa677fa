// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/protected_guest.h"

#include <fmt/format.h>

#include "abi/platform.h"
#include "report/violations.h"

namespace pefsim::ultravisor {

bool protected_guest::is_no_svm(std::uint64_t lpid) const {
    return lpid != abi::platform::lpid || vm_.state() == vm_state::normal ||
           vm_.state() == vm_state::terminated;
}

void protected_guest::end(std::string_view why, std::uint64_t address, cpu::trap_context& context) {
    recorder_.violations().report({.when = context.now(),
                                   .kind = report::violation_kind::guest_terminated,
                                   .who = "ultravisor",
                                   .address = address,
                                   .size = 0,
                                   .page_state = {},
                                   .request = 0,
                                   .detail = std::string(why)});
    vm_.release(vm_state::terminated, context.now());
    show_state(context);
    context.terminated = true;
}

std::string caller_name(const power::registers& state, const cpu::trap_context& context) {
    return (state.msr & power::msr_hv) != 0 ? "hypervisor" : fmt::format("cpu{}", context.cpu);
}

}  // namespace pefsim::ultravisor
