// SPDX-License-Identifier: Apache-2.0
#include "firmware/claims.h"

#include <algorithm>
#include <ranges>

namespace pefsim::firmware {

bool claims::take(std::uint64_t at, std::uint64_t size) {
    if (size == 0 || !in_ram(at, size) || !boost::icl::contains(free_, interval::right_open(at, at + size))) {
        return false;
    }
    free_ -= interval::right_open(at, at + size);
    return true;
}

std::optional<std::uint64_t> claims::take_aligned(std::uint64_t size, std::uint64_t alignment,
                                                  std::uint64_t end) {
    for (const auto& each : free_) {
        const std::uint64_t first = each.lower();
        const std::uint64_t last = std::min<std::uint64_t>(each.upper(), end);
        const std::uint64_t at = (first + alignment - 1) & ~(alignment - 1);
        if (at >= first && at < last && size <= last - at && take(at, size)) {
            return at;
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> claims::take_below(std::uint64_t end, std::uint64_t size,
                                                std::uint64_t alignment) {
    for (const auto& each : std::views::reverse(free_)) {
        const std::uint64_t last = std::min<std::uint64_t>(each.upper(), end);
        if (last < size) {
            continue;
        }
        const std::uint64_t at = (last - size) & ~(alignment - 1);
        if (at >= each.lower() && take(at, size)) {
            return at;
        }
    }
    return std::nullopt;
}

void claims::release(std::uint64_t at, std::uint64_t size) {
    if (size != 0 && in_ram(at, size)) {
        free_ += interval::right_open(at, at + size);
    }
}

}  // namespace pefsim::firmware
