// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <memory>
#include <numeric>
#include <rapidcheck.h>
#include <stdexcept>
#include <string>
#include <vector>

#include "report/metrics.h"

namespace pefsim::report {
namespace {

using sc_core::sc_time;

// One simulation context serves all of these: they only use times as numbers.
double ns(std::uint64_t picoseconds) { return static_cast<double>(picoseconds) / 1000; }

double exact_percentile(std::vector<std::uint64_t> sorted, double fraction) {
    const double wanted = std::ceil(fraction * static_cast<double>(sorted.size()));
    const auto rank = std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, sorted.size());
    return ns(sorted[rank - 1]);
}

TEST(duration_histogram, percentiles_are_within_one_percent_of_the_exact_ones) {
    EXPECT_TRUE(rc::check([](const std::vector<std::pair<std::uint64_t, std::uint8_t>>& samples) {
        metric_registry registry;
        duration_histogram histogram(registry, "m", "latency", "");
        std::vector<std::uint64_t> exact;
        for (const auto& [bits, magnitude] : samples) {
            // Sums stay below 2^64 ps.
            const std::uint64_t value = bits >> (8 + magnitude % 56);
            histogram.add(sc_time::from_value(value));
            exact.push_back(value);
        }
        RC_ASSERT(histogram.count() == exact.size());
        RC_PRE(!exact.empty());
        std::ranges::sort(exact);
        const double sum = std::accumulate(exact.begin(), exact.end(), 0.0);
        RC_ASSERT(std::abs(histogram.mean_ns() - sum / 1000 / static_cast<double>(exact.size())) <=
                  1e-9 * (1 + histogram.mean_ns()));
        RC_ASSERT(histogram.minimum_ns() == ns(exact.front()));
        RC_ASSERT(histogram.maximum_ns() == ns(exact.back()));
        for (const double fraction : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
            const double expected = exact_percentile(exact, fraction);
            const double found = histogram.percentile_ns(fraction);
            RC_ASSERT(std::abs(found - expected) <= 0.01 * expected);
        }
    }));
}

TEST(duration_histogram, is_zero_while_empty) {
    metric_registry registry;
    const duration_histogram histogram(registry, "m", "latency", "");
    EXPECT_EQ(histogram.count(), 0U);
    EXPECT_EQ(histogram.mean_ns(), 0);
    EXPECT_EQ(histogram.minimum_ns(), 0);
    EXPECT_EQ(histogram.maximum_ns(), 0);
    EXPECT_EQ(histogram.percentile_ns(0.5), 0);
}

TEST(duration_histogram, takes_every_duration) {
    metric_registry registry;
    duration_histogram histogram(registry, "m", "latency", "");
    histogram.add(sc_core::SC_ZERO_TIME);
    EXPECT_EQ(histogram.percentile_ns(1), 0);
    histogram.add(sc_time::from_value(~std::uint64_t{0} >> 1));
    EXPECT_EQ(histogram.percentile_ns(1), histogram.maximum_ns());
    EXPECT_EQ(histogram.percentile_ns(0), 0);
}

TEST(metrics, count_and_remember_the_high_water_mark) {
    metric_registry registry;
    counter bytes(registry, "machine.swiotlb", "bytes_bounced", "bytes", "");
    level used(registry, "machine.swiotlb", "slots_used", "slots", "");
    tally calls(registry, "machine.cpu0", "hypercalls", "calls", "", {"H_RANDOM", "H_PUT_TCE"});
    bytes.add();
    bytes.add(4096);
    EXPECT_EQ(bytes.value(), 4097U);
    used.set(7);
    used.set(3);
    EXPECT_EQ(used.value(), 3U);
    EXPECT_EQ(used.high_water(), 7U);
    calls.add(1);
    calls.add(1, 2);
    calls.add(0);
    EXPECT_EQ(calls.count(1), 3U);
    EXPECT_EQ(calls.total(), 4U);
}

TEST(metric_registry, finds_by_name_and_refuses_a_name_that_is_taken) {
    metric_registry registry;
    const counter first(registry, "machine.cpu0", "calls", "calls", "");
    const level depth(registry, "machine.cpu0", "depth", "requests", "");
    const duration_histogram latency(registry, "machine.cpu0", "latency", "");
    const tally by_name(registry, "machine.cpu0", "calls_by_name", "calls", "", {"a"});
    EXPECT_EQ(registry.find_counter("machine.cpu0", "calls"), &first);
    EXPECT_EQ(registry.find_level("machine.cpu0", "depth"), &depth);
    EXPECT_EQ(registry.find_histogram("machine.cpu0", "latency"), &latency);
    EXPECT_EQ(registry.find_tally("machine.cpu0", "calls_by_name"), &by_name);
    EXPECT_EQ(registry.find_counter("machine.cpu1", "calls"), nullptr);
    EXPECT_EQ(registry.find_counter("machine.cpu0", "depth"), nullptr);
    EXPECT_THROW(level(registry, "machine.cpu0", "calls", "calls", ""), std::logic_error);
    EXPECT_EQ(registry.levels.size(), 1U);
}

TEST(metric_registry, rates_are_of_the_window) {
    metric_registry registry;
    counter bytes(registry, "m", "bytes", "bytes", "");
    tally calls(registry, "m", "calls", "calls", "", {"one", "other"});
    const sc_time elapsed(10, sc_core::SC_MS);
    bytes.add(100);
    calls.add(0, 5);
    EXPECT_EQ(registry.rate_window(elapsed).length(), elapsed) << "without a window, the whole run";
    EXPECT_EQ(registry.in_window(bytes), 100U);
    registry.begin_window(sc_time(2, sc_core::SC_MS));
    bytes.add(30);
    calls.add(1, 2);
    EXPECT_EQ(registry.rate_window(elapsed).length(), sc_time(8, sc_core::SC_MS)) << "it has not ended";
    EXPECT_EQ(registry.in_window(bytes), 30U);
    registry.end_window(sc_time(5, sc_core::SC_MS));
    bytes.add(1000);
    calls.add(0, 1000);
    EXPECT_EQ(registry.rate_window(elapsed).begin, sc_time(2, sc_core::SC_MS));
    EXPECT_EQ(registry.rate_window(elapsed).length(), sc_time(3, sc_core::SC_MS));
    EXPECT_EQ(registry.in_window(bytes), 30U);
    EXPECT_EQ(registry.in_window(calls), 2U);
    EXPECT_EQ(bytes.value(), 1130U);
}

TEST(metric_registry, a_metric_that_is_gone_is_forgotten_by_its_registry) {
    metric_registry registry;
    const counter stays(registry, "m", "stays", "bytes", "");
    {
        const counter goes(registry, "m", "goes", "bytes", "");
        const tally goes_too(registry, "m", "goes_too", "calls", "", {"one"});
    }
    EXPECT_EQ(registry.find_counter("m", "goes"), nullptr);
    EXPECT_EQ(registry.counters.size(), 1U);
    EXPECT_TRUE(registry.tallies.empty());
    EXPECT_EQ(registry.departed(), (std::vector<std::string>{"m.goes_too", "m.goes"}));
}

TEST(metric_registry, a_metric_may_outlive_its_registry) {
    auto registry = std::make_unique<metric_registry>();
    const counter stays(*registry, "m", "stays", "bytes", "");
    registry.reset();
    EXPECT_EQ(stays.value(), 0U);
}

}  // namespace
}  // namespace pefsim::report
