// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "power/translator/region.h"

namespace pefsim::power::host_code {

/// Registers of the host that hold guest registers, by number; emitter.cpp says which they are. The last ones are lost
/// in calls.
inline constexpr unsigned host_register_count = 8;
inline constexpr unsigned kept_in_calls = 3;

/// Where guest registers stand while a loop's own instructions are executed.
struct placement {
    static constexpr int in_memory = -1;

    std::array<int, register_count> host{};  ///< the host register's number, or in_memory
    register_set placed;                     ///< those that stand in host registers
    register_set written;                    ///< of those, what the loop's own instructions change

    placement() { host.fill(in_memory); }
};

/// One for each loop of the region: its most used registers, those of inner loops by their outer loops' choice where
/// both use them.
std::vector<placement> allocate(const region& of);

}  // namespace pefsim::power::host_code
