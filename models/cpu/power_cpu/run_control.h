// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "power/engine/core.h"

namespace pefsim::cpu {

class power_cpu;

/// Whom a CPU asks before each run of its engine, and tells afterwards: a debugger, or tools that stop it.
///
/// All calls come in the thread of the CPU. They may take time of the host, as long as they like, and none of the
/// simulation's.
class run_control {
public:
    enum class permission : std::uint8_t {
        run,
        stay,  ///< stands still until the end of its quantum; time passes
        halt,  ///< does not run any more
    };

    virtual ~run_control() = default;
    virtual permission may_run(power_cpu& cpu) = 0;
    virtual void ran(power_cpu& cpu, power::exit_reason why) = 0;
    /// The CPU leaves its guest by the instruction at `nip`, for the software above it.
    /// \param kind "hypercall", "ultracall", "MMIO load", "MMIO store", "hypervisor page fault"
    /// \param name of the call; empty: it has none
    virtual void leaves([[maybe_unused]] power_cpu& cpu, [[maybe_unused]] std::string_view kind,
                        [[maybe_unused]] std::string_view name, [[maybe_unused]] std::uint64_t nip) {}
};

}  // namespace pefsim::cpu
