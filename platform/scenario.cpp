// SPDX-License-Identifier: Apache-2.0
#include "platform/scenario.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>
#include <systemc>
#include <utility>
#include <vector>

#include "abi/address.h"
#include "output/file_claims.h"
#include "output/standard_output.h"
#include "output/stop_request.h"
#include "output/terminal.h"
#include "output/version.h"
#include "output/whole_file.h"
#include "platform/command_line.h"
#include "platform/config_text.h"
#include "platform/scenario_mistake.h"
#include "platform/session.h"

namespace pefsim::platform {
namespace {

/// Its words, a blank between each two.
std::string in_one_line(std::string_view text) {
    std::string line;
    for (const char each : text) {
        if (each != ' ' && each != '\n') {
            line += each;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    return line;
}

constexpr int shown = 0;
constexpr int not_shown = 1;
constexpr int bad_input = 2;
constexpr int broken = 3;

int complain(std::string_view name, std::string message, int status) {
    // One line, and nothing that a terminal would obey.
    std::ranges::replace_if(
        message, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }, ' ');
    output::complain(fmt::format("{}: {}", name, message));
    return status;
}

int complain(const scenario& what, std::string message, int status) {
    return complain(what.name(), std::move(message), status);
}

/// \throws std::invalid_argument when an output of the run is an input or another output
void check_files(const scenario& of, const run_options& options, const parameter_set& parameters) {
    using enum output::file_use;
    output::file_claims claims;
    claims.add_standard_files();
    for (const std::filesystem::path& file : options.config_files) {
        claims.add("config", input, file == "-" ? "" : file);
    }
    if (!options.list_signals) {
        claims.add("report", output::file_use::output, options.report_file.value_or(""));
        claims.add("csv", output::file_use::output, options.csv_file.value_or(""));
        claims.add("timeline", output::file_use::output, options.timeline_file.value_or(""));
        claims.add("html", output::file_use::output, options.html_file.value_or(""));
    }
    if (options.trace && !options.list_signals) {
        std::filesystem::path trace = trace_path(options, of.name());
        claims.add("trace", output::file_use::output, trace);
        claims.add("the trace's save file", output::file_use::output, trace.replace_extension(".gtkw"));
        claims.add("the trace's command file", output::file_use::output, trace.replace_extension(".sucl"));
    }
    parameters.claim_files(claims);
    claims.check();
}

/// \throws std::invalid_argument when two inputs are standard input
void check_standard_input(const run_options& options, const parameter_set& parameters) {
    std::vector<std::string_view> readers;
    for (const std::filesystem::path& file : options.config_files) {
        if (file == "-") {
            readers.emplace_back("config");
        }
    }
    for (const parameter& each : parameters.all()) {
        if (each.unit == "file" && each.value() == "-") {
            readers.emplace_back(each.name);
        }
    }
    if (readers.size() > 1) {
        throw std::invalid_argument(
            fmt::format("{} and {}: both would read standard input (-)", readers[0], readers[1]));
    }
}

found_moment find_moment(scenario& what, const run_options& options, const parameter_set& parameters,
                         const run_moment& wanted) {
    return rehearse([&] {
        run_options unseen;
        unseen.seed = options.seed;
        unseen.trace = false;
        unseen.quiet = true;
        session rehearsal(what, unseen, parameters);
        rehearsal.rehearse(wanted);
        try {
            what.execute(rehearsal);
        } catch (...) {  // rehearsal_over, or whatever the scenario has made of it
        }
        return rehearsal.rehearsed();
    });
}

/// Of a run that is known by running it: the window of its trace, the page whose story is told.
void look_ahead(scenario& what, run_options& options, parameter_set& parameters) {
    if (options.trace_moment) {
        const found_moment where = find_moment(what, options, parameters, *options.trace_moment);
        if (output::stop_request::made() != 0) {
            return;  // the run itself ends for that, with a report of it
        }
        if (!where.found) {
            throw std::invalid_argument(
                fmt::format("--trace-window: there is no {} in this run", options.trace_window));
        }
        options.trace_from = sc_core::sc_time::from_value(where.from);
        options.trace_to = sc_core::sc_time::from_value(where.to);
    }
    if (options.explain.empty()) {
        return;
    }
    std::string page = options.explain;
    if (const auto moment = run_moment::parse(options.explain)) {
        if (moment->what != run_moment::kind::violation && moment->what != run_moment::kind::canary) {
            throw std::invalid_argument(fmt::format("--explain: '{}' is no page", options.explain));
        }
        const found_moment where = find_moment(what, options, parameters, *moment);
        if (output::stop_request::made() != 0) {
            return;
        }
        if (!where.found) {
            throw std::invalid_argument(fmt::format(
                "--explain: {} {}",
                moment->what == run_moment::kind::canary ? "the host did not see" : "in this run there is no",
                options.explain));
        }
        if (!where.has_address) {
            throw std::invalid_argument(fmt::format("--explain: {} has no page", options.explain));
        }
        page = fmt::format("{}", abi::gfn_of(abi::phys_addr{where.address}));
    }
    try {
        parameters.set("watch-page", page);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(fmt::format("--explain: {}", error.what()));
    }
}

int run_unguarded(scenario& what, std::span<const char* const> arguments) {
    sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
    sc_core::sc_report_handler::set_actions(sc_core::SC_ERROR, sc_core::SC_THROW);

    parameter_set parameters;
    what.declare_all(parameters);
    run_options options = parse_command_line(arguments, parameters);
    if (options.help) {
        output::standard_output::write(help_text(what, parameters, output::columns_of(STDOUT_FILENO)));
        return shown;
    }
    if (options.version) {
        output::standard_output::write(fmt::format("{} (pefsim) {}\n", what.name(), output::version()));
        return shown;
    }
    if (options.dump_config) {
        output::standard_output::write(config_text(what.name(), options, parameters));
        return shown;
    }
    check_standard_input(options, parameters);
    check_files(what, options, parameters);
    what.settle();
    if (!options.list_signals) {
        look_ahead(what, options, parameters);
    }
    session execution(what, options, parameters);
    try {
        what.execute(execution);
    } catch (const scenario_mistake& mistake) {
        execution.fail(mistake.what());
    }
    const bool all_shown = execution.finish();
    return execution.exit_status().value_or(all_shown ? shown : not_shown);
}

}  // namespace

scenario::scenario(std::string name, std::string_view description) : name_(std::move(name)) {
    description.remove_prefix(std::min(description.find_first_not_of(" \n"), description.size()));
    if (const std::size_t end = description.find("\n\n"); end != std::string_view::npos) {
        summary_ = in_one_line(description.substr(0, end));
        description.remove_prefix(end);
    }
    description_ = in_one_line(description);
    if (summary_.empty()) {
        summary_ = description_.substr(0, description_.find(". "));
    }
    if (summary_.ends_with('.')) {
        summary_.pop_back();
    }
}

int run_scenario(scenario& what, int argc, const char* const* argv) {
    try {
        const std::span arguments(argv, static_cast<std::size_t>(argc));
        output::occupy_standard_descriptors();
        output::stop_request::listen();
        const int status = run_unguarded(what, arguments.subspan(std::min<std::size_t>(1, arguments.size())));
        output::standard_output::check();
        return status;
    } catch (const scenario_mistake& mistake) {
        return complain(what, mistake.what(), not_shown);
    } catch (const output::write_error& error) {
        return complain(what, error.what(), not_shown);
    } catch (const std::invalid_argument& error) {
        return complain(what, error.what(), bad_input);
    } catch (const std::exception& error) {
        return complain(what, fmt::format("internal error: {}", error.what()), broken);
    }
}

int run_scenario(const std::function<std::unique_ptr<scenario>()>& make, int argc, const char* const* argv) {
    std::unique_ptr<scenario> made;
    try {
        call_scenario("its constructor", may_refuse_input::no, [&] { made = make(); });
    } catch (const scenario_mistake& mistake) {
        const std::string binary = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "?";
        return complain(binary, mistake.what(), not_shown);
    }
    return run_scenario(*made, argc, argv);
}

}  // namespace pefsim::platform
