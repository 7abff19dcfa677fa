// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace pefsim::report {

/// Questions to one machine's part of a JSON report. Metrics are named without the machine: "swiotlb.failures". What a
/// report does not have reads as nothing: 0, or an empty text.
class run_reader {
public:
    using json = nlohmann::ordered_json;
    using visitor = std::function<void(const std::string& name, const json& metric)>;

    explicit run_reader(const json& run) : run_(run) {}

    [[nodiscard]] const json& run() const { return run_; }
    [[nodiscard]] std::uint64_t counter(std::string_view name) const;
    [[nodiscard]] const json& level(std::string_view name) const { return metric("levels", name); }
    [[nodiscard]] const json& histogram(std::string_view name) const { return metric("histograms", name); }
    /// One label's count of a tally, and those of all its labels.
    [[nodiscard]] std::uint64_t count(std::string_view tally, std::string_view label) const;
    [[nodiscard]] std::uint64_t total(std::string_view tally) const;
    /// All metrics of one kind ("counters" ...), in their order.
    void each(const char* kind, const visitor& visit) const;

    [[nodiscard]] std::uint64_t cpus() const;
    /// The guest made itself secure, or tried to.
    [[nodiscard]] bool secure() const { return count("ultravisor.ultracalls", "UV_ESM") > 0; }
    [[nodiscard]] std::string ending_kind() const;
    [[nodiscard]] bool ended_well() const {
        return ending_kind() == "finished" || ending_kind() == "stopped";
    }
    /// Of the workload.
    [[nodiscard]] double duration_ns() const;

    [[nodiscard]] std::uint64_t violations(std::string_view kind) const;
    /// The first group of violations of this kind, and, if `by_device`, of a virtio device; nullptr when there is none.
    [[nodiscard]] const json* first_violation(std::string_view kind, bool by_device = false) const;

    /// A member of an object, or null.
    static const json& member(const json& of, std::string_view name);
    static double number(const json& of, std::string_view name);
    static std::string text(const json& of, std::string_view name);

private:
    [[nodiscard]] const json& metric(const char* kind, std::string_view name) const;

    const json& run_;
};

}  // namespace pefsim::report
