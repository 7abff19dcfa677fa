// SPDX-License-Identifier: Apache-2.0
#include "report/page_cut.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <fmt/format.h>
#include <string_view>

#include "report/quantity_text.h"

namespace pefsim::report {
namespace {

using nlohmann::ordered_json;

enum class order : std::uint8_t {
    first,    ///< the first ones stay
    evenly,   ///< each n-th one: a curve
    largest,  ///< those whose second element is largest: stacks and their counts
};

struct list_limit {
    std::string_view place;  ///< in a run, by dots; "*" is each element of a list
    std::size_t most;
    order which = order::first;
};

constexpr std::array list_limits{
    list_limit{"violations.kept", 200},
    list_limit{"notes.kept", 50},
    list_limit{"exposure.writers", 400},
    list_limit{"exposure.call_chains", 100},
    list_limit{"exposure.shares", 300},
    list_limit{"exposure.mappings", 64},
    list_limit{"exposure.canaries.kept", 100},
    list_limit{"watched", 16},
    list_limit{"watched.*.events", 400},
    list_limit{"watched.*.standing", 200},
    list_limit{"anatomy.requests", 64},
    list_limit{"series.rows", 512, order::evenly},
    list_limit{"page_map.spans", 4096},
    list_limit{"page_map.spans.*.writers", 16},
    list_limit{"profile.stacks", 4096, order::largest},
};
constexpr std::size_t most_machines = 64;
constexpr std::size_t most_verdict_lines = 200;
constexpr std::size_t longest_text = 4096;  // one value, bytes
constexpr std::size_t longest_report = std::size_t{512} << 10;

void cut_list(ordered_json& list, std::size_t most, order which) {
    ordered_json kept = ordered_json::array();
    if (which == order::largest) {
        std::stable_sort(list.begin(), list.end(), [](const ordered_json& a, const ordered_json& b) {
            return a.at(1).get<double>() > b.at(1).get<double>();
        });
    }
    for (std::size_t i = 0; i < most; ++i) {
        kept.push_back(std::move(list[which == order::evenly ? i * list.size() / most : i]));
    }
    list = std::move(kept);
}

struct left_out {
    std::size_t kept = 0;
    std::size_t of = 0;
};

void cut_at(ordered_json& at, std::string_view place, const list_limit& limit, std::size_t most,
            left_out& count) {
    if (place.empty()) {
        if (at.is_array() && at.size() > most) {
            count.of += at.size();
            cut_list(at, most, limit.which);
            count.kept += at.size();
        }
        return;
    }
    const std::size_t dot = std::min(place.find('.'), place.size());
    const std::string_view name = place.substr(0, dot);
    const std::string_view rest = place.substr(std::min(dot + 1, place.size()));
    if (name == "*") {
        if (at.is_array()) {
            for (ordered_json& each : at) {
                cut_at(each, rest, limit, most, count);
            }
        }
    } else if (at.is_object() && at.contains(name)) {
        cut_at(at[std::string(name)], rest, limit, most, count);
    }
}

/// What no picture shows.
void drop_unused(ordered_json& report) {
    report.erase("results");
    report.erase("parameter_values");
    for (ordered_json& run : report["runs"]) {
        if (!run.contains("metrics")) {
            continue;
        }
        for (const char* const kind : {"counters", "levels", "histograms", "tallies"}) {
            for (ordered_json& metric : run["metrics"][kind]) {
                metric.erase("buckets");
            }
        }
        for (ordered_json& tally : run["metrics"]["tallies"]) {
            ordered_json counted = ordered_json::object();
            for (auto label = tally["counts"].begin(); label != tally["counts"].end(); ++label) {
                if (*label != 0) {
                    counted[label.key()] = *label;
                }
            }
            tally["counts"] = std::move(counted);
        }
    }
}

void shorten_texts(ordered_json& at, std::size_t& shortened) {
    if (at.is_string()) {
        auto& text = at.get_ref<std::string&>();
        if (text.size() > longest_text) {
            std::size_t end = longest_text;
            while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
                --end;  // not within a character
            }
            text.resize(end);
            text += "...";
            ++shortened;
        }
    } else if (at.is_structured()) {
        for (ordered_json& each : at) {
            shorten_texts(each, shortened);
        }
    }
}

}  // namespace

std::vector<std::string> cut_report(ordered_json& report, unsigned halvings) {
    std::vector<std::string> said;
    const auto say = [&said](std::string_view what, const left_out& count) {
        if (count.of != 0) {
            said.push_back(
                fmt::format("{}: {} of {} are here", what, count_text(count.kept), count_text(count.of)));
        }
    };
    const auto halved = [halvings](std::size_t most) { return std::max<std::size_t>(most >> halvings, 1); };
    drop_unused(report);
    left_out machines;
    cut_at(report, "runs", {"runs", most_machines}, halved(most_machines), machines);
    say("machines", machines);
    left_out lines;
    cut_at(report, "verdict", {"verdict", most_verdict_lines}, halved(most_verdict_lines), lines);
    say("lines of the verdict", lines);
    for (const list_limit& limit : list_limits) {
        left_out count;
        for (ordered_json& run : report["runs"]) {
            cut_at(run, limit.place, limit, halved(limit.most), count);
        }
        say(limit.place, count);
    }
    std::size_t shortened = 0;
    shorten_texts(report, shortened);
    if (shortened != 0) {
        said.push_back(fmt::format("{} long texts are shortened", count_text(shortened)));
    }
    return said;
}

std::vector<std::string> cut_text(std::string& text, unsigned halvings) {
    const std::size_t most = longest_report >> halvings;
    if (text.size() <= most) {
        return {};
    }
    const std::size_t whole = text.size();
    const std::size_t end = text.rfind('\n', most);
    text.resize(end == std::string::npos ? 0 : end + 1);
    return {fmt::format("the text report: the first {} of {} are here", bytes_text(text.size()),
                        bytes_text(whole))};
}

}  // namespace pefsim::report
