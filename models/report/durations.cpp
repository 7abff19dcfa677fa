// SPDX-License-Identifier: Apache-2.0
#include "report/durations.h"

#include <algorithm>
#include <cmath>

#include "report/quantity_text.h"

namespace pefsim::report {

namespace {

constexpr std::uint64_t lowest_of(std::size_t bucket) {
    if (bucket < 2 * durations::sub_buckets) {
        return bucket;
    }
    const std::size_t shift = bucket / durations::sub_buckets - 1;
    return (bucket - shift * durations::sub_buckets) << shift;
}

constexpr std::uint64_t middle_of(std::size_t bucket) {
    const std::size_t shift = bucket < 2 * durations::sub_buckets ? 0 : bucket / durations::sub_buckets - 1;
    return lowest_of(bucket) + ((std::uint64_t{1} << shift) >> 1);
}

static_assert(durations::bucket_of(~std::uint64_t{0}) == durations::bucket_count - 1);
static_assert(durations::bucket_of(127) == 127 && durations::bucket_of(128) == 128 &&
              durations::bucket_of(129) == 128 && durations::bucket_of(130) == 129);
static_assert(middle_of(127) == 127 && middle_of(128) == 129 &&
              middle_of(durations::bucket_of(1'000'000)) / 1'000 == 1'003);

double in_ns(std::uint64_t ticks) { return report::in_ns(sc_core::sc_time::from_value(ticks)); }

}  // namespace

double durations::mean_ns() const { return count_ == 0 ? 0 : in_ns(sum_) / static_cast<double>(count_); }

double durations::minimum_ns() const { return count_ == 0 ? 0 : in_ns(minimum_); }

double durations::maximum_ns() const { return in_ns(maximum_); }

double durations::percentile_ns(double fraction) const {
    if (count_ == 0) {
        return 0;
    }
    const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_));
    const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
    if (rank == 1 || rank == count_) {
        return rank == 1 ? minimum_ns() : maximum_ns();
    }
    std::uint64_t seen = 0;
    std::size_t bucket = 0;
    while ((seen += buckets_[bucket]) < rank) {
        ++bucket;
    }
    return in_ns(std::clamp(middle_of(bucket), minimum_, maximum_));
}

std::vector<durations::range> durations::buckets(unsigned per_doubling) const {
    std::vector<range> result;
    std::size_t last = ~std::size_t{0};
    const std::size_t together = durations::sub_buckets / per_doubling;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        if (buckets_[i] == 0) {
            continue;
        }
        if (const std::size_t group = i / together; group != last) {
            last = group;
            result.push_back(
                {in_ns(lowest_of(group * together)), in_ns(lowest_of((group + 1) * together)), 0});
        }
        result.back().count += buckets_[i];
    }
    return result;
}

}  // namespace pefsim::report
