// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "abi/ucall.h"
#include "cpu/traps.h"
#include "power/registers.h"
#include "ultravisor/firmware.h"
#include "ultravisor/service.h"

namespace pefsim::ultravisor {

/// Dispatch of `sc 2`: who may make a call (abi::ucall_declarations), the
/// function that serves it (service.h), and the violation that a failure is.
class ultracall_dispatch {
public:
    /// \throws std::logic_error when two functions serve the same call
    explicit ultracall_dispatch(firmware& here);

    /// Number in R3, arguments from R4; status in R3.
    void serve(power::registers& state, cpu::trap_context& context);

private:
    answer dispatch(std::uint64_t number, power::registers& state, cpu::trap_context& context);
    void report_failure(std::uint64_t number, const answer& what, const power::registers& state,
                        const cpu::trap_context& context);

    firmware& here_;
    std::array<const service*, abi::ucall_declarations.size()> services_;  // nullptr: none
};

}  // namespace pefsim::ultravisor
