// SPDX-License-Identifier: Apache-2.0
#include "backend/entropy_source.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace pefsim::backend {

// The state is filled by splitmix64, as its authors advise.
entropy_source::entropy_source(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
        seed += 0x9e37'79b9'7f4a'7c15;
        std::uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
        z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
        word = z ^ (z >> 31);
    }
}

std::uint64_t entropy_source::next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

void entropy_source::fill(std::span<std::byte> to) {
    while (!to.empty()) {
        const std::uint64_t value = next();
        const std::size_t bytes = std::min(to.size(), sizeof value);
        std::memcpy(to.data(), &value, bytes);
        to = to.subspan(bytes);
    }
}

}  // namespace pefsim::backend
