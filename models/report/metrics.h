// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "report/durations.h"

/// What a run is measured by. A module declares each metric once, as a member; the run report walks all of
/// them, so a new module's figures appear without anybody listing them.
namespace pefsim::report {

struct metric_name {
    std::string scope;  ///< hierarchical name of the module
    std::string name;   ///< "bytes_bounced"
    std::string unit;   ///< "bytes", "requests", "ns" ...
    std::string description;
};

class metric_registry;

/// A metric's place in its registry, which forgets it with the metric's life.
class registration {
public:
    registration(metric_registry& in, const void* metric, const metric_name& name);
    ~registration();
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;

private:
    std::shared_ptr<metric_registry*> in_;  // to nullptr once the registry is gone
    const void* metric_;
    const metric_name& name_;
};

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
    registration registration_;
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
    registration registration_;
};

/// Times (latencies): durations with a name.
class duration_histogram : public durations {
public:
    duration_histogram(metric_registry& in, std::string_view scope, std::string_view name,
                       std::string_view description);
    duration_histogram(const duration_histogram&) = delete;
    duration_histogram& operator=(const duration_histogram&) = delete;
    [[nodiscard]] const metric_name& name() const { return name_; }

private:
    metric_name name_;
    registration registration_;
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
    registration registration_;
};

/// All metrics of a machine, in order of declaration. A metric that goes before the registry is not in it any more; its
/// name stays in departed().
class metric_registry {
public:
    metric_registry() = default;
    ~metric_registry() { *self_ = nullptr; }
    metric_registry(const metric_registry&) = delete;
    metric_registry& operator=(const metric_registry&) = delete;

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

    // --- the part of the run that rates are about: the workload's time, without boot and preparation
    struct window {
        sc_core::sc_time begin;
        sc_core::sc_time end;
        [[nodiscard]] sc_core::sc_time length() const { return end - begin; }
    };
    /// A later begin replaces an earlier one.
    void begin_window(const sc_core::sc_time& when);
    void end_window(const sc_core::sc_time& when);
    /// Of a run that took `elapsed`: all of it, when no window began; to its end, when none ended.
    [[nodiscard]] window rate_window(const sc_core::sc_time& elapsed) const;
    /// What was counted in that window.
    [[nodiscard]] std::uint64_t in_window(const counter& of) const;
    /// Of all labels together.
    [[nodiscard]] std::uint64_t in_window(const tally& of) const;

    /// For the metrics' constructors: a name is given once.
    /// \throws std::logic_error when it is taken
    void claim(const metric_name& name);
    /// Full names of metrics that are gone.
    [[nodiscard]] const std::vector<std::string>& departed() const { return departed_; }

private:
    friend class registration;
    void forget(const void* metric, const metric_name& name);

    std::shared_ptr<metric_registry*> self_ = std::make_shared<metric_registry*>(this);
    std::vector<std::string> departed_;
    /// What counters and tallies stood at.
    struct mark {
        sc_core::sc_time when;
        std::map<const void*, std::uint64_t> counts;
    };
    [[nodiscard]] mark mark_now(const sc_core::sc_time& when) const;
    [[nodiscard]] std::uint64_t between_marks(const void* of, std::uint64_t now) const;

    std::optional<mark> begin_;
    std::optional<mark> end_;
    std::set<std::string> claimed_;
};

}  // namespace pefsim::report
