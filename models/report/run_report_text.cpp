// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "report/anatomy_text.h"
#include "report/quantity_text.h"
#include "report/report_table.h"
#include "report/run_report.h"
#include "report/stories_text.h"

namespace pefsim::report {

namespace {

std::string full_name(const metric_name& m) { return fmt::format("{}.{}", m.scope, m.name); }

/// Whether all scopes begin with the same module: it is left out of what people read.
std::string_view common_module(const run_record& of) {
    std::string_view common;
    bool first = true;
    const auto see = [&](const metric_name& m) {
        const std::string_view top = std::string_view(m.scope).substr(0, m.scope.find('.'));
        if (m.scope.find('.') == std::string::npos || (!first && top != common)) {
            common = {};
            first = false;
        } else if (first) {
            common = top;
            first = false;
        }
    };
    for (const counter* m : of.metrics.counters) {
        see(m->name());
    }
    for (const level* m : of.metrics.levels) {
        see(m->name());
    }
    for (const tally* m : of.metrics.tallies) {
        see(m->name());
    }
    for (const duration_histogram* m : of.metrics.histograms) {
        see(m->name());
    }
    return common;
}

/// Writes the sections of one machine.
class figures_writer {
public:
    figures_writer(const run_record& of, const run_facts& facts, std::size_t columns)
        : of_(of),
          facts_(facts),
          columns_(columns),
          common_(common_module(of)),
          seconds_(of.metrics.rate_window(facts.elapsed).length().to_seconds()) {}

    [[nodiscard]] std::string text() const {
        std::string result = facts_.label.empty()
                                 ? std::string()
                                 : facts_.label + '\n' + ending_text(facts_.ending, columns_);
        result += key_figures();
        result += latencies();
        result += section("Latency anatomy", anatomy_text(of_.journeys, columns_));
        result += counts_by_name();
        result += groups();
        result += exposure();
        result += stories();
        result += violations();
        result += notes();
        result += trace();
        result += timeline();
        return result;
    }

    [[nodiscard]] std::string stories() const;

private:
    [[nodiscard]] std::string short_name(const metric_name& m) const {
        const std::string name = full_name(m);
        return common_.empty() ? name : name.substr(common_.size() + 1);
    }

    [[nodiscard]] bool is_key(const counter& m) const {
        if (!facts_.key_metrics.empty()) {
            return std::ranges::count(facts_.key_metrics, full_name(m.name())) != 0;
        }
        const auto requests = [](const counter& c) {
            return c.name().unit == "requests" || c.name().unit == "frames";
        };
        if (m.value() == 0 || m.name().unit != "bytes") {
            return m.value() != 0 && requests(m);
        }
        return std::ranges::any_of(of_.metrics.counters, [&](const counter* c) {
            return requests(*c) && c->value() != 0 && c->name().scope == m.name().scope;
        });
    }

    [[nodiscard]] bool is_key(const level& m) const {
        return std::ranges::count(facts_.key_metrics, full_name(m.name())) != 0;
    }

    void check_key_metrics() const {
        for (const std::string& name : facts_.key_metrics) {
            const auto is_it = [&](const auto* m) { return full_name(m->name()) == name; };
            if (std::ranges::none_of(of_.metrics.counters, is_it) &&
                std::ranges::none_of(of_.metrics.levels, is_it) &&
                std::ranges::none_of(of_.metrics.histograms, is_it)) {
                throw std::logic_error(fmt::format("run report: there is no metric {}", name));
            }
        }
    }

    void add(report_table& to, const counter& m, bool with_rate) const {
        to.add(short_name(m.name()), quantity_text(m.value(), m.name().unit),
               with_rate ? rate_text(of_.metrics.in_window(m), m.name().unit, seconds_) : "",
               m.name().description);
    }
    void add(report_table& to, const level& m) const {
        to.add(short_name(m.name()), quantity_text(m.value(), m.name().unit),
               "up to " + quantity_text(m.high_water(), m.name().unit), m.name().description);
    }

