// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <numeric>
#include <systemc>

#include "power/engine/environment.h"
#include "power/int128.h"

namespace pefsim::cpu {

/// The time base as hypervisor and processors count it: ticks of 512 MHz in simulated time, exactly, whatever SystemC's
/// resolution. Power ISA 3.0B Book II 6.2.
class time_base {
public:
    static constexpr std::uint64_t frequency = power::clock::frequency;

    time_base() {
        const std::uint64_t units_per_second = sc_core::sc_time(1, sc_core::SC_SEC).value();
        const std::uint64_t common = std::gcd(frequency, units_per_second);
        numerator_ = frequency / common;
        denominator_ = units_per_second / common;
    }

    /// Ticks that are complete after so much time, in units of SystemC's resolution.
    [[nodiscard]] std::uint64_t ticks_at(std::uint64_t units) const {
        return static_cast<std::uint64_t>(power::uint128{units} * numerator_ / denominator_);
    }
    [[nodiscard]] std::uint64_t ticks_at(const sc_core::sc_time& time) const {
        return ticks_at(time.value());
    }
    /// The first unit at which so many ticks are complete.
    [[nodiscard]] power::uint128 units_of(power::uint128 ticks) const {
        return (ticks * denominator_ + numerator_ - 1) / numerator_;
    }

private:
    std::uint64_t numerator_;  // ticks for a unit of time, as a fraction
    std::uint64_t denominator_;
};

}  // namespace pefsim::cpu
