// SPDX-License-Identifier: Apache-2.0
#include "trace/reorder_buffer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

namespace pefsim::trace {

namespace {

constexpr std::size_t usual_limit = 4096;
constexpr unsigned widest_digit = 11;  // bits: its counters stay in the first-level cache
constexpr unsigned bucket_bits = 12;   // of the deal: as many buckets as there are changes, usually
constexpr std::uint32_t crowd = 64;    // changes in one bucket that are better sorted by their digits

}  // namespace

reorder_buffer::reorder_buffer() : changes_(usual_limit), limit_(usual_limit) {
    sorted_.reserve(usual_limit);
}

/// From changes_ to sorted_ in one pass: dealt to buckets by the highest bits of their time, where each then moves past
/// the few that it precedes. \returns false, and does nothing, where too many would share a bucket
bool reorder_buffer::deal(std::uint64_t first, unsigned time_bits) {
    const std::span<const value_change> arrived(changes_.data(), count_);
    const unsigned shift = time_bits > bucket_bits ? time_bits - bucket_bits : 0;
    std::array<std::uint32_t, std::size_t{1} << bucket_bits> places{};
    for (const value_change& c : arrived) {
        ++places[(c.time - first) >> shift];
    }
    std::uint32_t most = 0;
    for (std::uint32_t begin = 0; std::uint32_t & place : places) {
        most = std::max(most, place);
        begin += std::exchange(place, begin);
    }
    if (most > crowd) {
        return false;
    }
    sorted_.resize(arrived.size());
    for (const value_change& c : arrived) {
        sorted_[places[(c.time - first) >> shift]++] = c;
    }
    for (std::size_t i = 1; i < sorted_.size(); ++i) {
        if (sorted_[i - 1].time <= sorted_[i].time) [[likely]] {
            continue;
        }
        const value_change c = sorted_[i];
        std::size_t place = i;
        for (; place > 0 && sorted_[place - 1].time > c.time; --place) {
            sorted_[place] = sorted_[place - 1];
        }
        sorted_[place] = c;
    }
    return true;
}

/// Sorts keys_ by the `time_bits` above `index_bits`, the least significant digit first; each pass keeps the order of
/// equals.
void reorder_buffer::sort_keys(unsigned index_bits, unsigned time_bits) {
    const unsigned passes = (time_bits + widest_digit - 1) / widest_digit;
    const unsigned digit = passes == 0 ? 0 : (time_bits + passes - 1) / passes;
    const std::uint64_t mask = (std::uint64_t{1} << digit) - 1;
    scratch_.resize(keys_.size());
    for (unsigned pass = 0, shift = index_bits; pass < passes; ++pass, shift += digit) {
        std::array<std::uint32_t, std::size_t{1} << widest_digit> places{};
        const std::span<const std::uint64_t> from = keys_;
        const std::span<std::uint64_t> to = scratch_;
        for (const std::uint64_t key : from) {
            ++places[key >> shift & mask];
        }
        std::exclusive_scan(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(mask + 1),
                            places.begin(), std::uint32_t{0});
        for (const std::uint64_t key : from) {
            to[places[key >> shift & mask]++] = key;
        }
        keys_.swap(scratch_);
    }
}

/// From changes_ to sorted_. A key is a change's time, from the earliest one on, above its place in order of arrival.
void reorder_buffer::sort() {
    const std::span<value_change> arrived(changes_.data(), count_);
    std::uint64_t first = arrived.empty() ? 0 : arrived.front().time;
    std::uint64_t last = first;
    bool sorted = true;
    for (std::uint64_t before = first; const value_change& c : arrived) {
        sorted &= before <= c.time;
        before = c.time;
        first = std::min(first, before);
        last = std::max(last, before);
    }
    const auto index_bits = static_cast<unsigned>(std::bit_width(arrived.size()));
    const auto time_bits = static_cast<unsigned>(std::bit_width(last - first));
    if (sorted || index_bits + time_bits > 64) {
        if (!sorted) {  // a change lies months ahead
            std::ranges::stable_sort(arrived, {}, &value_change::time);
        }
        sorted_.assign(arrived.begin(), arrived.end());
        return;
    }
    if (deal(first, time_bits)) {
        return;
    }
    keys_.resize(arrived.size());
    for (std::size_t place = 0; place < arrived.size(); ++place) {
        keys_[place] = (arrived[place].time - first) << index_bits | place;
    }
    sort_keys(index_bits, time_bits);
    const std::uint64_t place = (std::uint64_t{1} << index_bits) - 1;
    sorted_.resize(arrived.size());
    std::ranges::transform(keys_, sorted_.begin(), [&](std::uint64_t key) { return arrived[key & place]; });
}

std::span<value_change> reorder_buffer::release(std::uint64_t up_to) {
    sort();
    const auto kept = std::ranges::upper_bound(sorted_, up_to, {}, &value_change::time);
    count_ = static_cast<std::size_t>(sorted_.end() - kept);
    limit_ = std::max(usual_limit, 2 * count_);
    changes_.resize(limit_);
    std::ranges::copy(kept, sorted_.end(), changes_.begin());
    return {sorted_.begin(), kept};
}

}  // namespace pefsim::trace
