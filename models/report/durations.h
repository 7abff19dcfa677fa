// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <systemc>
#include <vector>

namespace pefsim::report {

/// What is known of many durations: count, mean, minimum, maximum exact; percentiles to better than 1 % in constant
/// space.
class durations {
public:
    void add(const sc_core::sc_time& duration) {
        if (buckets_.empty()) [[unlikely]] {
            buckets_.resize(bucket_count);
        }
        const std::uint64_t value = duration.value();
        ++buckets_[bucket_of(value)];
        minimum_ = std::min(minimum_, value);
        maximum_ = std::max(maximum_, value);
        sum_ += value;
        ++count_;
    }
    [[nodiscard]] std::uint64_t count() const { return count_; }
    /// All of these are 0 while nothing was added.
    [[nodiscard]] double mean_ns() const;
    [[nodiscard]] double minimum_ns() const;
    [[nodiscard]] double maximum_ns() const;
    /// The smallest duration that at least `fraction` of all durations do not exceed (nearest rank).
    /// \param fraction 0.5 for the median, 0.99 ...; limited to 0 .. 1
    [[nodiscard]] double percentile_ns(double fraction) const;

    /// Durations from `from_ns` on and below `to_ns`, about.
    struct range {
        double from_ns;
        double to_ns;
        std::uint64_t count;
    };
    /// Those that are not empty, shortest durations first. \param per_doubling 1, 2, 4 ... 64 buckets for each power
    /// of two
    [[nodiscard]] std::vector<range> buckets(unsigned per_doubling) const;

    // --- buckets: below 2^7 one per value; above, 64 per power of two, so that a bucket's middle is within 1/128 of
    // every value in it
    static constexpr unsigned sub_bucket_bits = 6;
    static constexpr std::uint64_t sub_buckets = std::uint64_t{1} << sub_bucket_bits;
    static constexpr std::size_t bucket_count = (64 - sub_bucket_bits + 1) * sub_buckets;
    static constexpr std::size_t bucket_of(std::uint64_t value) {
        const auto width = static_cast<unsigned>(std::bit_width(value));
        const unsigned shift = width > sub_bucket_bits + 1 ? width - (sub_bucket_bits + 1) : 0;
        return shift * sub_buckets + (value >> shift);
    }

private:
    std::vector<std::uint64_t> buckets_;  // taken from the heap by the first add()
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;  // in units of SystemC's time resolution, like the next two
    std::uint64_t minimum_ = ~std::uint64_t{0};
    std::uint64_t maximum_ = 0;
};

}  // namespace pefsim::report
