// SPDX-License-Identifier: Apache-2.0
#include "cpu/trap_router.h"

#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::cpu {

trap_if& trap_router::supervisor_of(const power::registers& state) {
    if ((state.msr & power::msr_s) == 0) [[likely]] {
        return *hypervisor_.operator->();
    }
    if (ultravisor_.size() == 0) {
        throw std::logic_error(
            fmt::format("{}: {}: MSR[S]=1 (MSR {:#018x}) on a machine without an Ultravisor",
                        sc_core::sc_time_stamp().to_string(), ultravisor_.name(), state.msr));
    }
    return *ultravisor_.operator->();
}

trap_if& trap_router::ultracalls() {
    return ultravisor_.size() == 0 ? *hypervisor_.operator->() : *ultravisor_.operator->();
}

}  // namespace pefsim::cpu
