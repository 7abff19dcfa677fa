// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pefsim::platform {

/// What is random in a machine.
enum class random_stream : std::uint64_t {
    ultravisor = 1,
    hypervisor,
    entropy,
    canaries,
    disks,
    cores,
    firmware
};

/// Everything random in a machine has a seed of its own, all of them from the one that the user gives.
std::uint64_t seed_for(std::uint64_t seed, random_stream which, std::uint64_t number = 0);

}  // namespace pefsim::platform