    [[nodiscard]] std::string key_figures() const {
        check_key_metrics();
        report_table figures;
        figures.add("simulated time", time_text(in_ns(facts_.elapsed)), "", "");
        for (const counter* m : of_.metrics.counters) {
            if (is_key(*m)) {
                add(figures, *m, true);
            }
        }
        for (const level* m : of_.metrics.levels) {
            if (is_key(*m)) {
                add(figures, *m);
            }
        }
        for (const run_facts::figure& f : facts_.figures) {
            figures.add(f.name,
                        f.unit == "ns" ? time_text(f.value)
                                       : fmt::format("{} {}", number_text(f.value), f.unit),
                        "", f.description);
        }
        return "Key figures\n" + figures.text(columns_);
    }

    [[nodiscard]] std::string latencies() const {
        const std::size_t name_columns = columns_ - 2 - 8 * 9;
        std::string body;
        for (const duration_histogram* m : of_.metrics.histograms) {
            if (m->count() == 0) {
                continue;
            }
            if (body.empty()) {
                body = fmt::format("  {:<{}}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}\n", "", name_columns,
                                   "count", "mean", "min", "p50", "p90", "p99", "p99.9", "max");
            }
            const std::string name = short_name(m->name());
            body += name.size() < name_columns ? fmt::format("  {:<{}}", name, name_columns)
                                               : fmt::format("  {}\n{:{}}", name, "", 2 + name_columns);
            body += fmt::format("{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}\n", count_text(m->count()),
                                time_text(m->mean_ns()), time_text(m->minimum_ns()),
                                time_text(m->percentile_ns(0.5)), time_text(m->percentile_ns(0.9)),
                                time_text(m->percentile_ns(0.99)), time_text(m->percentile_ns(0.999)),
                                time_text(m->maximum_ns()));
        }
        return section("Latencies", body);
    }

    [[nodiscard]] std::string counts_by_name() const {
        std::string body;
        for (const tally* m : of_.metrics.tallies) {
            if (m->total() == 0) {
                continue;
            }
            const std::string title = fmt::format("{}: {}, {}", short_name(m->name()),
                                                  quantity_text(m->total(), m->name().unit),
                                                  m->name().description);
            body += fmt::format("  {}\n", wrapped(title, 4, columns_));
            std::vector<std::size_t> order;
            for (std::size_t i = 0; i < m->labels().size(); ++i) {
                if (m->count(i) != 0) {
                    order.push_back(i);
                }
            }
            std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return m->count(i); });
            report_table counts;
            for (const std::size_t i : order) {
                counts.add("  " + m->labels()[i], count_text(m->count(i)),
                           share_text(m->count(i), m->total()), "");
            }
            body += counts.text(columns_);
        }
        return section("Counts by name", body);
    }

    /// One section for each group that has counters or levels which are not all zero.
    [[nodiscard]] std::string groups() const {
        struct part {
            std::string title;
            report_table figures;
        };
        std::vector<part> parts;
        for (const scope_group& g : of_.groups) {
            parts.push_back({g.title, {}});
        }
        const auto part_of = [&](const metric_name& m) -> report_table& {
            const std::size_t group = group_of(of_.groups, m.scope);
            if (group < of_.groups.size()) {
                return parts[group].figures;
            }
            const auto first = parts.begin() + static_cast<std::ptrdiff_t>(of_.groups.size());
            auto found = std::find_if(first, parts.end(), [&](const part& p) { return p.title == m.scope; });
            if (found == parts.end()) {
                parts.push_back({m.scope, {}});
                found = parts.end() - 1;
            }
            return found->figures;
        };
        std::size_t zeros = 0;
        for (const counter* m : of_.metrics.counters) {
            if (m->value() != 0) {
                add(part_of(m->name()), *m, false);
            }
            zeros += m->value() == 0 ? 1 : 0;
        }
        for (const level* m : of_.metrics.levels) {
            if (m->high_water() != 0) {
                add(part_of(m->name()), *m);
            }
            zeros += m->high_water() == 0 ? 1 : 0;
        }
        std::string result;
        for (const part& p : parts) {
            result += section(p.title, p.figures.text(columns_));
        }
        if (zeros != 0) {
            result += fmt::format("\n{} more that stayed zero {} in the JSON report.\n",
                                  zeros == 1 ? "One figure" : count_text(zeros) + " figures",
                                  zeros == 1 ? "is" : "are");
        }
        return result;
    }

