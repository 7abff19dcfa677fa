// SPDX-License-Identifier: Apache-2.0
#include "report/run_reader.h"

#include <algorithm>

namespace pefsim::report {
namespace {

constexpr std::string_view device_prefix = "virtio-";

std::string_view without_machine(std::string_view name) {
    const std::size_t dot = name.find('.');
    return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

std::uint64_t whole(const run_reader::json& value) {
    return value.is_number() ? value.get<std::uint64_t>() : 0;
}

}  // namespace

const run_reader::json& run_reader::member(const json& of, std::string_view name) {
    static const json nothing;
    if (!of.is_object()) {
        return nothing;
    }
    const auto found = of.find(name);
    return found == of.end() ? nothing : *found;
}

double run_reader::number(const json& of, std::string_view name) {
    const json& value = member(of, name);
    return value.is_number() ? value.get<double>() : 0;
}

std::string run_reader::text(const json& of, std::string_view name) {
    const json& value = member(of, name);
    return value.is_string() ? value.get<std::string>() : std::string();
}

void run_reader::each(const char* kind, const visitor& visit) const {
    const json& metrics = member(member(run_, "metrics"), kind);
    for (auto metric = metrics.begin(); metric != metrics.end(); ++metric) {
        visit(std::string(without_machine(metric.key())), *metric);
    }
}

const run_reader::json& run_reader::metric(const char* kind, std::string_view name) const {
    const json& metrics = member(member(run_, "metrics"), kind);
    for (auto each = metrics.begin(); each != metrics.end(); ++each) {
        if (without_machine(each.key()) == name) {
            return *each;
        }
    }
    return member(run_, "");
}

std::uint64_t run_reader::counter(std::string_view name) const {
    return whole(member(metric("counters", name), "value"));
}

std::uint64_t run_reader::count(std::string_view tally, std::string_view label) const {
    return whole(member(member(metric("tallies", tally), "counts"), label));
}

std::uint64_t run_reader::total(std::string_view tally) const {
    return whole(member(metric("tallies", tally), "total"));
}

std::uint64_t run_reader::cpus() const {
    std::uint64_t found = 0;
    each("tallies", [&found](const std::string& name, const json&) {
        found += name.starts_with("cpu") && name.ends_with(".hypercalls") ? 1 : 0;
    });
    return std::max<std::uint64_t>(found, 1);
}

std::string run_reader::ending_kind() const { return text(member(run_, "ended"), "kind"); }

double run_reader::duration_ns() const {
    const json& window = member(run_, "rates_are_of_ns");
    return number(window, "end") - number(window, "begin");
}

std::uint64_t run_reader::violations(std::string_view kind) const {
    return whole(member(member(member(run_, "violations"), "by_kind"), kind));
}

const run_reader::json* run_reader::first_violation(std::string_view kind, bool by_device) const {
    for (const json& group : member(member(run_, "violations"), "kept")) {
        if (text(group, "kind") == kind && (!by_device || text(group, "who").starts_with(device_prefix))) {
            return &group;
        }
    }
    return nullptr;
}

}  // namespace pefsim::report
