// SPDX-License-Identifier: Apache-2.0
#include "report/metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <stdexcept>

#include "report/quantity_text.h"

namespace pefsim::report {

namespace {

// Buckets of a histogram: below 2^7 one per value; above, 64 per power of two, so that a bucket's middle is
// within 1/128 of every value in it.
constexpr unsigned sub_bucket_bits = 6;
constexpr std::uint64_t sub_buckets = std::uint64_t{1} << sub_bucket_bits;
constexpr std::size_t bucket_count = (64 - sub_bucket_bits + 1) * sub_buckets;

constexpr unsigned shift_of(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    return width > sub_bucket_bits + 1 ? width - (sub_bucket_bits + 1) : 0;
}

constexpr std::size_t bucket_of(std::uint64_t value) {
    const unsigned shift = shift_of(value);
    return shift * sub_buckets + (value >> shift);
}

constexpr std::uint64_t middle_of(std::size_t bucket) {
    if (bucket < 2 * sub_buckets) {
        return bucket;
    }
    const std::size_t shift = bucket / sub_buckets - 1;
    const std::uint64_t lowest = (bucket - shift * sub_buckets) << shift;
    return lowest + ((std::uint64_t{1} << shift) >> 1);
}

static_assert(bucket_of(~std::uint64_t{0}) == bucket_count - 1);
static_assert(bucket_of(127) == 127 && bucket_of(128) == 128 && bucket_of(129) == 128 &&
              bucket_of(130) == 129);
static_assert(middle_of(127) == 127 && middle_of(128) == 129 &&
              middle_of(bucket_of(1'000'000)) / 1'000 == 1'003);

double in_ns(std::uint64_t ticks) { return report::in_ns(sc_core::sc_time::from_value(ticks)); }

template <class Metric>
const Metric* find(const std::vector<const Metric*>& in, std::string_view scope, std::string_view name) {
    const auto found = std::ranges::find_if(
        in, [&](const Metric* m) { return m->name().scope == scope && m->name().name == name; });
    return found == in.end() ? nullptr : *found;
}

metric_name claimed(metric_registry& in, std::string_view scope, std::string_view name, std::string_view unit,
                    std::string_view description) {
    metric_name result{std::string(scope), std::string(name), std::string(unit), std::string(description)};
    in.claim(result);
    return result;
}

}  // namespace

registration::registration(metric_registry& in, const void* metric, const metric_name& name)
    : in_(in.self_),
      metric_(metric),
      name_(name) {}

registration::~registration() {
    if (*in_ != nullptr) {
        (*in_)->forget(metric_, name_);
    }
}

void metric_registry::forget(const void* metric, const metric_name& name) {
    const auto is_it = [metric](const void* each) { return each == metric; };
    std::erase_if(counters, is_it);
    std::erase_if(levels, is_it);
    std::erase_if(histograms, is_it);
    std::erase_if(tallies, is_it);
    departed_.push_back(fmt::format("{}.{}", name.scope, name.name));
}

counter::counter(metric_registry& in, std::string_view scope, std::string_view name, std::string_view unit,
                 std::string_view description)
    : name_(claimed(in, scope, name, unit, description)),
      registration_(in, this, name_) {
    in.counters.push_back(this);
}

level::level(metric_registry& in, std::string_view scope, std::string_view name, std::string_view unit,
             std::string_view description)
    : name_(claimed(in, scope, name, unit, description)),
      registration_(in, this, name_) {
    in.levels.push_back(this);
}

duration_histogram::duration_histogram(metric_registry& in, std::string_view scope, std::string_view name,
                                       std::string_view description)
    : name_(claimed(in, scope, name, "ns", description)),
      registration_(in, this, name_) {
    in.histograms.push_back(this);
}

void duration_histogram::add(const sc_core::sc_time& duration) {
    if (buckets_.empty()) [[unlikely]] {
        buckets_.resize(bucket_count);
    }
    const std::uint64_t value = duration.value();
    ++buckets_[bucket_of(value)];
    minimum_ = count_ == 0 ? value : std::min(minimum_, value);
    maximum_ = std::max(maximum_, value);
    sum_ += value;
    ++count_;
}

double duration_histogram::mean_ns() const {
    return count_ == 0 ? 0 : in_ns(sum_) / static_cast<double>(count_);
}

double duration_histogram::minimum_ns() const { return in_ns(minimum_); }

double duration_histogram::maximum_ns() const { return in_ns(maximum_); }

double duration_histogram::percentile_ns(double fraction) const {
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

tally::tally(metric_registry& in, std::string_view scope, std::string_view name, std::string_view unit,
             std::string_view description, std::vector<std::string> labels)
    : name_(claimed(in, scope, name, unit, description)),
      labels_(std::move(labels)),
      counts_(labels_.size()),
      registration_(in, this, name_) {
    in.tallies.push_back(this);
}

std::uint64_t tally::total() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

const counter* metric_registry::find_counter(std::string_view scope, std::string_view name) const {
    return find(counters, scope, name);
}

const level* metric_registry::find_level(std::string_view scope, std::string_view name) const {
    return find(levels, scope, name);
}

const duration_histogram* metric_registry::find_histogram(std::string_view scope,
                                                          std::string_view name) const {
    return find(histograms, scope, name);
}

const tally* metric_registry::find_tally(std::string_view scope, std::string_view name) const {
    return find(tallies, scope, name);
}

metric_registry::mark metric_registry::mark_now(const sc_core::sc_time& when) const {
    mark result{when, {}};
    for (const counter* each : counters) {
        result.counts.emplace(each, each->value());
    }
    for (const tally* each : tallies) {
        result.counts.emplace(each, each->total());
    }
    return result;
}

void metric_registry::begin_window(const sc_core::sc_time& when) {
    begin_ = mark_now(when);
    end_.reset();
}

void metric_registry::end_window(const sc_core::sc_time& when) { end_ = mark_now(when); }

metric_registry::window metric_registry::rate_window(const sc_core::sc_time& elapsed) const {
    return {begin_ ? begin_->when : sc_core::SC_ZERO_TIME, end_ ? end_->when : elapsed};
}

std::uint64_t metric_registry::between_marks(const void* of, std::uint64_t now) const {
    const auto at = [of](const std::optional<mark>& marked, std::uint64_t otherwise) {
        if (!marked) {
            return otherwise;
        }
        const auto found = marked->counts.find(of);
        return found == marked->counts.end() ? 0 : found->second;
    };
    return at(end_, now) - at(begin_, 0);
}

std::uint64_t metric_registry::in_window(const counter& of) const { return between_marks(&of, of.value()); }

std::uint64_t metric_registry::in_window(const tally& of) const { return between_marks(&of, of.total()); }

void metric_registry::claim(const metric_name& name) {
    if (!claimed_.insert(fmt::format("{}.{}", name.scope, name.name)).second) {
        throw std::logic_error(fmt::format("metric {}.{} is declared twice", name.scope, name.name));
    }
}

}  // namespace pefsim::report