    [[nodiscard]] std::string exposure() const;
    [[nodiscard]] std::string writers(const exposure::exposure_summary& s) const;
    [[nodiscard]] std::string drivers(const exposure::exposure_summary& s) const;
    [[nodiscard]] std::string shares() const;
    [[nodiscard]] std::string mappings() const;
    [[nodiscard]] std::string canaries(const exposure::exposure_summary& s) const;
    [[nodiscard]] std::string event(const exposure::story_line& line) const;
    [[nodiscard]] std::string violations() const;
    [[nodiscard]] std::string notes() const;
    [[nodiscard]] std::string by_kind(bool notes) const;
    [[nodiscard]] std::string trace() const;
    [[nodiscard]] std::string timeline() const;
    /// `rest`: those that were not told.
    [[nodiscard]] static std::string and_more(std::uint64_t rest) {
        return rest == 0 ? std::string() : fmt::format("    and {} more\n", count_text(rest));
    }
    /// A name behind `indent` blanks and four figures; a name too long for its column has a line of its own.
    [[nodiscard]] std::string exposure_row(std::size_t indent, std::string_view name,
                                           const std::array<std::string, 4>& cells) const {
        const std::size_t room = columns_ - 50 - indent;
        const std::string begin = fmt::format("{:{}}{:<{}}", "", indent, name, room);
        return fmt::format("{}{:>12}{:>12}{:>13}{:>12}\n",
                           name.size() < room ? begin : fmt::format("{}\n{:{}}", begin, "", indent + room),
                           cells[0], cells[1], cells[2], cells[3]);
    }
    /// A group's line: the first, and how many there were.
    [[nodiscard]] std::string told_once(const sc_core::sc_time& first, const sc_core::sc_time& last,
                                        std::uint64_t count, std::string what) const {
        if (count > 1) {
            what += fmt::format(" ({} times until {})", count_text(count), time_text(in_ns(last)));
        }
        return fmt::format("    {:>9}  {}\n", time_text(in_ns(first)), wrapped(what, 15, columns_));
    }

    const run_record& of_;
    const run_facts& facts_;
    std::size_t columns_;
    std::string_view common_;
    double seconds_;  // that rates are of
};

std::string writer_text(std::string_view initiator, std::string_view origin) {
    return origin.empty() ? std::string(initiator) : fmt::format("{}: {}", initiator, origin);
}

/// Instructions of one function are one writer: "0x10004 <copy+0x4>" is "copy". The JSON report has them apart.
std::vector<exposure::writer_exposure>
joined_by_function(std::span<const exposure::writer_exposure> writers) {
    std::vector<exposure::writer_exposure> joined;
    std::map<std::tuple<bool, std::string, std::string>, std::size_t> place;
    for (exposure::writer_exposure each : writers) {
        if (const std::size_t begin = each.origin.find('<'); begin != std::string::npos) {
            const std::size_t end = std::min(each.origin.rfind("+0x"), each.origin.rfind('>'));
            each.origin = each.origin.substr(begin + 1, end - begin - 1);
        }
        const auto [found, is_new] = place.emplace(std::tuple(each.host, each.initiator, each.origin),
                                                   joined.size());
        if (is_new) {
            joined.push_back(std::move(each));
            continue;
        }
        exposure::writer_exposure& all = joined[found->second];
        all.bytes_written += each.bytes_written;
        all.bytes_looked_at += each.bytes_looked_at;
        all.bytes_never_looked_at += each.bytes_never_looked_at;
        all.bytes_standing += each.bytes_standing;
    }
    std::ranges::stable_sort(
        joined, [](const exposure::writer_exposure& a, const exposure::writer_exposure& b) {
            return std::tuple(a.host, b.bytes_written) < std::tuple(b.host, a.bytes_written);
        });
    return joined;
}

