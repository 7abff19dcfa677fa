// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "cpu/local_time.h"
#include "cpu/time_base.h"
#include "power/engine/core.h"
#include "power/mmu/partition.h"
#include "timing/timing.h"

namespace pefsim::cpu {

/// Time of a POWER9 core: the instructions that it has completed become its CPU's local time, and the time base follows
/// that, never less than what a processor of the partition has read. Counted in units of SystemC's time resolution.
class core_time final : public power::clock {
public:
    /// All outlive it.
    /// \throws std::invalid_argument when timing::instruction is not positive
    core_time(power::core& core, local_time& time, power::mmu::partition& partition,
              const timing::timing& costs);

    /// What has been executed since the last call becomes local time.
    void account();
    /// Simulation time catches up with local time: everything else may run meanwhile.
    void catch_up();
    /// When `instructions` (power::core::instructions()) have been executed, in the middle of a run, too.
    [[nodiscard]] sc_core::sc_time at(std::uint64_t instructions) const {
        return sc_core::sc_time::from_value(units_at(instructions));
    }
    /// Instructions that take at least `units`; at least one.
    [[nodiscard]] std::int64_t instructions_in(std::uint64_t units) const;
    [[nodiscard]] std::uint64_t units_until_decrementer();

    std::uint64_t time_base(std::uint64_t instructions) override;
    std::uint64_t read_time_base(std::uint64_t instructions) override;

private:
    [[nodiscard]] std::uint64_t units_at(std::uint64_t instructions) const;

    power::core& core_;
    local_time& time_;
    power::mmu::partition& partition_;
    std::uint64_t units_per_instruction_;  // times 2^32
    cpu::time_base ticks_;
    std::uint64_t accounted_ = 0;  // instructions that local time contains
    std::uint64_t remainder_ = 0;  // of a unit, times 2^32: local time does not contain it yet
};

}  // namespace pefsim::cpu
