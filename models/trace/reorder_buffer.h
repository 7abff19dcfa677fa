// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trace/value_change.h"

namespace pefsim::trace {

/// Puts changes that arrive out of order into order of time, those of equal time in order of arrival.
///
/// Processes run ahead of each other, so what arrives is a few dozen sorted runs per quantum. They are collected and
/// sorted a few thousand at a time, dealt by their time: the number of runs makes no difference then.
class reorder_buffer {
public:
    reorder_buffer();

    [[gnu::always_inline]] void add(const value_change& c) {
        if (count_ == changes_.size()) [[unlikely]] {
            changes_.resize(2 * count_);
        }
        changes_[count_++].take(c);
    }
    /// Time to release what can be released.
    [[nodiscard]] bool full() const { return count_ >= limit_; }

    /// All changes that are not later than `up_to`, in order; it keeps the others. Valid until the next release().
    [[nodiscard]] std::span<value_change> release(std::uint64_t up_to);

private:
    bool deal(std::uint64_t first, unsigned time_bits);
    void sort_keys(unsigned index_bits, unsigned time_bits);
    void sort();

    std::vector<value_change> changes_;  ///< count_ of them
    std::size_t count_ = 0;
    std::vector<value_change> sorted_;
    std::vector<std::uint64_t> keys_;
    std::vector<std::uint64_t> scratch_;
    std::size_t limit_;
};

}  // namespace pefsim::trace
