// SPDX-License-Identifier: Apache-2.0
#include "report/anatomy_text.h"

#include <array>
#include <fmt/format.h>

#include "report/quantity_text.h"
#include "report/report_table.h"

namespace pefsim::report {

namespace {

/// As wide as each part's heading and its figures.
constexpr std::array<int, journey_parts> widths{8, 7, 7, 7, 9, 8, 10, 10, 11};

std::string microseconds(double ns) { return fmt::format("{:.{}f}", ns * 1e-3, ns < 99'950 ? 2 : ns < 999'500 ? 1 : 0); }

template <class Figure>
std::string row(std::string_view name, const std::string& total, const Figure& figure) {
    std::string line = fmt::format("    {:<8}{:>8}", name, total);
    for (std::size_t i = 0; i < journey_parts; ++i) {
        line += fmt::format("{:>{}}", figure(i), widths[i]);
    }
    return line + '\n';
}

std::string row(std::string_view name, const kind_anatomy& of, double (*figure)(const durations&)) {
    return row(name, microseconds(figure(of.total)), [&](std::size_t i) {
        return of.parts[i].count() == 0 ? std::string("-") : microseconds(figure(of.parts[i]));
    });
}

std::string row(std::string_view name, const journey& of) {
    return row(name, microseconds(in_ns(of.total())), [&](std::size_t i) {
        return of.knows(static_cast<journey_part>(i)) ? microseconds(in_ns(of.lasted[i])) : std::string("-");
    });
}

std::string kind_text(const kind_anatomy& of) {
    std::string text = fmt::format("  {} {}, {}\n", of.device, of.kind, counted(of.total.count(), "request"));
    if (of.total.count() == 1) {
        return text + row("", of.first) +
               fmt::format("    request {} @ {:.0f} ns\n", of.first.number, in_ns(of.first.begin));
    }
    text += row("mean", of, [](const durations& d) { return d.mean_ns(); });
    text += row("p50", of, [](const durations& d) { return d.percentile_ns(0.5); });
    text += row("p99", of, [](const durations& d) { return d.percentile_ns(0.99); });
    text += row("slowest", of.slowest);
    return text + fmt::format("    the slowest is request {} @ {:.0f} ns, the first request {} @ {:.0f} ns\n",
                              of.slowest.number, in_ns(of.slowest.begin), of.first.number, in_ns(of.first.begin));
}

std::string unfinished_text(const queue_journeys::unfinished& of) {
    const std::string which = of.number == 0
                                  ? fmt::format("a request in queue {} of {}, never taken by the device", of.queue, of.device)
                                  : fmt::format("request {} of {}, {}, {}", of.number, of.device, of.kind,
                                                of.waiting_for == journey_part::device ? "still in the device"
                                                                                       : "answered, never collected");
    return "    " + wrapped(fmt::format("{}, since {:.0f} ns", which, in_ns(of.since)), 6) + '\n';
}

constexpr std::size_t most_unfinished = 5;

}  // namespace

std::string anatomy_text(const journey_log& journeys) {
    std::string text;
    if (!journeys.kinds().empty()) {
        text = row("us", "total", [](std::size_t i) { return journey_part_names[i]; });
    }
    for (const kind_anatomy& each : journeys.kinds()) {
        text += kind_text(each);
    }
    const std::vector<queue_journeys::unfinished> unfinished = journeys.unfinished();
    if (!unfinished.empty()) {
        text += fmt::format("  without an end: {}\n", counted(unfinished.size(), "request"));
        for (std::size_t i = 0; i < std::min(unfinished.size(), most_unfinished); ++i) {
            text += unfinished_text(unfinished[i]);
        }
        if (unfinished.size() > most_unfinished) {
            text += fmt::format("    and {} more\n", count_text(unfinished.size() - most_unfinished));
        }
    }
    return text;
}

}  // namespace pefsim::report
