// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

/// What a run is measured by. A module declares each metric once, as a member; the run report walks all of
/// them, so a new module's figures appear without anybody listing them.
namespace pefsim::trace {

struct metric_name {
    std::string scope;  ///< hierarchical name of the module
    std::string name;   ///< "bytes_bounced"
    std::string unit;   ///< "bytes", "requests", "ns" ...
    std::string description;
};

class metric_registry;

/// A count that only grows.
class counter {
public:
    counter(metric_registry& in, std::string_view scope, std::string_view name, std::string_view unit,
            std::string_view description);
    counter(const counter&) = delete;
    counter& operator=(const counter&) = delete;
    void add(std::uint64_t n = 1) { value_ += n; }
    [[nodiscard]] std::uint64_t value() const { return value_; }
    [[nodiscard]] const metric_name& name() const { return name_; }

private:
    metric_name name_;
    std::uint64_t value_ = 0;
};

/// A level that rises and falls, and its high-water mark.
class level {
public:
    level(metric_registry& in, std::string_view scope, std::string_view name, std::string_view unit,
          std::string_view description);
    level(const level&) = delete;
    level& operator=(const level&) = delete;
    void set(std::uint64_t value) {
        value_ = value;
        high_water_ = value > high_water_ ? value : high_water_;
    }
    [[nodiscard]] std::uint64_t value() const { return value_; }
    [[nodiscard]] std::uint64_t high_water() const { return high_water_; }
    [[nodiscard]] const metric_name& name() const { return name_; }

private:
    metric_name name_;
    std::uint64_t value_ = 0;
    std::uint64_t high_water_ = 0;
};

/// Times (latencies): count, mean, minimum, maximum exact; percentiles to better than 1 % in constant space.
class duration_histogram {
public:
    duration_histogram(metric_registry& in, std::string_view scope, std::string_view name,
                       std::string_view description);
    duration_histogram(const duration_histogram&) = delete;
    duration_histogram& operator=(const duration_histogram&) = delete;
    void add(const sc_core::sc_time& duration);
    [[nodiscard]] std::uint64_t count() const { return count_; }
    /// All of these are 0 while nothing was added.
    [[nodiscard]] double mean_ns() const;
    [[nodiscard]] double minimum_ns() const;
    [[nodiscard]] double maximum_ns() const;
    /// The smallest duration that at least `fraction` of all durations do not exceed (nearest rank).
    /// \param fraction 0.5 for the median, 0.99 ...; limited to 0 .. 1
    [[nodiscard]] double percentile_ns(double fraction) const;
    [[nodiscard]] const metric_name& name() const { return name_; }

private:
    metric_name name_;
    std::vector<std::uint64_t> buckets_;  // 64 per power of two; taken from the heap by the first add()
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;  // in units of SystemC's time resolution, like the next two
    std::uint64_t minimum_ = 0;
    std::uint64_t maximum_ = 0;
};

/// Counts by label, the labels fixed at declaration: calls by name.
class tally {
public:
    tally(metric_registry& in, std::string_view scope, std::string_view name, std::string_view unit,
          std::string_view description, std::vector<std::string> labels);
    tally(const tally&) = delete;
    tally& operator=(const tally&) = delete;
    void add(std::size_t label, std::uint64_t n = 1) { counts_[label] += n; }
    [[nodiscard]] std::uint64_t count(std::size_t label) const { return counts_[label]; }
    [[nodiscard]] std::uint64_t total() const;
    [[nodiscard]] std::span<const std::string> labels() const { return labels_; }
    [[nodiscard]] const metric_name& name() const { return name_; }

private:
    metric_name name_;
    std::vector<std::string> labels_;
    std::vector<std::uint64_t> counts_;
};

/// All metrics of a machine, in order of declaration. A metric must outlive every use of the registry.
class metric_registry {
public:
    std::vector<const counter*> counters;
    std::vector<const level*> levels;
    std::vector<const duration_histogram*> histograms;
    std::vector<const tally*> tallies;

    /// The metric with this scope and name ("machine.swiotlb", "bytes_bounced"); nullptr when there is none.
    [[nodiscard]] const counter* find_counter(std::string_view scope, std::string_view name) const;
    [[nodiscard]] const level* find_level(std::string_view scope, std::string_view name) const;
    [[nodiscard]] const duration_histogram* find_histogram(std::string_view scope,
                                                           std::string_view name) const;
    [[nodiscard]] const tally* find_tally(std::string_view scope, std::string_view name) const;

    /// For the metrics' constructors: a name is given once.
    /// \throws std::logic_error when it is taken
    void claim(const metric_name& name);

private:
    std::set<std::string> claimed_;
};

}  // namespace pefsim::trace
