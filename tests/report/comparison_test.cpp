// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "report/comparison.h"

namespace pefsim::report {
namespace {

using nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ordered_json sample() {
    return ordered_json::parse(R"({
        "scenario": "sample", "seed": 1, "parameters": {"cpus": "1", "size": {"value": 1048576, "unit": "bytes"}},
        "shown": true, "verdict": [{"shown": true, "text": "it finished"}],
        "ended": {"kind": "finished", "text": "the guest finished", "details": []}, "files": {"trace": "a.fst"},
        "runs": [{"label": "", "simulated_time_ns": 1000,
            "figures": {"throughput": {"unit": "MB/s", "value": 12.5}},
            "metrics": {
                "counters": {"m.bytes": {"unit": "bytes", "value": 4096}, "m.errors": {"unit": "requests", "value": 0},
                             "m.same": {"unit": "", "value": 3}},
                "levels": {"m.slots": {"unit": "slots", "value": 0, "high_water": 10}},
                "histograms": {"m.latency": {"unit": "ns", "count": 4, "mean": 1000, "p50": 900, "p90": 1200, "p99": 1300, "max": 1400}},
                "tallies": {"m.calls": {"unit": "calls", "total": 3, "counts": {"H_EOI": 3}}}},
            "exposure": {"pages_exposed": 2, "bytes_left_standing": 100, "canaries": {"sightings": 0}},
            "violations": {"by_kind": {"iommu_fault": 0}}, "notes": {"by_kind": {}},
            "anatomy": {"parts": ["driver", "device"], "requests": [{"device": "machine.virtio-blk0", "kind": "read",
                "total": {"mean_ns": 100}, "mean_ns": [30, 70]}]}}]})");
}

const comparison::part& part_called(const comparison& in, const std::string& title) {
    for (const comparison::part& each : in.parts) {
        if (each.title.starts_with(title)) {
            return each;
        }
    }
    throw std::out_of_range(title);
}

TEST(comparison, equal_reports_are_equal_whatever_their_files_are_called) {
    ordered_json other = sample();
    other["files"]["trace"] = "b.fst";
    EXPECT_TRUE(compare_reports(sample(), other).equal());
    EXPECT_THAT(comparison_text(compare_reports(sample(), other), "a.json", "b.json"),
                HasSubstr("Nothing differs."));
}

TEST(comparison, ratios_come_largest_first_and_know_their_units) {
    ordered_json other = sample();
    ordered_json& metrics = other["runs"][0]["metrics"];
    metrics["counters"]["m.bytes"]["value"] = 8192;
    metrics["counters"]["m.errors"]["value"] = 5;
    metrics["levels"]["m.slots"]["high_water"] = 1;
    const comparison found = compare_reports(sample(), other);
    const comparison::part& part = part_called(found, "Figures and metrics");
    ASSERT_EQ(part.rows.size(), 3U);
    EXPECT_EQ(part.rows[0].name, "m.errors") << "from nothing to something";
    EXPECT_EQ(part.rows[1].name, "m.slots (highest)") << "a tenth is farther than a double";
    EXPECT_EQ(part.rows[2].name, "m.bytes");
    EXPECT_EQ(part.rows[2].a, "4.00 KiB");
    EXPECT_EQ(part.rows[2].ratio, "x 2.00");
}

TEST(comparison, every_part_of_a_report_is_looked_at) {
    const auto parts_after = [](const char* pointer, const ordered_json& value) {
        ordered_json other = sample();
        other[ordered_json::json_pointer(pointer)] = value;
        const comparison found = compare_reports(sample(), other);
        std::vector<std::string> titles;
        for (const comparison::part& each : found.parts) {
            titles.push_back(each.title.substr(0, each.title.find(',')));
        }
        for (const std::string& each : found.elsewhere) {
            titles.push_back("elsewhere " + each);
        }
        return titles;
    };
    EXPECT_THAT(parts_after("/verdict/0/shown", false), ElementsAre("Verdict"));
    EXPECT_THAT(parts_after("/ended/details/0", "cpu0 waits"), ElementsAre("How it ended"));
    EXPECT_THAT(parts_after("/parameters/size/value", 2097152), ElementsAre("Parameters"));
    EXPECT_THAT(parts_after("/seed", 2), ElementsAre("Parameters"));
    EXPECT_THAT(parts_after("/runs/0/figures/throughput/value", 13), ElementsAre("Figures and metrics"));
    EXPECT_THAT(parts_after("/runs/0/metrics/tallies/m.calls/counts/H_EOI", 4),
                ElementsAre("Figures and metrics"));
    EXPECT_THAT(parts_after("/runs/0/metrics/histograms/m.latency/p99", 2600), ElementsAre("Latencies"));
    EXPECT_THAT(parts_after("/runs/0/anatomy/requests/0/mean_ns/1", 140),
                ElementsAre("Where a request's time goes (mean)"));
    EXPECT_THAT(parts_after("/runs/0/violations/by_kind/iommu_fault", 1),
                ElementsAre("Violations and notes"));
    EXPECT_THAT(parts_after("/runs/0/exposure/bytes_left_standing", 200),
                ElementsAre("What the host could read", "elsewhere machine: exposure"));
    EXPECT_THAT(parts_after("/results/x", 1), ElementsAre("elsewhere results"));
    EXPECT_THAT(parts_after("/runs/0/label", "other"), ElementsAre("Machines"));
}

TEST(comparison, metrics_of_one_of_them_are_named_only) {
    ordered_json other = sample();
    other["runs"][0]["metrics"]["counters"].erase("m.bytes");
    other["runs"][0]["metrics"]["counters"]["m.more"] = {{"unit", "bytes"}, {"value", 1}};
    const comparison found = compare_reports(sample(), other);
    const comparison::part& part = part_called(found, "Figures and metrics");
    EXPECT_THAT(part.rows, IsEmpty());
    EXPECT_THAT(part.only_a, ElementsAre("m.bytes"));
    EXPECT_THAT(part.only_b, ElementsAre("m.more"));
}

TEST(comparison, other_scenarios_and_schemas_are_told) {
    ordered_json other = sample();
    other["scenario"] = "another";
    other["schema_version"] = 2;
    EXPECT_THAT(compare_reports(sample(), other).warnings,
                ElementsAre("these are of different scenarios: sample and another",
                            "these are of different schema versions: none and 2"));
}

TEST(comparison, text_fits_into_100_columns) {
    ordered_json other = sample();
    other["verdict"][0]["text"] = std::string(20, 'a') + ' ' + std::string(90, 'b') +
                                  " it did not finish in time";
    other["runs"][0]["metrics"]["counters"]
         ["machine.with.a.very.long.name.of.a.module.that.does.not.end.bytes"] = {{"unit", "bytes"},
                                                                                  {"value", 1}};
    other["runs"][0]["metrics"]["counters"]["m.bytes"]["value"] = 8192;
    std::istringstream lines(comparison_text(compare_reports(sample(), other), "a.json", "b.json"));
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 100U) << line;
    }
}

TEST(comparison, what_is_no_report_is_refused) {
    EXPECT_THROW(check_is_report(ordered_json::array()), std::invalid_argument);
    EXPECT_THROW(check_is_report(ordered_json::object()), std::invalid_argument);
    EXPECT_NO_THROW(check_is_report(sample()));
}

}  // namespace
}  // namespace pefsim::report