std::string figures_writer::writers(const exposure::exposure_summary& s) const {
    if (s.writers.empty()) {
        return {};
    }
    std::string result = exposure_row(2, "by writer", {"written", "looked at", "never", "in place"});
    const std::vector<exposure::writer_exposure> by_function = joined_by_function(s.writers);
    const std::size_t shown = std::min(by_function.size(), 2 * facts_.shown_in_full);
    for (std::size_t i = 0; i < shown; ++i) {
        const exposure::writer_exposure& w = by_function[i];
        const std::string name = writer_text(w.initiator, w.origin) + (w.host ? " (host)" : "");
        result += exposure_row(4, name,
                               {bytes_text(w.bytes_written), bytes_text(w.bytes_looked_at),
                                bytes_text(w.bytes_never_looked_at), bytes_text(w.bytes_standing)});
    }
    if (shown < by_function.size()) {
        result += fmt::format("    and {} more writers\n", count_text(by_function.size() - shown));
    }
    return result;
}

/// Drivers, and under each its chains of calls.
std::string figures_writer::drivers(const exposure::exposure_summary& s) const {
    struct driver {
        std::string name;
        exposure::chain_exposure all;
        std::vector<const exposure::chain_exposure*> chains;
    };
    std::vector<driver> drivers;
    bool called = false;
    for (const exposure::chain_exposure& each : s.chains) {
        called = called || each.functions.size() > 1;
        auto of = std::ranges::find(drivers, each.driver, &driver::name);
        if (of == drivers.end()) {
            of = drivers.insert(of, {each.driver, {}, {}});
        }
        of->all.bytes_written += each.bytes_written;
        of->all.bytes_looked_at += each.bytes_looked_at;
        of->all.bytes_never_looked_at += each.bytes_never_looked_at;
        of->all.bytes_standing += each.bytes_standing;
        of->chains.push_back(&each);
    }
    if (!called) {
        return {};
    }
    std::ranges::stable_sort(drivers, std::greater{},
                             [](const driver& each) { return each.all.bytes_written; });
    std::string result = exposure_row(2, "by driver, and who called whom",
                                      {"written", "looked at", "never", "in place"});
    constexpr std::size_t chains_shown = 3;
    const std::size_t shown = std::min(drivers.size(), 2 * facts_.shown_in_full);
    for (const driver& each : std::span(drivers).first(shown)) {
        const std::string name = each.name.empty() ? "(nobody that is known)" : each.name;
        result += exposure_row(4, name,
                               {bytes_text(each.all.bytes_written), bytes_text(each.all.bytes_looked_at),
                                bytes_text(each.all.bytes_never_looked_at),
                                bytes_text(each.all.bytes_standing)});
        const std::size_t some = std::min(each.chains.size(), chains_shown);
        for (const exposure::chain_exposure* chain : std::span(each.chains).first(some)) {
            result += fmt::format("      {}\n",
                                  wrapped(fmt::format("{}: {}", bytes_text(chain->bytes_written),
                                                      fmt::join(chain->functions, " < ")),
                                          8, columns_));
        }
        if (some < each.chains.size()) {
            result += fmt::format("      and {} more chains\n", count_text(each.chains.size() - some));
        }
    }
    if (shown < drivers.size()) {
        result += fmt::format("    and {} more drivers\n", count_text(drivers.size() - shown));
    }
    return result;
}

