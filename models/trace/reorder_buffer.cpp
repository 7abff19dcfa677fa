// SPDX-License-Identifier: Apache-2.0
#include "trace/reorder_buffer.h"

#include <algorithm>

namespace pefsim::trace {

namespace {

constexpr std::size_t usual_limit = 4096;

}  // namespace

reorder_buffer::reorder_buffer() : limit_(usual_limit) {
    changes_.reserve(usual_limit);
    scratch_.reserve(usual_limit);
}

// Merges neighbouring runs until one is left. std::merge takes from the earlier run at equal times.
void reorder_buffer::sort() {
    while (!run_ends_.empty()) {
        scratch_.resize(changes_.size());
        std::size_t begin = 0;
        std::size_t kept = 0;
        run_ends_.push_back(changes_.size());
        for (std::size_t i = 0; i < run_ends_.size(); i += 2) {
            const std::size_t middle = run_ends_[i];
            const std::size_t end = i + 1 < run_ends_.size() ? run_ends_[i + 1] : middle;
            const auto at = [&](std::size_t index) {
                return changes_.begin() + static_cast<std::ptrdiff_t>(index);
            };
            std::merge(at(begin), at(middle), at(middle), at(end),
                       scratch_.begin() + static_cast<std::ptrdiff_t>(begin),
                       [](const change& a, const change& b) { return a.time < b.time; });
            run_ends_[kept++] = end;
            begin = end;
        }
        run_ends_.resize(kept - 1);
        changes_.swap(scratch_);
    }
}

void reorder_buffer::discard(std::size_t first) {
    changes_.erase(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(first));
    latest_ = changes_.empty() ? 0 : changes_.back().time;
    limit_ = std::max(usual_limit, 2 * changes_.size());
}

}  // namespace pefsim::trace
