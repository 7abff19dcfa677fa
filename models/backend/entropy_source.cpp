// SPDX-License-Identifier: Apache-2.0
#include "backend/entropy_source.h"

#include <algorithm>
#include <cstring>

namespace pefsim::backend {

entropy_source::entropy_source(std::uint64_t seed) : stream_(seed) {}

void entropy_source::fill(std::span<std::byte> to) {
    while (!to.empty()) {
        const std::uint64_t value = stream_();
        const std::size_t bytes = std::min(to.size(), sizeof value);
        std::memcpy(to.data(), &value, bytes);
        to = to.subspan(bytes);
    }
}

}  // namespace pefsim::backend
