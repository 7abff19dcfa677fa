// SPDX-License-Identifier: Apache-2.0
#include "platform/session.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <systemc>

#include "platform/command.h"
#include "platform/progress.h"
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

/// Opens the report file before hours of simulation, not after.
void check_writable(const std::filesystem::path& file) {
    if (std::ofstream probe(file, std::ios::app); !probe) {
        throw std::invalid_argument(fmt::format("--report: '{}' cannot be written", file.string()));
    }
}

}  // namespace

session::session(const command& of, const run_options& options, const parameter_set& parameters)
    : options_(options) {
    header_.scenario = of.name();
    header_.description = of.description();
    header_.seed = options.seed;
    changed_parameters_ = parameters.changed();
    for (const parameter& row : parameters.all()) {
        header_.parameters.emplace_back(row.name, row.value());
    }
    if (options.report_file) {
        check_writable(*options.report_file);
    }
    if (options.trace && !options.list_signals) {
        trace::check_trace_file(trace_path());
    }
}

void session::add_file(std::string what, const std::filesystem::path& file) {
    files_.emplace_back(std::move(what), file.string());
}

std::filesystem::path session::trace_path() const {
    if (options_.trace_file) {
        return *options_.trace_file;
    }
    return header_.scenario + (trace::recorder::fst_available() ? ".fst" : ".vcd");
}

void session::run(const std::function<std::unique_ptr<board>()>& elaborate,
                  const std::function<void()>& afterwards, const presentation& how) {
    const fresh_simulation simulation;
    const std::unique_ptr<board> subject = elaborate();
    if (options_.list_signals) {
        if (how.traced) {
            fmt::print("{}", trace::signal_catalogue(subject->recorder()));
        }
        return;
    }
    if (options_.trace && how.traced) {
        subject->recorder().start({.file = trace_path(),
                                   .from = options_.trace_from,
                                   .to = options_.trace_to,
                                   .title = fmt::format("{}, seed {}", header_.scenario, options_.seed)});
    }
    progress shown(options_.quiet, how.label.empty() ? header_.scenario : how.label);
    subject->run([&shown](const board& running) { shown.update(running); });
    shown.clear();
    subject->recorder().finish();
    afterwards();

    trace::run_facts facts = subject->facts();
    facts.label = how.label;
    runs_.push_back(trace::figures_json(subject->recorder(), facts));
    note_ending(facts.ending, how.label);
    if (how.text) {
        run_texts_.push_back(trace::figures_text(subject->recorder(), facts));
    }
}

void session::run(const machine_config& config, const guest::kernel::workload& workload,
                  const std::function<void(machine&)>& afterwards, const presentation& how) {
    machine* subject = nullptr;
    run(
        [&] {
            auto elaborated = std::make_unique<machine>("machine", config, options_.seed);
            elaborated->load(workload);
            subject = elaborated.get();
            return elaborated;
        },
        [&] { afterwards(*subject); }, how);
}

/// The report's is that of the first machine that did not end well.
void session::note_ending(const trace::run_ending& ending, std::string_view label) {
    if (runs_.size() == 1 || (header_.ending.good() && !ending.good())) {
        header_.ending = ending;
        if (!label.empty() && !ending.good()) {
            header_.ending.text = fmt::format("{}: {}", label, ending.text);
        }
    } else if (header_.ending.good()) {
        header_.ending.text = fmt::format("all {} machines: {}", runs_.size(), ending.text);
    }
}

void session::complain_of_what_was_not_shown() const {
    for (const trace::report_header::verdict_line& each : header_.verdict) {
        if (!each.shown) {
            fmt::print(stderr, "{}: not shown: {}\n", header_.scenario, each.text);
        }
    }
}

bool session::finish() {
    if (options_.list_signals) {
        return true;
    }
    complain_of_what_was_not_shown();
    if (options_.report_file) {
        nlohmann::ordered_json report = trace::header_json(header_);
        report["results"] = results_;
        report["runs"] = runs_;
        report["files"] = nlohmann::ordered_json::object();
        for (const auto& [what, file] : files_) {
            report["files"][what] = file;
        }
        std::ofstream(*options_.report_file) << report.dump(2) << '\n';
    }
    if (!options_.quiet) {
        trace::report_header header = header_;
        header.parameters = changed_parameters_;
        fmt::print("{}", trace::header_text(header));
        for (const std::string& text : run_texts_) {
            fmt::print("\n{}", text);
        }
        for (const std::string& text : texts_) {
            fmt::print("\n{}", text);
        }
        for (const auto& [what, file] : files_) {
            fmt::print("{:<16}{}\n", what, file);
        }
        std::fflush(stdout);
    }
    return header_.shown();
}

}  // namespace pefsim::platform