/// What a guest that became secure has shared since.
std::string figures_writer::shares() const {
    std::string result;
    for (const exposure::exposed_pages& each : of_.ledger.exposures()) {
        if (each.call.empty()) {
            continue;
        }
        const std::vector<std::string> functions = of_.ledger.functions(each.by.origin);
        const std::string where = fmt::format("page {:#x}, {}, {}{}: ", each.first,
                                              counted(each.pages, "page"), each.state,
                                              each.still_exposed == 0 ? ", not any more" : "");
        result += fmt::format(
            "    {:>9}  {}\n", time_text(in_ns(each.when)),
            wrapped(fmt::format("{}{} by {}, {}", where, each.call, of_.ledger.initiator(each.by.initiator),
                                fmt::join(functions, " < ")),
                    15, columns_));
    }
    return result.empty() ? result : "  pages that the guest has let the host at\n" + result;
}

/// What drivers of a guest that does not tell its mappings have named to their devices.
std::string figures_writer::mappings() const {
    std::string result;
    for (const auto& [key, of] : of_.ledger.learned().by_queue()) {
        result += exposure_row(4, fmt::format("{} queue {}", of_.ledger.initiator(key.first), key.second),
                               {count_text(of.buffers + of.tables),
                                bytes_text(of.readable_bytes + of.table_bytes), bytes_text(of.writable_bytes),
                                bytes_text(of.most_alive_bytes)});
    }
    return result.empty()
               ? result
               : exposure_row(2, "DMA mappings by queue", {"mappings", "to read", "to write", "at once"}) +
                     result;
}

std::string figures_writer::canaries(const exposure::exposure_summary& s) const {
    const exposure::ledger& ledger = of_.ledger;
    if (ledger.canaries_planted() == 0) {
        return {};
    }
    std::string result = fmt::format("  canaries: {} planted, {}\n", ledger.canaries_planted(),
                                     s.sightings == 0 ? "none seen by the host"
                                                      : fmt::format("{} SIGHTINGS", count_text(s.sightings)));
    std::uint64_t rest = s.sightings;
    const auto groups = ledger.sighting_groups();
    for (const exposure::sighting_group& group :
         groups.first(std::min(facts_.shown_in_full, groups.size()))) {
        const exposure::canary_sighting& c = group.first;
        std::string who = writer_text(ledger.initiator(c.writer.initiator), ledger.origin(c.writer.origin));
        if (exposure::call_chains::is_chain(c.writer.origin)) {
            who += fmt::format(", on account of {}", exposure::driver_of(ledger.functions(c.writer.origin)));
        }
        if (const exposure::device_mapping* to = ledger.learned().find(c.writer.mapping)) {
            who += fmt::format(", for {} queue {}", ledger.initiator(to->how.device), to->how.queue);
        }
        result += told_once(c.when, group.last, group.count,
                            fmt::format("'{}' in {} at {:#x}, {} B, written by {}", c.canary,
                                        to_name(c.channel), c.address, c.size, who));
        rest -= group.count;
    }
    return result + and_more(rest);
}

