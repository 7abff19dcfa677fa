// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "output/whole_file.h"
#include "platform/command_line.h"
#include "platform/machine.h"
#include "platform/parameter_set.h"
#include "platform/rehearsal.h"
#include "report/run_ending.h"
#include "report/run_report.h"

namespace pefsim::platform {

class scenario;

/// One execution of a scenario binary: the options it was given, the machines it ran, and what it found.
class session {
public:
    /// All of them outlive the session; `parameters` are as the command line left them.
    session(const scenario& of, const run_options& options, const parameter_set& parameters);

    [[nodiscard]] const run_options& options() const { return options_; }

    /// What the scenario exists to show, point by point; at least one in all.
    /// \param sentence true when it is shown
    void expect(bool shown, std::string sentence);
    /// The scenario's own part of the JSON report ("results").
    nlohmann::ordered_json& results() { return results_; }
    /// Adds a text to the report for people, after the machines.
    void add_text(std::string text) { texts_.push_back(std::move(text)); }
    /// Names a file that the scenario wrote, for both reports; they leave it out when it is among those that could not
    /// be.
    void add_file(std::string what, const std::filesystem::path& file);
    /// An output could not be written: the exit status is 1, and a line on standard error says which.
    void note_failure(const output::write_error& what);
    /// Gives `file` its place and names it for both reports, or notes that it could not be written.
    void commit(std::string what, output::whole_file& file);

    /// How one machine of several is reported.
    struct presentation {
        std::string label{};  ///< distinguishes machines; empty when there is one only
        bool traced = true;   ///< write the waveform, if the options ask for one
        bool text = true;     ///< the machine's figures in the report for people
        bool progress =
            true;  ///< a line on a terminal that tells how far a long run has come, unless --quiet
    };
    /// Elaborates a machine, ready to run, by a call of `elaborate` in a fresh simulation, runs it to its end, and
    /// calls `afterwards` while it still exists. With --list-signals it prints the machine's signals instead, and
    /// `afterwards` is not called.
    /// \throws std::invalid_argument for a configuration that cannot be, or a trace file that cannot be written
    /// \throws scenario_mistake when the guest's program has thrown, or a module of the scenario is gone before the
    /// machine
    void run(const std::function<std::unique_ptr<machine>()>& elaborate,
             const std::function<void()>& afterwards, const presentation& how);
    /// From now on the traced machine's run is a rehearsal: run() looks for the moment and throws rehearsal_over.
    void rehearse(const run_moment& what) { rehearsed_ = &what; }
    [[nodiscard]] const found_moment& rehearsed() const { return found_; }
    /// While pefsim's own code runs, not the scenario's: whose is the exception that came out of run()?
    [[nodiscard]] bool busy() const { return busy_; }
    /// The scenario's own code has made a mistake: the run ends with it, and nothing is shown.
    void fail(std::string mistake);

    /// The exit status is to be this one, whatever was shown: the guest's own.
    void exit_with(int status) { exit_status_ = status; }
    [[nodiscard]] const std::optional<int>& exit_status() const { return exit_status_; }

    /// Writes the JSON report and the page, if they are asked for, and prints the report for people. What was not shown
    /// is a line each on standard error, whatever the options.
    /// \returns whether everything was shown
    /// \throws output::write_error with one line that names all outputs that could not be written
    bool finish();

private:
    void note_failures_of(const std::function<void()>& writes);
    [[nodiscard]] nlohmann::ordered_json json_report() const;
    [[nodiscard]] std::string replay() const;
    void write_report();
    void write_page();
    void print_report();
    [[nodiscard]] std::string full_text(std::size_t columns, const std::vector<std::string>& run_texts) const;
    [[nodiscard]] std::string brief_text() const;
    void run_to_end(machine& subject, const presentation& how);
    void add_run(const machine& subject, const presentation& how);
    void add_mistake(std::string mistake);
    void note_ending(const report::run_ending& ending, std::string_view label);
    void note_causes(nlohmann::ordered_json& run, std::string_view label);
    void complain_of_what_was_not_shown() const;

    const run_options& options_;
    std::size_t columns_;           // of the report for people
    report::report_header header_;  // with every parameter, for the JSON report
    std::vector<std::pair<std::string, std::string>> changed_parameters_;
    nlohmann::ordered_json results_ = nlohmann::ordered_json::object();
    nlohmann::ordered_json runs_ = nlohmann::ordered_json::array();
    std::vector<std::string> run_texts_;
    std::vector<std::string> page_texts_;  // the same, for the page
    std::vector<std::string> texts_;
    std::vector<std::string> causes_;      // of what went wrong, all machines'
    std::vector<std::string> violations_;  // of each machine that had any, in brief
    std::vector<std::pair<std::string, std::string>> files_;
    std::optional<int> exit_status_;
    std::optional<output::whole_file> report_;
    std::optional<output::whole_file> series_;
    std::optional<output::whole_file> page_;
    std::vector<output::write_error> failures_;
    const run_moment* rehearsed_ = nullptr;
    found_moment found_;
    std::string stories_;
    bool busy_ = false;
    std::string mistake_;  // a line of the verdict
};

/// The waveform that the options ask for: `scenario`.fst or .vcd if they do not say.
std::filesystem::path trace_path(const run_options& options, std::string_view scenario);

}  // namespace pefsim::platform
