// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/ultravisor_gate.h"

#include <algorithm>

namespace pefsim::hypervisor {

abi::u_status ultravisor_gate::call(abi::ucall number, std::initializer_list<std::uint64_t> arguments,
                                    cpu::trap_context& context) {
    if (!open()) {
        return abi::u_status::u_function;
    }
    power::registers state;
    state.msr = power::msr_sf | power::msr_hv | power::msr_ri | power::msr_le;
    state.gpr[3] = static_cast<std::uint64_t>(number);
    std::ranges::copy(arguments, state.gpr.begin() + 4);
    to_->ultracall(state, context);
    return static_cast<abi::u_status>(state.gpr[3]);
}

}  // namespace pefsim::hypervisor
