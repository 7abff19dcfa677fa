// SPDX-License-Identifier: Apache-2.0
#include "trace/canaries.h"

#include <fmt/format.h>
#include <functional>
#include <stdexcept>

namespace pefsim::trace {

void canary_set::plant(std::string name, std::span<const std::byte> secret) {
    if (secret.size() < shortest || secret.size() > longest_allowed) {
        throw std::logic_error(fmt::format("canary '{}' has {} bytes; allowed are {} to {}", name,
                                           secret.size(), shortest, longest_allowed));
    }
    canaries_.push_back({std::move(name), {secret.begin(), secret.end()}});
    longest_ = std::max(longest_, secret.size());
}

std::size_t canary_set::next(std::span<const std::byte> in, std::span<const std::byte> secret,
                             std::size_t from) {
    if (from >= in.size()) {
        return in.size();
    }
    const void* found = memmem(in.data() + from, in.size() - from, secret.data(), secret.size());
    return found == nullptr ? in.size()
                            : static_cast<std::size_t>(static_cast<const std::byte*>(found) - in.data());
}

std::size_t canary_set::next_piece(std::span<const std::byte> in, std::span<const std::byte> secret) {
    std::size_t first = in.size();
    for (std::size_t i = 0; i + shortest <= secret.size(); ++i) {
        std::byte piece[shortest];
        std::ranges::copy(secret.subspan(i, shortest), piece);
        first = std::min(first, next(in, piece, 0));
        std::ranges::reverse(piece);
        first = std::min(first, next(in, piece, 0));
    }
    return first;
}

}  // namespace pefsim::trace
