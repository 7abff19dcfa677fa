// SPDX-License-Identifier: Apache-2.0
#include "report/comparison.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <set>
#include <stdexcept>

#include "report/quantity_text.h"
#include "report/run_reader.h"

namespace pefsim::report {
namespace {

using nlohmann::ordered_json;

const ordered_json& member(const ordered_json& of, std::string_view name) {
    return run_reader::member(of, name);
}

/// Of any unit; figures may be fractions.
std::string value_text(double value, std::string_view unit) {
    if (unit == "ns") {
        return time_text(value);
    }
    if (value >= 0 && value == std::floor(value) && value < 1e15) {
        return quantity_text(static_cast<std::uint64_t>(value), unit);
    }
    return unit.empty() ? number_text(value) : fmt::format("{} {}", number_text(value), unit);
}

std::string plain_text(const ordered_json& value) {
    if (value.is_object() && value.contains("value")) {  // a number with its unit
        const std::string unit = run_reader::text(value, "unit");
        return value.at("value").is_number() ? value_text(value.at("value").get<double>(), unit)
                                             : plain_text(value.at("value"));
    }
    return value.is_string() ? value.get<std::string>() : value.dump();
}

difference of_numbers(std::string name, double a, double b, std::string_view unit) {
    difference result{std::move(name), value_text(a, unit), value_text(b, unit)};
    if (a > 0 && b > 0) {
        const double ratio = b / a;  // one that rounds to 1 is told with more digits
        result.ratio = fmt::format("x {}", std::abs(ratio - 1) < 0.005 ? fmt::format("{:.6g}", ratio)
                                                                       : number_text(ratio));
        result.weight = std::abs(std::log(b / a));
    } else {
        result.weight = std::numeric_limits<double>::infinity();
    }
    return result;
}

class part_builder {
public:
    explicit part_builder(std::string title) : part_{std::move(title), {}, {}, {}} {}

    void number(std::string name, const ordered_json& a, const ordered_json& b, std::string_view unit) {
        if (a.is_number() && b.is_number()) {
            if (const double left = a.get<double>(), right = b.get<double>(); left != right) {
                part_.rows.push_back(of_numbers(std::move(name), left, right, unit));
            }
        } else if (!a.is_number() && !b.is_number()) {
            return;
        } else if (a.is_null() && !b.is_null()) {
            part_.only_b.push_back(std::move(name));
        } else {
            part_.only_a.push_back(std::move(name));
        }
    }
    void text(std::string name, const ordered_json& a, const ordered_json& b) {
        if (a != b) {
            part_.rows.push_back(
                {std::move(name), a.is_null() ? "" : plain_text(a), b.is_null() ? "" : plain_text(b)});
        }
    }
    void only_a(std::string name) { part_.only_a.push_back(std::move(name)); }
    void only_b(std::string name) { part_.only_b.push_back(std::move(name)); }

