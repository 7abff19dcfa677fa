// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fmt/format.h>
#include <span>

#include "output/version.h"
#include "report/quantity_text.h"
#include "report/run_report.h"

namespace pefsim::report {

namespace {

using nlohmann::ordered_json;

std::string full_name(const metric_name& m) { return fmt::format("{}.{}", m.scope, m.name); }

template <class Metrics, class Figures>
ordered_json by_name(const Metrics& metrics, Figures figures) {
    ordered_json result = ordered_json::object();
    for (const auto* metric : metrics) {
        ordered_json entry{{"unit", metric->name().unit}, {"description", metric->name().description}};
        figures(*metric, entry);
        result[full_name(metric->name())] = std::move(entry);
    }
    return result;
}

/// [from, below, count] of those that are not empty, four for each doubling.
ordered_json buckets_json(const durations& of) {
    ordered_json buckets = ordered_json::array();
    for (const durations::range& each : of.buckets(4)) {
        buckets.push_back({each.from_ns, each.to_ns, each.count});
    }
    return buckets;
}

ordered_json metrics_json(const metric_registry& metrics) {
    ordered_json result = ordered_json::object();
    result["counters"] = by_name(metrics.counters,
                                 [](const counter& m, ordered_json& entry) { entry["value"] = m.value(); });
    result["levels"] = by_name(metrics.levels, [](const level& m, ordered_json& entry) {
        entry["value"] = m.value();
        entry["high_water"] = m.high_water();
    });
    result["histograms"] = by_name(metrics.histograms, [](const duration_histogram& m, ordered_json& entry) {
        entry["count"] = m.count();
        entry["mean"] = m.mean_ns();
        entry["min"] = m.minimum_ns();
        entry["p50"] = m.percentile_ns(0.5);
        entry["p90"] = m.percentile_ns(0.9);
        entry["p99"] = m.percentile_ns(0.99);
        entry["p99_9"] = m.percentile_ns(0.999);
        entry["max"] = m.maximum_ns();
        entry["buckets"] = buckets_json(m);
    });
    result["tallies"] = by_name(metrics.tallies, [](const tally& m, ordered_json& entry) {
        entry["total"] = m.total();
        ordered_json counts = ordered_json::object();
        for (std::size_t i = 0; i < m.labels().size(); ++i) {
            counts[m.labels()[i]] = m.count(i);
        }
        entry["counts"] = std::move(counts);
    });
    return result;
}

/// Of whom more is known than a place: the functions that called each other, and on whose account.
void add_calls(ordered_json& to, const std::vector<std::string>& functions) {
    to["functions"] = functions;
    to["driver"] = exposure::driver_of(functions);
}

/// Of a writer, or of a chain of calls.
template <class Figures>
void add_bytes(ordered_json& to, const Figures& of) {
    to["bytes_written"] = of.bytes_written;
    to["bytes_looked_at"] = of.bytes_looked_at;
    to["bytes_never_looked_at"] = of.bytes_never_looked_at;
    to["bytes_standing"] = of.bytes_standing;
}

ordered_json attribution_json(const exposure::ledger& ledger, const exposure::attribution& writer) {
    ordered_json result{{"initiator", ledger.initiator(writer.initiator)},
                        {"origin", ledger.origin(writer.origin)},
                        {"mapping", writer.mapping}};
    if (exposure::call_chains::is_chain(writer.origin)) {
        add_calls(result, ledger.functions(writer.origin));
    }
    if (const exposure::device_mapping* found = ledger.learned().find(writer.mapping)) {
        result["device"] = ledger.initiator(found->how.device);
        result["queue"] = found->how.queue;
        result["request"] = found->how.request;
    }
    return result;
}

ordered_json shares_json(const exposure::ledger& ledger) {
    ordered_json shares = ordered_json::array();
    for (const exposure::exposed_pages& each : ledger.exposures()) {
        ordered_json share{{"time_ns", in_ns(each.when)},
                           {"first_page", each.first},
                           {"pages", each.pages},
                           {"still_exposed", each.still_exposed},
                           {"state", each.state},
                           {"call", each.call},
                           {"by", each.call.empty() ? "" : ledger.initiator(each.by.initiator)}};
        add_calls(share, each.call.empty() ? std::vector<std::string>() : ledger.functions(each.by.origin));
        shares.push_back(std::move(share));
    }
    return shares;
}

ordered_json mappings_json(const exposure::ledger& ledger) {
    ordered_json queues = ordered_json::array();
    for (const auto& [key, of] : ledger.learned().by_queue()) {
        ordered_json rings = ordered_json::array();
        for (const exposure::queue_mappings::ring& each : of.rings) {
            rings.push_back({{"address", each.at.value()}, {"size", each.size}});
        }
        queues.push_back({{"device", ledger.initiator(key.first)},
                          {"queue", key.second},
                          {"buffers", of.buffers},
                          {"readable_bytes", of.readable_bytes},
                          {"writable_bytes", of.writable_bytes},
                          {"tables", of.tables},
                          {"table_bytes", of.table_bytes},
                          {"guest_bytes", of.guest_bytes},
                          {"alive_bytes", of.alive_bytes},
                          {"most_alive_bytes", of.most_alive_bytes},
                          {"rings", std::move(rings)}});
    }
    return queues;
}

ordered_json exposure_json(const exposure::ledger& ledger) {
    const exposure::exposure_summary s = ledger.summary();
    ordered_json result{
        {"pages_exposed", s.pages_exposed},
        {"pages_ever_exposed", s.pages_ever_exposed},
        {"guest_bytes_written", s.guest_bytes_written},
        {"guest_bytes_looked_at", s.guest_bytes_looked_at},
        {"guest_bytes_never_looked_at", s.guest_bytes_never_looked_at},
        {"guest_bytes_standing", s.guest_bytes_standing},
        {"bytes_read_by_host", s.bytes_read_by_host},
        {"bytes_left_by_mappings", s.bytes_left_by_mappings},
        {"bytes_left_standing", s.bytes_left_standing},
        {"bytes_read_after_mapping", s.bytes_read_after_mapping},
    };
    if (!ledger.knows_the_guests_stores()) {
        for (const char* const each : {"guest_bytes_written", "guest_bytes_looked_at",
                                       "guest_bytes_never_looked_at", "guest_bytes_standing"}) {
            result[each] = nullptr;
        }
    }
    ordered_json writers = ordered_json::array();
    for (const exposure::writer_exposure& w : s.writers) {
        writers.push_back({{"initiator", w.initiator}, {"origin", w.origin}, {"host", w.host}});
        add_bytes(writers.back(), w);
    }
    result["writers"] = std::move(writers);
    ordered_json chains = ordered_json::array();
    for (const exposure::chain_exposure& c : s.chains) {
        chains.push_back({{"initiator", c.initiator}, {"functions", c.functions}, {"driver", c.driver}});
        add_bytes(chains.back(), c);
    }
    result["call_chains"] = std::move(chains);
    result["shares"] = shares_json(ledger);
    if (ledger.learns()) {
        result["mappings"] = mappings_json(ledger);
    }
    ordered_json channels = ordered_json::object();
    for (std::size_t i = 0; i < exposure::channel_kinds; ++i) {
        channels[std::string(to_name(static_cast<exposure::channel_kind>(i)))] = {
            {"times", s.crossings[i].times}, {"bytes", s.crossings[i].bytes}};
    }
    // What crosses by pages is in the figures above, not reported as a crossing.
    channels.erase(std::string(to_name(exposure::channel_kind::shared_page)));
    result["channels"] = std::move(channels);

    ordered_json sightings = ordered_json::array();
    for (const exposure::sighting_group& group : ledger.sighting_groups()) {
        const exposure::canary_sighting& c = group.first;
        sightings.push_back({{"time_ns", in_ns(c.when)},
                             {"last_time_ns", in_ns(group.last)},
                             {"count", group.count},
                             {"channel", to_name(c.channel)},
                             {"canary", c.canary},
                             {"address", c.address},
                             {"size", c.size},
                             {"writer", attribution_json(ledger, c.writer)}});
    }
    result["canaries"] = {
        {"planted", ledger.canaries_planted()}, {"sightings", s.sightings}, {"kept", std::move(sightings)}};
    return result;
}

/// What stands in a page now. Instructions of one function, called by the same ones, are one writer.
ordered_json standing_json(const exposure::ledger& ledger, abi::gfn page) {
    ordered_json standing = ordered_json::array();
    for (const exposure::exposed_extent& each : ledger.extents(page)) {
        ordered_json entry{{"begin", each.begin},
                           {"end", each.end},
                           {"written_ns", in_ns(each.written)},
                           {"host_reads", each.host_reads},
                           {"writer", attribution_json(ledger, each.writer)}};
        const auto one_story = [&entry](const ordered_json& before) {
            ordered_json mine = entry["writer"];
            ordered_json others = before["writer"];
            if (mine.contains("functions") && others.contains("functions")) {
                mine.erase("origin");
                others.erase("origin");
            }
            return before["end"] == entry["begin"] && before["host_reads"] == entry["host_reads"] &&
                   mine == others;
        };
        if (!standing.empty() && one_story(standing.back())) {
            standing.back()["end"] = each.end;
            standing.back()["written_ns"] = std::max(standing.back()["written_ns"].get<double>(),
                                                     in_ns(each.written));
        } else {
            standing.push_back(std::move(entry));
        }
    }
    return standing;
}

ordered_json stories_json(const exposure::ledger& ledger) {
    ordered_json pages = ordered_json::array();
    for (const exposure::page_story& of : ledger.stories().all()) {
        ordered_json lines = ordered_json::array();
        for (const exposure::story_line& line : of.lines) {
            ordered_json entry{{"time_ns", in_ns(line.first)},
                               {"last_time_ns", in_ns(line.last)},
                               {"count", line.count},
                               {"what", to_name(line.what)},
                               {"who", line.initiator == 0 ? "" : ledger.initiator(line.initiator)},
                               {"function", line.function},
                               {"detail", line.detail}};
            for (const std::uint64_t place : line.places) {
                entry["places"].push_back(ledger.origin(place));
            }
            if (line.what != exposure::page_act::became) {
                entry["bytes"] = line.bytes;
                entry["begin"] = line.begin;
                entry["end"] = line.end;
            }
            lines.push_back(std::move(entry));
        }
        pages.push_back({{"page", of.page},
                         {"address", abi::page_base(of.page).value()},
                         {"state", of.state},
                         {"events", std::move(lines)},
                         {"events_not_kept", of.untold},
                         {"standing", standing_json(ledger, of.page)}});
    }
    return pages;
}

/// Of parts; null where none was seen.
template <class Figure>
ordered_json by_part(const Figure& figure) {
    ordered_json parts = ordered_json::array();
    for (std::size_t i = 0; i < journey_parts; ++i) {
        parts.push_back(figure(i));
    }
    return parts;
}

ordered_json journey_json(const journey& of) {
    return {{"number", of.number},
            {"queue", of.queue},
            {"begin_ns", in_ns(of.begin)},
            {"end_ns", in_ns(of.end())},
            {"parts_ns", by_part([&](std::size_t i) {
                 return of.knows(static_cast<journey_part>(i)) ? ordered_json(in_ns(of.lasted[i]))
                                                               : ordered_json();
             })}};
}

ordered_json anatomy_json(const journey_log& journeys) {
    ordered_json requests = ordered_json::array();
    for (const kind_anatomy& of : journeys.kinds()) {
        const auto parts = [&of](const auto& figure) {
            return by_part([&](std::size_t i) {
                return of.parts[i].count() == 0 ? ordered_json() : ordered_json(figure(of.parts[i]));
            });
        };
        requests.push_back({{"device", of.device},
                            {"kind", of.kind},
                            {"count", of.total.count()},
                            {"total",
                             {{"mean_ns", of.total.mean_ns()},
                              {"p50_ns", of.total.percentile_ns(0.5)},
                              {"p90_ns", of.total.percentile_ns(0.9)},
                              {"p99_ns", of.total.percentile_ns(0.99)},
                              {"max_ns", of.total.maximum_ns()}}},
                            {"mean_ns", parts([](const durations& d) { return d.mean_ns(); })},
                            {"p50_ns", parts([](const durations& d) { return d.percentile_ns(0.5); })},
                            {"p99_ns", parts([](const durations& d) { return d.percentile_ns(0.99); })},
                            {"first", journey_json(of.first)},
                            {"slowest", journey_json(of.slowest)}});
    }
    ordered_json unfinished = ordered_json::array();
    for (const queue_journeys::unfinished& each : journeys.unfinished()) {
        unfinished.push_back({{"device", each.device},
                              {"queue", each.queue},
                              {"kind", each.kind},
                              {"number", each.number},
                              {"waiting_for", to_name(each.waiting_for)},
                              {"since_ns", in_ns(each.since)}});
    }
    return {{"parts", journey_part_names},
            {"requests", std::move(requests)},
            {"unfinished", std::move(unfinished)}};
}

ordered_json series_json(const workload_series& series) {
    ordered_json rows = ordered_json::array();
    sc_core::sc_time at = series.begun();
    for (const workload_series::share& each : series.shares()) {
        rows.push_back({in_ns(at), each.requests, each.bytes,
                        each.requests == 0 ? 0 : in_ns(each.latency) / static_cast<double>(each.requests),
                        each.pool_used});
        at += series.length_of_share();
    }
    ordered_json columns = ordered_json::array();
    for (const auto& [name, unit] :
         {std::pair{"at", "ns"}, std::pair{"requests", "requests"}, std::pair{"bytes", "bytes"},
          std::pair{"latency_mean", "ns"}, std::pair{"pool_used", "slots"}}) {
        columns.push_back({{"name", name}, {"unit", unit}});
    }
    return {{"share_ns", in_ns(series.length_of_share())},
            {"columns", std::move(columns)},
            {"rows", std::move(rows)}};
}

constexpr std::size_t most_spans = 4'096;

ordered_json page_map_json(const std::vector<pages_in_state>& states, const exposure::ledger& ledger) {
    const std::vector<page_map_span> map = page_map(states, ledger);
    ordered_json spans = ordered_json::array();
    for (const page_map_span& each : std::span(map).first(std::min(map.size(), most_spans))) {
        spans.push_back({{"first", each.first},
                         {"count", each.count},
                         {"state", each.state},
                         {"writers", each.writers},
                         {"written", each.written},
                         {"looked_at", each.looked_at}});
    }
    return {{"page_bytes", abi::page_size},
            {"pages", states.empty() ? 0 : states.back().first + states.back().count},
            {"spans", std::move(spans)},
            {"spans_left_out", map.size() - std::min(map.size(), most_spans)}};
}

/// Violations, or notes.
ordered_json violations_json(const violation_log& log, bool notes) {
    ordered_json kinds = ordered_json::object();
    for (std::size_t i = 0; i < violation_kinds; ++i) {
        const auto kind = static_cast<violation_kind>(i);
        if (is_note(kind) == notes) {
            kinds[std::string(to_name(kind))] = log.count(kind);
        }
    }
    ordered_json kept = ordered_json::array();
    for (const violation_group& group : log.groups()) {
        const violation& v = group.first;
        if (is_note(v.kind) != notes) {
            continue;
        }
        kept.push_back({{"time_ns", in_ns(v.when)},
                        {"last_time_ns", in_ns(group.last)},
                        {"count", group.count},
                        {"kind", to_name(v.kind)},
                        {"who", v.who},
                        {"address", v.address},
                        {"size", v.size},
                        {"page_state", v.page_state},
                        {"request", v.request},
                        {"detail", v.detail}});
    }
    return {{"total", notes ? log.notes() : log.total()},
            {"by_kind", std::move(kinds)},
            {"kept", std::move(kept)}};
}

}  // namespace

ordered_json header_json(const report_header& header) {
    ordered_json parameters = ordered_json::object();
    for (const auto& [name, value] : header.parameters) {
        parameters[name] = value;
    }
    ordered_json verdict = ordered_json::array();
    for (const report_header::verdict_line& line : header.verdict) {
        verdict.push_back({{"id", line.id()}, {"shown", line.shown}, {"text", line.text}});
    }
    ordered_json quantities = ordered_json::object();
    for (const report_header::quantity& each : header.quantities) {
        quantities[each.name] = {{"value", each.value}, {"unit", each.unit}};
    }
    return {{"schema_version", schema_version},
            {"pefsim_version", output::version()},
            {"scenario", header.scenario},
            {"description", header.description},
            {"seed", header.seed},
            {"parameters", std::move(parameters)},
            {"parameter_values", std::move(quantities)},
            {"shown", header.shown()},
            {"verdict", std::move(verdict)},
            {"ended", ending_json(header.ending)}};
}

ordered_json figures_json(const run_record& of, const run_facts& facts) {
    ordered_json figures = ordered_json::object();
    for (const run_facts::figure& f : facts.figures) {
        figures[f.name] = {{"unit", f.unit}, {"description", f.description}, {"value", f.value}};
    }
    const metric_registry::window rates = of.metrics.rate_window(facts.elapsed);
    ordered_json result{{"label", facts.label},
                        {"ended", ending_json(facts.ending)},
                        {"simulated_time_ns", in_ns(facts.elapsed)},
                        {"rates_are_of_ns", {{"begin", in_ns(rates.begin)}, {"end", in_ns(rates.end)}}},
                        {"figures", std::move(figures)},
                        {"metrics", metrics_json(of.metrics)},
                        {"anatomy", anatomy_json(of.journeys)},
                        {"series", series_json(of.journeys.series())},
                        {"page_map", page_map_json(facts.page_states, of.ledger)},
                        {"exposure", exposure_json(of.ledger)},
                        {"violations", violations_json(of.violations, false)},
                        {"notes", violations_json(of.violations, true)},
                        {"trace", nullptr}};
    if (of.ledger.stories().any()) {
        result["watched"] = stories_json(of.ledger);
    }
    if (!of.waveform.file.empty()) {
        result["trace"] = {{"file", of.waveform.file.string()},
                           {"save_file", of.waveform.save_file.string()},
                           {"signals", of.waveform.signals},
                           {"changes", of.waveform.changes}};
    }
    if (!of.timeline.file.empty()) {
        result["timeline"] = {{"file", of.timeline.file.string()},
                              {"events", of.timeline.events},
                              {"left_out", of.timeline.left_out}};
    }
    return result;
}

run_report make_run_report(const run_record& of, report_header header, const run_facts& facts) {
    header.ending = facts.ending;
    ordered_json json = header_json(header);
    json.update(figures_json(of, facts));
    return {header_text(header) + '\n' + figures_text(of, facts), std::move(json)};
}

}  // namespace pefsim::report
