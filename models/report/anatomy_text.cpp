// SPDX-License-Identifier: Apache-2.0
#include "report/anatomy_text.h"

#include <array>
#include <fmt/format.h>

#include "report/quantity_text.h"
#include "report/report_table.h"

namespace pefsim::report {

namespace {

/// Three significant digits, as far as there are so many before the point.
std::string microseconds(double ns) {
    return fmt::format("{:.{}f}", ns * 1e-3, ns < 9'995 ? 2 : ns < 99'950 ? 1 : 0);
}

/// A table of parts, in as many columns as there are, down to 80.
class parts_table {
public:
    explicit parts_table(std::size_t columns) : narrow_(columns < report_columns) {
        row("us", "total", [](std::size_t i) { return journey_part_names[i]; });
    }
    void title(const std::string& text) { text_ += "  " + text + '\n'; }
    void row(std::string_view name, const kind_anatomy& of, double (*figure)(const durations&)) {
        row(name, microseconds(figure(of.total)), [&](std::size_t i) {
            return of.parts[i].count() == 0 ? std::string("-") : microseconds(figure(of.parts[i]));
        });
    }
    void row(std::string_view name, const journey& of) {
        row(name, microseconds(in_ns(of.total())), [&](std::size_t i) {
            return of.knows(static_cast<journey_part>(i)) ? microseconds(in_ns(of.lasted[i]))
                                                          : std::string("-");
        });
    }
    void note(const std::string& text) { text_ += "    " + text + '\n'; }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    static constexpr std::array<int, journey_parts> wide{8, 7, 7, 7, 9, 8, 10, 10, 11};
    static constexpr std::array<int, journey_parts> least{7, 5, 5, 5, 9, 7, 10, 10, 11};

    template <class Figure>
    void row(std::string_view name, std::string_view total, const Figure& figure) {
        text_ += narrow_ ? fmt::format(" {:<4}{:>6}", name, total)
                         : fmt::format("    {:<4}{:>12}", name, total);
        for (std::size_t i = 0; i < journey_parts; ++i) {
            text_ += fmt::format("{:>{}}", figure(i), narrow_ ? least[i] : wide[i]);
        }
        text_ += '\n';
    }

    bool narrow_;
    std::string text_;
};

void add(parts_table& to, const kind_anatomy& of) {
    to.title(fmt::format("{} {}, {}", of.device, of.kind, counted(of.total.count(), "request")));
    if (of.total.count() == 1) {
        to.row("", of.first);
        to.note(fmt::format("request {} @ {:.0f} ns", of.first.number, in_ns(of.first.begin)));
        return;
    }
    to.row("mean", of, [](const durations& d) { return d.mean_ns(); });
    to.row("p50", of, [](const durations& d) { return d.percentile_ns(0.5); });
    to.row("p99", of, [](const durations& d) { return d.percentile_ns(0.99); });
    to.row("max", of.slowest);
    to.note(fmt::format("max is request {} @ {:.0f} ns, the first request {} @ {:.0f} ns", of.slowest.number,
                        in_ns(of.slowest.begin), of.first.number, in_ns(of.first.begin)));
}

std::string unfinished_text(const queue_journeys::unfinished& of, std::size_t columns) {
    const std::string which = of.number == 0
                                  ? fmt::format("a request in queue {} of {}, never taken by the device",
                                                of.queue, of.device)
                                  : fmt::format("request {} of {}, {}, {}", of.number, of.device, of.kind,
                                                of.waiting_for == journey_part::device
                                                    ? "still in the device"
                                                    : "answered, never collected");
    return "    " + wrapped(fmt::format("{}, since {:.0f} ns", which, in_ns(of.since)), 6, columns) + '\n';
}

constexpr std::size_t most_unfinished = 5;

}  // namespace

std::string anatomy_text(const journey_log& journeys, std::size_t columns) {
    std::string text;
    if (!journeys.kinds().empty()) {
        parts_table parts(columns);
        for (const kind_anatomy& each : journeys.kinds()) {
            add(parts, each);
        }
        text = parts.text();
    }
    const std::vector<queue_journeys::unfinished> unfinished = journeys.unfinished();
    if (!unfinished.empty()) {
        text += fmt::format("  without an end: {}\n", counted(unfinished.size(), "request"));
        for (std::size_t i = 0; i < std::min(unfinished.size(), most_unfinished); ++i) {
            text += unfinished_text(unfinished[i], columns);
        }
        if (unfinished.size() > most_unfinished) {
            text += fmt::format("    and {} more\n", count_text(unfinished.size() - most_unfinished));
        }
    }
    return text;
}

}  // namespace pefsim::report
