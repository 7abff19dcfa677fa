// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "timing/timing.h"

namespace pefsim::timing {

/// The values that a cost may have: 12 decades and more, and what is charged in one go stays far below the 64 bits of
/// simulated time.
struct cost_range {
    double least = 0;
    double most = 0;
    /// False for what is not a number, too.
    [[nodiscard]] constexpr bool contains(double value) const { return value >= least && value <= most; }
};

/// A latency is at most a second, a cycle a millisecond, and a million of them are counted at most; a bandwidth is
/// never 0.
[[nodiscard]] constexpr cost_range range_of(const cost& what) {
    if (what.unit == "GB/s") {
        return {.least = 1e-6, .most = 1e6};
    }
    return {.least = 0, .most = what.unit == "ns" && what.field != &timing::cpu_cycle_ns ? 1e9 : 1e6};
}

}  // namespace pefsim::timing
