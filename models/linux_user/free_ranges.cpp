// SPDX-License-Identifier: Apache-2.0
#include "linux_user/free_ranges.h"

#include <algorithm>
#include <iterator>

namespace pefsim::linux_user {

free_ranges::free_ranges(std::uint64_t low, std::uint64_t high) : low_(low), high_(high) { give(low, high); }

void free_ranges::take(std::uint64_t start, std::uint64_t end) {
    start = std::max(start, low_);
    end = std::min(end, high_);
    if (start >= end) {
        return;
    }
    auto at = ranges_.upper_bound(start);  // the first behind `start`
    if (at != ranges_.begin()) {
        const auto before = std::prev(at);
        const auto [first, last] = *before;
        if (last > start) {
            ranges_.erase(before);
            if (first < start) {
                ranges_.insert({first, start});
            }
            if (last > end) {
                ranges_.insert({end, last});
                return;
            }
        }
    }
    for (at = ranges_.lower_bound(start); at != ranges_.end() && at->first < end;
         at = ranges_.lower_bound(start)) {
        const std::uint64_t last = at->second;
        ranges_.erase(at);
        if (last > end) {
            ranges_.insert({end, last});
        }
    }
}

void free_ranges::give(std::uint64_t start, std::uint64_t end) {
    start = std::max(start, low_);
    end = std::min(end, high_);
    if (start >= end) {
        return;
    }
    take(start, end);
    const auto next = ranges_.lower_bound(end);
    if (next != ranges_.end() && next->first == end) {
        end = next->second;
        ranges_.erase(next);
    }
    if (const auto behind = ranges_.upper_bound(start); behind != ranges_.begin()) {
        const auto before = std::prev(behind);
        if (before->second == start) {
            start = before->first;
            ranges_.erase(before);
        }
    }
    ranges_.insert({start, end});
}

std::optional<std::uint64_t> free_ranges::highest(std::uint64_t size) const {
    const auto none = ranges_.node_end();
    const auto has = [&](const auto& node) { return node != none && node.get_metadata() >= size; };
    auto node = ranges_.node_begin();
    if (!has(node)) {
        return std::nullopt;
    }
    for (;;) {
        ++visited_;
        if (has(node.get_r_child())) {
            node = node.get_r_child();
        } else if (const auto& [start, end] = **node; end - start >= size) {
            return end - size;
        } else {
            node = node.get_l_child();
        }
    }
}

}  // namespace pefsim::linux_user