std::string figures_writer::exposure() const {
    const exposure::exposure_summary s = of_.ledger.summary();
    report_table figures;
    figures.add("pages that the host can read", count_text(s.pages_exposed),
                count_text(s.pages_ever_exposed) + " ever", "pages of 64 KiB");
    if (!of_.ledger.knows_the_guests_stores()) {
        figures.add("written there by the guest", "not recorded", "",
                    "an ordinary guest: --report_stores yes");
    } else if (s.guest_bytes_written != 0) {
        figures.add("written there by the guest", bytes_text(s.guest_bytes_written), "", "");
        figures.add("  looked at by the host", bytes_text(s.guest_bytes_looked_at),
                    share_text(s.guest_bytes_looked_at, s.guest_bytes_written),
                    "read before they were overwritten");
        figures.add("  never looked at", bytes_text(s.guest_bytes_never_looked_at),
                    share_text(s.guest_bytes_never_looked_at, s.guest_bytes_written), "exposed for nothing");
        figures.add("  in place at the end", bytes_text(s.guest_bytes_standing), "", "");
    }
    if (s.bytes_left_by_mappings != 0) {
        figures.add("left behind by ended mappings", bytes_text(s.bytes_left_by_mappings), "",
                    "stood in place beyond the DMA mapping's life");
        figures.add("  in place at the end", bytes_text(s.bytes_left_standing), "", "");
        figures.add("  read by the host afterwards", bytes_text(s.bytes_read_after_mapping), "", "");
    }
    figures.add("read there by the host", bytes_text(s.bytes_read_by_host), "", "");
    for (std::size_t i = 0; i < exposure::channel_kinds; ++i) {
        if (s.crossings[i].times != 0) {
            figures.add(fmt::format("through {}", to_name(static_cast<exposure::channel_kind>(i))),
                        bytes_text(s.crossings[i].bytes), counted(s.crossings[i].times, "time"), "");
        }
    }
    return section("Exposure",
                   figures.text(columns_) + shares() + writers(s) + drivers(s) + mappings() + canaries(s));
}

/// "cpu0 writes 4.00 KiB in 0x0 .. 0x1000: memcpy".
std::string figures_writer::event(const exposure::story_line& line) const {
    using enum exposure::page_act;
    const std::string_view who = line.initiator == 0 ? "" : of_.ledger.initiator(line.initiator);
    const std::string bytes = fmt::format("{} in {:#x} .. {:#x}", bytes_text(line.bytes), line.begin,
                                          line.end);
    std::string what;
    switch (line.what) {
    case became:
        what = line.detail + (who.empty() ? "" : fmt::format(", {}", who));
        break;
    case written:
        what = fmt::format("{} writes {}", who, bytes);
        break;
    case read:
        what = fmt::format("{} reads {}", who, bytes);
        break;
    case refused:
        what = fmt::format("{} is refused {}, {}", who, bytes, line.detail);
        break;
    case named:
        what = fmt::format("{} is told of {}, {}", who, bytes, line.detail);
        break;
    }
    return what + (line.function.empty() ? "" : ": " + line.function);
}

std::string figures_writer::stories() const {
    std::string body;
    for (const exposure::page_story& of : of_.ledger.stories().all()) {
        body += fmt::format("  page {:#x}, guest physical {:#x}, {} at the end{}\n", of.page,
                            abi::page_base(of.page).value(), of.state,
                            of.lines.empty() ? ": nothing happened" : "");
        for (const exposure::story_line& line : of.lines) {
            body += told_once(line.first, line.last, line.count, event(line));
        }
        body += and_more(of.untold);
        if (!of_.ledger.extents(of.page).empty()) {
            body += of_.ledger.page_map(of.page);
        }
    }
    return section("Watched pages", body);
}

std::string figures_writer::violations() const {
    const violation_log& log = of_.violations;
    if (log.total() == 0) {
        return "\nViolations: none\n";
    }
    return fmt::format("\nViolations: {}\n", count_text(log.total())) + by_kind(false);
}

std::string figures_writer::notes() const {
    const std::uint64_t notes = of_.violations.notes();
    return notes == 0
               ? std::string()
               : fmt::format("\nNotes: {}, of what is allowed and probably not meant\n", count_text(notes)) +
                     by_kind(true);
}

