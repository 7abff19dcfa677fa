// SPDX-License-Identifier: Apache-2.0
#include "report/metrics.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <stdexcept>

namespace pefsim::report {

namespace {

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
