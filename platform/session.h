// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "guest/kernel.h"
#include "platform/command_line.h"
#include "platform/machine.h"
#include "platform/machine_config.h"
#include "platform/parameter_set.h"
#include "trace/run_report.h"

namespace pefsim::platform {

class scenario;

/// One execution of a scenario binary: the options it was given, the machines it ran, and what it found.
class session {
public:
    /// All of them outlive the session; `machine` and `parameters` are as the command line left them.
    session(const scenario& of, const run_options& options, const machine_config& machine,
            const parameter_set& parameters);

    [[nodiscard]] const run_options& options() const { return options_; }
    /// The configured machine; a scenario of several machines starts each from a copy.
    [[nodiscard]] const machine_config& config() const { return config_; }

    /// What the scenario exists to show, point by point; at least one in all.
    /// \param sentence true when it is shown
    void expect(bool shown, std::string sentence) { header_.verdict.push_back({shown, std::move(sentence)}); }
    /// The scenario's own part of the JSON report ("results").
    nlohmann::ordered_json& results() { return results_; }
    /// Adds a text to the report for people, after the machines.
    void add_text(std::string text) { texts_.push_back(std::move(text)); }
    /// Names a file that the scenario wrote, for both reports.
    void add_file(std::string what, const std::filesystem::path& file);

    /// How one machine of several is reported.
    struct presentation {
        std::string label;   ///< distinguishes machines; empty when there is one only
        bool traced = true;  ///< write the waveform, if the options ask for one
        bool text = true;    ///< the machine's figures in the report for people
    };
    /// Elaborates a machine, runs `workload` on its CPU 0, and calls `afterwards` while the machine still exists. With
    /// --list-signals it prints the machine's signals instead, and `afterwards` is not called.
    /// \throws std::invalid_argument for a configuration that cannot be, or a trace file that cannot be written
    void run(const machine_config& config, const guest::kernel::workload& workload,
             const std::function<void(machine&)>& afterwards, const presentation& how);

    /// Writes the JSON report, if one is asked for, and prints the report for people.
    /// \returns whether everything was shown
    bool finish();

private:
    [[nodiscard]] std::filesystem::path trace_path() const;
    void list_signals(const machine& of);

    const scenario& scenario_;
    const run_options& options_;
    const machine_config& config_;
    trace::report_header header_;  // with every parameter, for the JSON report
    std::vector<std::pair<std::string, std::string>> changed_parameters_;
    nlohmann::ordered_json results_ = nlohmann::ordered_json::object();
    nlohmann::ordered_json runs_ = nlohmann::ordered_json::array();
    std::vector<std::string> run_texts_;
    std::vector<std::string> texts_;
    std::vector<std::pair<std::string, std::string>> files_;
};

}  // namespace pefsim::platform