std::string figures_writer::by_kind(bool notes) const {
    const violation_log& log = of_.violations;
    std::string result;
    for (std::size_t i = 0; i < violation_kinds; ++i) {
        const auto kind = static_cast<violation_kind>(i);
        if (log.count(kind) == 0 || is_note(kind) != notes) {
            continue;
        }
        result += fmt::format("  {}: {}\n", to_name(kind), count_text(log.count(kind)));
        std::size_t shown = 0;
        std::uint64_t rest = log.count(kind);
        for (const violation_group& group : log.groups()) {
            const violation& v = group.first;
            if (v.kind != kind || shown == facts_.shown_in_full) {
                continue;
            }
            ++shown;
            rest -= group.count;
            result += told_once(v.when, group.last, group.count, in_words(v));
        }
        result += and_more(rest);
    }
    return result;
}

std::string figures_writer::trace() const {
    if (of_.waveform.file.empty()) {
        return "\nTrace: none\n";
    }
    std::filesystem::path commands = of_.waveform.save_file;
    return fmt::format("\nTrace\n  {}, {} of {}\n  look at it with: gtkwave {}\n  or with: surfer -c {}\n",
                       of_.waveform.file.string(), counted(of_.waveform.changes, "change"),
                       counted(of_.waveform.signals, "signal"), of_.waveform.save_file.string(),
                       commands.replace_extension(".sucl").string());
}

std::string figures_writer::timeline() const {
    if (of_.timeline.file.empty()) {
        return {};
    }
    std::string text = fmt::format("\nTimeline\n  {}, {}\n", of_.timeline.file.string(),
                                   counted(of_.timeline.events, "event"));
    if (of_.timeline.left_out != 0) {
        text += fmt::format("  {} left out: no room in --timeline-limit\n",
                            counted(of_.timeline.left_out, "event"));
    }
    return text + "  look at it in https://ui.perfetto.dev\n";
}

}  // namespace

std::string stories_text(const run_record& of, const run_facts& facts, std::size_t columns) {
    return figures_writer(of, facts, columns).stories();
}

std::string report_header::verdict_line::id() const {
    std::string words;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter) {
            words += static_cast<char>(c | 0x20);
        } else if (!words.empty() && words.back() != '-') {
            words += '-';
        }
    }
    constexpr std::size_t longest = 60;
    words.resize(
        std::min(words.size(), words.rfind('-', longest) == std::string::npos || words.size() <= longest
                                   ? words.size()
                                   : words.rfind('-', longest)));
    while (words.ends_with('-')) {
        words.pop_back();
    }
    return words;
}

bool report_header::shown() const {
    return !verdict.empty() && std::ranges::all_of(verdict, &verdict_line::shown);
}

std::string verdict_text(const report_header& header, std::size_t columns) {
    std::size_t width = 0;
    for (const report_header::verdict_line& line : header.verdict) {
        width = std::max<std::size_t>(width, line.shown ? 5 : 9);
    }
    std::string result;
    for (const report_header::verdict_line& line : header.verdict) {
        result += fmt::format("  {:<{}}  {}\n", line.shown ? "shown" : "NOT SHOWN", width,
                              wrapped(line.text, 2 + width + 2, columns));
    }
    return result;
}

std::string header_text(const report_header& header, std::size_t columns) {
    std::string result = fmt::format("{}: {}\n", header.scenario, header.shown() ? "shown" : "NOT SHOWN");
    if (!header.description.empty()) {
        result += "  " + wrapped(header.description, 2, columns) + '\n';
    }
    std::size_t widest = 4;
    for (const auto& [name, value] : header.parameters) {
        widest = std::max(widest, name.size());
    }
    std::string parameters = fmt::format("  {:<{}}  {}\n", "seed", widest, header.seed);
    for (const auto& [name, value] : header.parameters) {
        parameters += fmt::format("  {:<{}}  {}\n", name, widest, value);
    }
    return result + section("Verdict", verdict_text(header, columns)) + ending_text(header.ending, columns) +
           section("Parameters", parameters);
}

std::string figures_text(const run_record& of, const run_facts& facts, std::size_t columns) {
    return figures_writer(of, facts, columns).text();
}

}  // namespace pefsim::report