    /// Adds it to `to`, unless nothing differs.
    void finish(comparison& to) {
        std::ranges::stable_sort(part_.rows, std::greater{}, &difference::weight);
        if (!part_.rows.empty() || !part_.only_a.empty() || !part_.only_b.empty()) {
            to.parts.push_back(std::move(part_));
        }
    }

private:
    comparison::part part_;
};

using both = std::function<void(const std::string& name, const ordered_json& a, const ordered_json& b)>;

/// Each member of either object, in A's order and then B's; null is what one of them does not have.
void each_of_both(const ordered_json& a, const ordered_json& b, const both& visit) {
    for (auto each = a.begin(); a.is_object() && each != a.end(); ++each) {
        visit(each.key(), *each, member(b, each.key()));
    }
    for (auto each = b.begin(); b.is_object() && each != b.end(); ++each) {
        if (member(a, each.key()).is_null()) {
            visit(each.key(), member(a, each.key()), *each);
        }
    }
}

void compare_verdicts(const ordered_json& a, const ordered_json& b, comparison& to) {
    part_builder part("Verdict");
    const auto word = [](const ordered_json& report) {
        return ordered_json(report.value("shown", false) ? "shown" : "not shown");
    };
    part.text("the whole", word(a), word(b));
    const auto lines = [](const ordered_json& report) {
        ordered_json result = ordered_json::object();
        for (const ordered_json& line : member(report, "verdict")) {
            result[run_reader::text(line, "text")] = line.value("shown", false) ? "shown" : "not shown";
        }
        return result;
    };
    each_of_both(lines(a), lines(b),
                 [&part](const std::string& name, const ordered_json& left, const ordered_json& right) {
                     part.text(name, left, right);
                 });
    part.finish(to);
}

void compare_endings(const ordered_json& a, const ordered_json& b, comparison& to) {
    part_builder part("How it ended");
    for (const char* const name : {"kind", "text"}) {
        part.text(name, member(member(a, "ended"), name), member(member(b, "ended"), name));
    }
    const auto details = [](const ordered_json& report) {
        std::string all;
        for (const ordered_json& each : member(member(report, "ended"), "details")) {
            all += (all.empty() ? "" : "; ") + each.get<std::string>();
        }
        return ordered_json(all);
    };
    part.text("details", details(a), details(b));
    part.finish(to);
}

void compare_parameters(const ordered_json& a, const ordered_json& b, comparison& to) {
    part_builder part("Parameters");
    part.text("seed", member(a, "seed"), member(b, "seed"));
    each_of_both(member(a, "parameters"), member(b, "parameters"),
                 [&part](const std::string& name, const ordered_json& left, const ordered_json& right) {
                     if (right.is_null()) {
                         part.only_a(name);
                     } else if (left.is_null()) {
                         part.only_b(name);
                     } else {
                         part.text(name, left, right);
                     }
                 });
    part.finish(to);
}

void compare_violations(const std::string& prefix, const ordered_json& a, const ordered_json& b,
                        comparison& to) {
    part_builder part(prefix + "Violations and notes");
    for (const char* const which : {"violations", "notes"}) {
        each_of_both(member(member(a, which), "by_kind"), member(member(b, which), "by_kind"),
                     [&part](const std::string& name, const ordered_json& left, const ordered_json& right) {
                         part.number(name, left, right, "");
                     });
    }
    part.finish(to);
}

void compare_metrics(const std::string& prefix, const ordered_json& a, const ordered_json& b,
                     comparison& to) {
    part_builder part(prefix + "Figures and metrics, the largest ratio first");
    part.number("simulated time", member(a, "simulated_time_ns"), member(b, "simulated_time_ns"), "ns");
    each_of_both(member(a, "figures"), member(b, "figures"),
                 [&part](const std::string& name, const ordered_json& left, const ordered_json& right) {
                     part.number(name, member(left, "value"), member(right, "value"),
                                 run_reader::text(left.is_null() ? right : left, "unit"));
                 });
    const auto metrics = [](const ordered_json& run, const char* kind) {
        return member(member(run, "metrics"), kind);
    };
    for (const auto& [kind, value, what] :
         {std::tuple{"counters", "value", ""}, std::tuple{"levels", "high_water", " (highest)"}}) {
        each_of_both(metrics(a, kind), metrics(b, kind),
                     [&, value = value, what = what](const std::string& name, const ordered_json& left,
                                                     const ordered_json& right) {
                         part.number(name + what, member(left, value), member(right, value),
                                     run_reader::text(left.is_null() ? right : left, "unit"));
                     });
    }
    each_of_both(metrics(a, "tallies"), metrics(b, "tallies"),
                 [&part](const std::string& name, const ordered_json& left, const ordered_json& right) {
                     if (left.is_null() || right.is_null()) {
                         part.number(name, member(left, "total"), member(right, "total"), "");
                         return;
                     }
                     each_of_both(
                         member(left, "counts"), member(right, "counts"),
                         [&](const std::string& label, const ordered_json& one, const ordered_json& other) {
                             part.number(fmt::format("{}: {}", name, label), one, other,
                                         run_reader::text(left, "unit"));
                         });
                 });
    part.finish(to);
}

void compare_exposure(const std::string& prefix, const ordered_json& a, const ordered_json& b,
                      comparison& to) {
    part_builder part(prefix + "What the host could read");
    const auto unit_of = [](const std::string& name) {
        return name.find("bytes") != std::string::npos   ? "bytes"
               : name.find("pages") != std::string::npos ? "pages"
                                                         : "";
    };
    each_of_both(member(a, "exposure"), member(b, "exposure"),
                 [&](const std::string& name, const ordered_json& left, const ordered_json& right) {
                     if (!left.is_structured() && !right.is_structured()) {
                         part.number(name, left, right, unit_of(name));
                     }
                 });
    const auto sightings = [](const ordered_json& run) {
        return member(member(member(run, "exposure"), "canaries"), "sightings");
    };
    part.number("sightings of canaries", sightings(a), sightings(b), "");
    part.finish(to);
}

void compare_anatomy(const std::string& prefix, const ordered_json& a, const ordered_json& b,
                     comparison& to) {
    part_builder part(prefix + "Where a request's time goes (mean)");
    const auto by_name = [](const ordered_json& run) {
        ordered_json result = ordered_json::object();
        const ordered_json& anatomy = member(run, "anatomy");
        for (const ordered_json& group : member(anatomy, "requests")) {
            const std::string name = run_reader::text(group, "device") + " " +
                                     run_reader::text(group, "kind");
            result[name + ": all of it"] = member(member(group, "total"), "mean_ns");
            const ordered_json& means = member(group, "mean_ns");
            for (std::size_t i = 0; i < std::min(member(anatomy, "parts").size(), means.size()); ++i) {
                result[name + ": " + anatomy.at("parts").at(i).get<std::string>()] = means.at(i);
            }
        }
        return result;
    };
    each_of_both(by_name(a), by_name(b),
                 [&part](const std::string& name, const ordered_json& left, const ordered_json& right) {
                     part.number(name, left, right, "ns");
                 });
    part.finish(to);
}

void compare_histograms(const std::string& prefix, const ordered_json& a, const ordered_json& b,
                        comparison& to) {
    part_builder part(prefix + "Latencies, the largest ratio first");
    each_of_both(member(member(a, "metrics"), "histograms"), member(member(b, "metrics"), "histograms"),
                 [&part](const std::string& name, const ordered_json& left, const ordered_json& right) {
                     if (left.is_null() || right.is_null()) {
                         part.number(name, member(left, "count"), member(right, "count"), "");
                         return;
                     }
                     part.number(name + " count", member(left, "count"), member(right, "count"), "");
                     for (const char* const which : {"mean", "p50", "p90", "p99", "max"}) {
                         part.number(fmt::format("{} {}", name, which), member(left, which),
                                     member(right, which), "ns");
                     }
                 });
    part.finish(to);
}

void compare_machines(const ordered_json& a, const ordered_json& b, const std::string& label,
                      comparison& to) {
    const std::string prefix = label.empty() ? "" : label + ": ";
    compare_violations(prefix, a, b, to);
    compare_metrics(prefix, a, b, to);
    compare_exposure(prefix, a, b, to);
    compare_anatomy(prefix, a, b, to);
    compare_histograms(prefix, a, b, to);
}

/// Machines by label; where a label stands twice, by their places.
ordered_json by_label(const ordered_json& report) {
    ordered_json result = ordered_json::object();
    for (const ordered_json& run : member(report, "runs")) {
        std::string label = run_reader::text(run, "label");
        while (result.contains(label)) {
            label += "'";
        }
        result[label] = run;
    }
    return result;
}

/// Members that no part is about, where they differ.
void look_elsewhere(const ordered_json& a, const ordered_json& b, const std::string& place, comparison& to) {
    static const std::set<std::string> elsewhere_compared{"scenario",
                                                          "description",
                                                          "seed",
                                                          "parameters",
                                                          "parameter_values",
                                                          "shown",
                                                          "verdict",
                                                          "ended",
                                                          "runs",
                                                          "files",
                                                          "replay",
                                                          "trace",
                                                          "metrics",
                                                          "figures",
                                                          "anatomy",
                                                          "label",
                                                          "violations",
                                                          "notes",
                                                          "schema_version",
                                                          "pefsim_version",
                                                          "simulated_time_ns",
                                                          "failed_files"};
    each_of_both(a, b, [&](const std::string& name, const ordered_json& left, const ordered_json& right) {
        if (!elsewhere_compared.contains(name) && left != right) {
            to.elsewhere.push_back(place + name);
        }
    });
}

}  // namespace

void check_is_report(const ordered_json& report) {
    if (!report.is_object()) {
        throw std::invalid_argument("it is no object");
    }
    for (const auto& [name, holds] : {std::pair{"scenario", member(report, "scenario").is_string()},
                                      std::pair{"runs", member(report, "runs").is_array()},
                                      std::pair{"verdict", member(report, "verdict").is_array()}}) {
        if (!holds) {
            throw std::invalid_argument(fmt::format("it has no \"{}\"", name));
        }
    }
}

comparison compare_reports(const ordered_json& a, const ordered_json& b) {
    comparison result;
    for (const auto& [name, what] :
         {std::pair{"scenario", "scenarios"}, std::pair{"schema_version", "schema versions"},
          std::pair{"pefsim_version", "versions of pefsim"}}) {
        if (member(a, name) != member(b, name)) {
            const auto text = [](const ordered_json& value) {
                return value.is_null() ? "none" : plain_text(value);
            };
            result.warnings.push_back(fmt::format("these are of different {}: {} and {}", what,
                                                  text(member(a, name)), text(member(b, name))));
        }
    }
    compare_verdicts(a, b, result);
    compare_endings(a, b, result);
    compare_parameters(a, b, result);
    part_builder machines("Machines");
    each_of_both(by_label(a), by_label(b),
                 [&](const std::string& label, const ordered_json& left, const ordered_json& right) {
                     if (left.is_null()) {
                         machines.only_b(label);
                     } else if (right.is_null()) {
                         machines.only_a(label);
                     } else {
                         compare_machines(left, right, label, result);
                         look_elsewhere(left, right, label.empty() ? "machine: " : label + ": ", result);
                     }
                 });
    machines.finish(result);
    look_elsewhere(a, b, "", result);
    return result;
}

}  // namespace pefsim::report
