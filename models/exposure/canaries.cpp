// SPDX-License-Identifier: Apache-2.0
#include "exposure/canaries.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::exposure {

void canary_set::plant(std::string name, std::span<const std::byte> secret) {
    if (secret.size() < shortest || secret.size() > longest_allowed) {
        throw std::logic_error(fmt::format("canary '{}' has {} bytes; allowed are {} to {}", name,
                                           secret.size(), shortest, longest_allowed));
    }
    beginnings_.add(secret.data());
    for (std::size_t i = 0; i + shortest <= secret.size(); ++i) {
        std::array<std::byte, shortest> bytes{};
        std::ranges::copy(secret.subspan(i, shortest), bytes.begin());
        add_piece(bytes);
        std::ranges::reverse(bytes);
        add_piece(bytes);
    }
    canaries_.push_back({std::move(name), {secret.begin(), secret.end()}});
    longest_ = std::max(longest_, secret.size());
}

void canary_set::add_piece(const std::array<std::byte, shortest>& bytes) {
    piece_filter_.add(bytes.data());
    const piece added{word_at(bytes.data()), canaries_.size()};
    pieces_.insert(std::ranges::upper_bound(pieces_, added.word, {}, &piece::word), added);
}

}  // namespace pefsim::exposure
