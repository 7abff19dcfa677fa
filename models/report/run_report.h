// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <systemc>
#include <utility>
#include <vector>

#include "exposure/ledger.h"
#include "report/journeys.h"
#include "report/metrics.h"
#include "report/page_map.h"
#include "report/report_table.h"
#include "report/run_ending.h"
#include "report/scope_group.h"
#include "report/trace_summary.h"
#include "report/violations.h"

/// The run report, for people (text of as many columns as are asked for) and for programs (JSON). Both are a function
/// of the run: no wall-clock time, no host names. Everything in the metric registry appears in both, without being
/// listed anywhere; the text leaves out what stayed zero. Equal violations, notes and sightings are told once, with the
/// time of the first and their number.
namespace pefsim::report {

/// Of the JSON report; grows when a member goes or changes its meaning, not when one is added.
inline constexpr unsigned schema_version = 1;

/// What the report says about the scenario, before any figure.
struct report_header {
    struct verdict_line {
        bool shown;
        std::string text;  ///< a sentence that is true when it is shown
        /// What stays the same from run to run: its words, without numbers, as "the-copy-equals-the-original".
        [[nodiscard]] std::string id() const;
    };
    std::string scenario;     ///< its name
    std::string description;  ///< what it shows, a paragraph
    std::uint64_t seed = 0;
    std::vector<std::pair<std::string, std::string>> parameters;  ///< name, value
    /// Those that are numbers, as numbers.
    struct quantity {
        std::string name;
        double value;
        std::string unit;  ///< "bytes", "ns", "yes|no" (1 and 0), or as --help says
    };
    std::vector<quantity> quantities{};
    std::vector<verdict_line> verdict;
    run_ending ending{};  ///< of the run; of several machines, of the first that did not come to a good one

    /// True when there is at least one line and all of them were shown.
    [[nodiscard]] bool shown() const;
};

/// What the observers of a machine know about its run: what every rendering of its report reads.
struct run_record {
    const metric_registry& metrics;
    const violation_log& violations;
    const journey_log& journeys;
    const exposure::ledger& ledger;
    std::span<const scope_group> groups;
    waveform_summary waveform;
    timeline_summary timeline;
};

/// What they do not know.
struct run_facts {
    std::string label{};       ///< distinguishes machines of one report; empty when there is one only
    sc_core::sc_time elapsed;  ///< simulated time; rates are of metric_registry::rate_window() of it
    run_ending ending{};
    /// Full names ("machine.blk.requests") of the counters, levels and histograms that come first. When
    /// empty: all histograms that are in use, counters of requests and frames, and counters of bytes in the
    /// same modules.
    std::vector<std::string> key_metrics{};
    std::vector<pages_in_state> page_states{};  ///< of all guest memory, in order; none: not known
    /// Figures that were worked out from others, shown after the key metrics.
    struct figure {
        std::string name;
        double value;
        std::string unit;
        std::string description;
    };
    std::vector<figure> figures{};
    /// The text shows so many groups of violations of each kind, of canary sightings, and writers to exposed pages in
    /// full.
    std::size_t shown_in_full = 5;
};

/// The scenario's part.
std::string header_text(const report_header& header, std::size_t columns = report_columns);
/// A line for each point of the verdict.
std::string verdict_text(const report_header& header, std::size_t columns = report_columns);
nlohmann::ordered_json header_json(const report_header& header);

/// One machine's part: key figures, counts by name, figures by group, exposure,
/// violations, trace. The trace must have been finished.
/// \throws std::logic_error when a key metric does not exist
std::string figures_text(const run_record& of, const run_facts& facts, std::size_t columns = report_columns);
nlohmann::ordered_json figures_json(const run_record& of, const run_facts& facts);

/// What is told last, and alone where it is to be brief: the verdict, how the run ended; of each machine its
/// violations, a line for each kind with the first of them.
std::string brief_text(const report_header& header, std::size_t columns = report_columns);
std::string brief_text(const run_record& of, const run_facts& facts, std::size_t columns = report_columns);

/// The report of a scenario with one machine.
struct run_report {
    std::string text;
    nlohmann::ordered_json json;  ///< the header's members, then those of the machine
};
run_report make_run_report(const run_record& of, report_header header, const run_facts& facts);

}  // namespace pefsim::report
