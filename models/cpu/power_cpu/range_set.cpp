// SPDX-License-Identifier: Apache-2.0
#include "cpu/power_cpu/range_set.h"

#include <algorithm>

namespace pefsim::cpu {

void range_set::add(std::uint64_t first, std::uint64_t last) {
    // Most often the latest range goes on.
    std::size_t at = count_;
    while (at > 0 && ranges_[at - 1].first > first) {
        --at;
    }
    std::move_backward(ranges_.begin() + static_cast<std::ptrdiff_t>(at),
                       ranges_.begin() + static_cast<std::ptrdiff_t>(count_),
                       ranges_.begin() + static_cast<std::ptrdiff_t>(count_ + 1));
    ranges_[at] = {first, last};
    ++count_;
    if (at > 0 && (ranges_[at - 1].last >= first || ranges_[at - 1].last + 1 == first)) {
        join(--at);
    }
    while (at + 1 < count_ && (last == ~std::uint64_t{0} || ranges_[at + 1].first <= last + 1)) {
        join(at);
    }
    if (count_ > most) {
        std::size_t nearest = 0;
        for (std::size_t i = 1; i + 1 < count_; ++i) {
            const auto gap = [this](std::size_t n) { return ranges_[n + 1].first - ranges_[n].last; };
            nearest = gap(i) < gap(nearest) ? i : nearest;
        }
        join(nearest);
    }
}

/// Makes range `at` and the next one one.
void range_set::join(std::size_t at) {
    ranges_[at].last = std::max(ranges_[at].last, ranges_[at + 1].last);
    std::move(ranges_.begin() + static_cast<std::ptrdiff_t>(at + 2),
              ranges_.begin() + static_cast<std::ptrdiff_t>(count_),
              ranges_.begin() + static_cast<std::ptrdiff_t>(at + 1));
    --count_;
}

}  // namespace pefsim::cpu
