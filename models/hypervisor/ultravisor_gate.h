// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <systemc>

#include "abi/ucall.h"
#include "cpu/traps.h"

namespace pefsim::hypervisor {

/// The hypervisor's way to the Ultravisor: ultracalls with MSR[HV]=1.
class ultravisor_gate {
public:
    using port = sc_core::sc_port<cpu::trap_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND>;

    explicit ultravisor_gate(port& to) : to_(to) {}

    /// False on a machine without an Ultravisor; then every call gives U_FUNCTION.
    [[nodiscard]] bool open() const { return to_.size() > 0; }
    abi::u_status call(abi::ucall number, std::initializer_list<std::uint64_t> arguments,
                       cpu::trap_context& context);

private:
    port& to_;
};

}  // namespace pefsim::hypervisor
