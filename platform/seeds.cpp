// SPDX-License-Identifier: Apache-2.0
#include "platform/seeds.h"

#include <random>

namespace pefsim::platform {

std::uint64_t seed_for(std::uint64_t seed, random_stream which, std::uint64_t number) {
    std::seed_seq mixed{seed & 0xffff'ffff, seed >> 32, static_cast<std::uint64_t>(which), number};
    return std::mt19937_64(mixed)();
}

}  // namespace pefsim::platform
