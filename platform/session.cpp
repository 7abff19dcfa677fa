// SPDX-License-Identifier: Apache-2.0
#include "platform/session.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <string>
#include <systemc>

#include "output/standard_output.h"
#include "output/terminal.h"
#include "platform/parameter_values.h"
#include "platform/progress.h"
#include "platform/scenario.h"
#include "platform/scenario_mistake.h"
#include "report/coloured_text.h"
#include "report/diagnosis.h"
#include "report/run_ending.h"
#include "report/run_page.h"
#include "report/series_csv.h"
#include "report/stories_text.h"
#include "trace/signal_catalogue.h"
#include "trace/trace_file.h"

namespace pefsim::platform {
namespace {

/// A fresh SystemC simulation for one machine.
class fresh_simulation {
public:
    fresh_simulation() { sc_core::sc_get_curr_simcontext()->reset(); }
    ~fresh_simulation() { sc_core::sc_get_curr_simcontext()->reset(); }
    fresh_simulation(const fresh_simulation&) = delete;
    fresh_simulation& operator=(const fresh_simulation&) = delete;
};

/// SystemC keeps the processes of a module that is gone, without a parent, and would run them.
void check_no_module_is_gone() {
    for (const sc_core::sc_object* each : sc_core::sc_get_top_level_objects()) {
        const std::string_view name = each->name();
        const std::size_t dot = name.rfind('.');
        if (dot != std::string_view::npos) {
            throw scenario_mistake(
                fmt::format("mistake in the scenario: its module '{}' is gone before its machine, but not {}",
                            name.substr(0, dot), name));
        }
    }
}

void check_all_are_there(const trace::recorder& recorder) {
    if (const std::vector<std::string> gone = recorder.departed(); !gone.empty()) {
        throw scenario_mistake(
            fmt::format("mistake in the scenario: its module '{}' is gone before its machine, and {} with it",
                        gone.front().substr(0, gone.front().rfind('.')), gone.front()));
    }
}

}  // namespace

session::session(const scenario& of, const run_options& options, const parameter_set& parameters)
    : options_(options),
      columns_(output::columns_of(STDOUT_FILENO)) {
    header_.scenario = of.name();
    header_.description = of.description();
    header_.seed = options.seed;
    changed_parameters_ = parameters.changed();
    for (const parameter& row : parameters.all()) {
        header_.parameters.emplace_back(row.name, row.value());
    }
    header_.quantities = parameter_values(parameters);
    if (options.list_signals) {
        return;
    }
    // Before hours of simulation, not after.
    if (options.report_file) {
        report_.emplace("report", *options.report_file);
    }
    if (options.csv_file) {
        series_.emplace("csv", *options.csv_file, output::whole_file::access::late);
    }
    if (options.timeline_file) {
        const output::whole_file probe("timeline", *options.timeline_file);
    }
    if (options.html_file) {
        page_.emplace("html", *options.html_file, output::whole_file::access::late);
    }
    if (options.trace) {
        trace::check_trace_file(trace_path(options, header_.scenario));
    }
}

void session::expect(bool shown, std::string sentence) {
    header_.verdict.push_back({shown, std::move(sentence)});
}

void session::add_file(std::string what, const std::filesystem::path& file) {
    files_.emplace_back(std::move(what), file.string());
}

void session::note_failure(const output::write_error& what) { failures_.push_back(what); }

void session::note_failures_of(const std::function<void()>& writes) {
    try {
        writes();
    } catch (const output::write_error& error) {
        note_failure(error);
    }
}

void session::commit(std::string what, output::whole_file& file) {
    note_failures_of([&] {
        file.commit();
        add_file(std::move(what), file.place());
    });
}

std::filesystem::path trace_path(const run_options& options, std::string_view scenario) {
    return options.trace_file.value_or(
        fmt::format("{}.{}", scenario, trace::recorder::fst_available() ? "fst" : "vcd"));
}

void session::run(const std::function<std::unique_ptr<machine>()>& elaborate,
                  const std::function<void()>& afterwards, const presentation& how) {
    const fresh_simulation simulation;
    busy_ = true;
    const std::unique_ptr<machine> subject = elaborate();
    busy_ = false;
    if (options_.list_signals) {
        if (how.traced) {
            output::standard_output::write(trace::signal_catalogue(subject->recorder()));
        }
        return;
    }
    if (rehearsed_ != nullptr && how.traced) {
        const moment_finder finder(*rehearsed_, *subject);
        subject->run([](const machine&) {});
        found_ = finder.found();
        throw rehearsal_over{};
    }
    busy_ = true;
    run_to_end(*subject, how);
    busy_ = false;
    if (subject->ending().kind == report::ending_kind::scenario_error) {
        add_run(*subject, how);
        throw scenario_mistake(subject->ending().text);
    }
    check_all_are_there(subject->recorder());
    afterwards();
    add_run(*subject, how);
}

void session::run_to_end(machine& subject, const presentation& how) {
    check_no_module_is_gone();
    if (options_.trace && how.traced) {
        subject.recorder().start({.file = trace_path(options_, header_.scenario),
                                  .from = options_.trace_from,
                                  .to = options_.trace_to,
                                  .title = fmt::format("{}, seed {}", header_.scenario, options_.seed)});
    }
    if (options_.timeline_file && how.traced) {
        subject.recorder().start_timeline({.file = *options_.timeline_file,
                                           .from = options_.trace_from,
                                           .to = options_.trace_to,
                                           .most_bytes = options_.timeline_limit});
    }
    progress shown(options_.quiet || !how.progress, how.label.empty() ? header_.scenario : how.label);
    subject.run([&shown](const machine& running) { shown.update(running); });
    shown.clear();
    note_failures_of([&] { subject.recorder().finish(); });
    note_failures_of([&] { subject.commit_files(); });
}

void session::add_run(const machine& subject, const presentation& how) {
    report::run_facts facts = subject.facts();
    facts.label = how.label;
    runs_.push_back(report::figures_json(subject.recorder().record(), facts));
    subject.add_to_report(runs_.back());
    note_causes(runs_.back(), how.label);
    if (!options_.explain.empty()) {
        stories_ += report::stories_text(subject.recorder().record(), facts, columns_);
    }
    if (series_ && how.traced) {
        series_->write(report::series_csv(runs_.back()["series"]));
        note_failures_of([this] { series_->commit(); });
        series_.reset();
    }
    note_ending(facts.ending, how.label);
    if (how.text) {
        run_texts_.push_back(report::figures_text(subject.recorder().record(), facts, columns_));
        if (page_) {  // the same on every terminal
            page_texts_.push_back(
                report::figures_text(subject.recorder().record(), facts, report::report_columns));
        }
    }
    if (subject.recorder().record().violations.total() != 0) {
        violations_.push_back(report::brief_text(subject.recorder().record(), facts, columns_));
    }
}

/// The report's is that of the first machine that did not end well.
void session::note_ending(const report::run_ending& ending, std::string_view label) {
    if (runs_.size() == 1 || (header_.ending.good() && !ending.good())) {
        header_.ending = ending;
        if (!label.empty() && !ending.good()) {
            header_.ending.text = fmt::format("{}: {}", label, ending.text);
        }
    } else if (header_.ending.good()) {
        header_.ending.text = fmt::format("all {} machines: {}", runs_.size(), ending.text);
    }
}

void session::note_causes(nlohmann::ordered_json& run, std::string_view label) {
    const std::vector<report::finding> found = report::diagnose(run);
    run["causes"] = report::causes_json(found);
    for (const report::finding& each : found) {
        causes_.push_back(report::cause_text(each, label, columns_));
    }
}

void session::complain_of_what_was_not_shown() const {
    for (const report::report_header::verdict_line& each : header_.verdict) {
        if (!each.shown && each.text != mistake_) {
            output::complain(fmt::format("{}: not shown: {}", header_.scenario, each.text));
        }
    }
}

void session::fail(std::string mistake) {
    header_.ending = {report::ending_kind::scenario_error, mistake};
    add_mistake(std::move(mistake));
}

void session::add_mistake(std::string mistake) {
    std::ranges::replace(mistake, '\n', ' ');
    output::complain(fmt::format("{}: {}", header_.scenario, mistake));
    mistake_ = mistake;
    header_.verdict.push_back({false, std::move(mistake)});
}

bool session::finish() {
    if (options_.list_signals) {
        return true;
    }
    if (header_.verdict.empty()) {
        add_mistake("mistake in the scenario: it expects nothing, session::expect() was never called");
    }
    complain_of_what_was_not_shown();
    std::erase_if(files_, [this](const auto& named) {
        return std::ranges::any_of(failures_, [&](const auto& lost) { return lost.file() == named.second; });
    });
    note_failures_of([this] { write_report(); });
    note_failures_of([this] { write_page(); });
    print_report();
    note_failures_of([] { output::standard_output::check(); });
    if (!failures_.empty()) {
        std::string line;
        for (const output::write_error& each : failures_) {
            line += fmt::format("{}{}", line.empty() ? "" : "; ", each.what());
        }
        throw output::write_error(line, failures_.front().file());
    }
    return header_.shown() && header_.ending.kind != report::ending_kind::interrupted;
}

nlohmann::ordered_json session::json_report() const {
    nlohmann::ordered_json report = report::header_json(header_);
    report["replay"] = replay();
    report["results"] = results_;
    report["runs"] = runs_;
    report["files"] = nlohmann::ordered_json::object();
    for (const auto& [what, file] : files_) {
        report["files"][what] = file;
    }
    for (const output::write_error& each : failures_) {
        report["failed_files"].push_back(each.what());
    }
    return report;
}

void session::write_report() {
    if (!report_) {
        return;
    }
    output::standard_output::flush();  // the report may go there, too
    // A file name need not be UTF-8, JSON is.
    report_->write(json_report().dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
    report_->commit();
}

void session::write_page() {
    if (!page_) {
        return;
    }
    report::page_facts facts{.text = full_text(report::report_columns, page_texts_), .replay = replay()};
    for (const auto& [name, value] : changed_parameters_) {
        facts.changed_parameters.push_back(name);
    }
    output::standard_output::flush();  // the page may go there, too
    page_->write(report::run_page(json_report(), facts));
    page_->commit();
}

/// A line of shell.
std::string session::replay() const {
    std::string line = header_.scenario;
    const auto add = [&line](std::string_view option, std::string_view value) {
        constexpr std::string_view plain =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:,+@%-";
        line += fmt::format(" --{} ", option);
        if (!value.empty() && value.find_first_not_of(plain) == std::string_view::npos) {
            line += value;
            return;
        }
        line += '\'';
        for (const char c : value) {
            line += c == '\'' ? std::string("'\\''") : std::string(1, c);
        }
        line += '\'';
    };
    if (options_.seed != run_options{}.seed) {
        add("seed", std::to_string(options_.seed));
    }
    for (const auto& [name, value] : changed_parameters_) {
        add(name, value);
    }
    return line;
}

void session::print_report() {
    if (options_.quiet) {
        return;
    }
    const std::string text = !options_.explain.empty() ? stories_ + '\n' + brief_text()
                             : options_.brief          ? brief_text()
                                              : full_text(columns_, run_texts_) + '\n' + brief_text();
    output::standard_output::write(output::takes_colour(STDOUT_FILENO) ? report::coloured(text) : text);
}

std::string session::full_text(std::size_t columns, const std::vector<std::string>& run_texts) const {
    report::report_header header = header_;
    header.parameters = changed_parameters_;
    std::string result = report::header_text(header, columns);
    for (const std::vector<std::string>* const texts : {&run_texts, &texts_}) {
        for (const std::string& text : *texts) {
            result += '\n' + text;
        }
    }
    for (const auto& [what, file] : files_) {
        result += fmt::format("{:<16}{}\n", what, file);
    }
    return result;
}

/// Once more at the end, where a reader's eyes are.
std::string session::brief_text() const {
    constexpr std::size_t most_causes = 4;
    std::string result = report::brief_text(header_, columns_);
    for (std::size_t i = 0; i < std::min(causes_.size(), most_causes); ++i) {
        result += causes_[i];
    }
    if (causes_.size() > most_causes) {
        result += fmt::format("and {} more (--report, --html)\n", causes_.size() - most_causes);
    }
    for (const std::string& each : violations_) {
        result += each;
    }
    return violations_.empty() ? result + "Violations: none\n" : result;
}

}  // namespace pefsim::platform
