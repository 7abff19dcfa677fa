// SPDX-License-Identifier: Apache-2.0
#include "platform/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <charconv>
#include <stdexcept>
#include <vector>

#include "output/help_text.h"
#include "platform/input_file.h"
#include "platform/quantity.h"
#include "platform/scenario.h"

namespace pefsim::platform {
namespace {

namespace po = boost::program_options;

/// "yes" for a switch that is on.
std::optional<std::string> if_on(bool on) { return on ? std::optional<std::string>("yes") : std::nullopt; }

std::optional<std::string> if_named(const std::optional<std::filesystem::path>& file) {
    return file ? std::optional(file->string()) : std::nullopt;
}

void read_window(const std::string& text, run_options& options) {
    options.trace_window = text;
    try {
        options.trace_moment = run_moment::parse(text);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(fmt::format("--trace-window: {}", error.what()));
    }
    if (options.trace_moment) {
        return;
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) {
        throw std::invalid_argument(
            fmt::format("--trace-window: '{}' is not FROM:TO, workload, request:N or violation:N", text));
    }
    try {
        const std::string from = text.substr(0, colon);
        const std::string to = text.substr(colon + 1);
        options.trace_from = from.empty() ? sc_core::SC_ZERO_TIME : parse_duration(from);
        options.trace_to = to.empty() ? std::nullopt : std::optional(parse_duration(to));
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(fmt::format("--trace-window: {}", error.what()));
    }
    if (options.trace_to && *options.trace_to <= options.trace_from) {
        throw std::invalid_argument(fmt::format("--trace-window: '{}' is empty", text));
    }
}

std::uint64_t read_limit(const std::string& text) {
    std::uint64_t bytes = 0;
    try {
        bytes = parse_size(text);
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(fmt::format("--timeline-limit: {}", error.what()));
    }
    if (bytes < trace::least_timeline_bytes) {
        throw std::invalid_argument(fmt::format("--timeline-limit: '{}' is too small; at least {} are needed",
                                                text, format_size(trace::least_timeline_bytes)));
    }
    return bytes;
}

std::uint64_t read_seed(std::string_view text) {
    std::uint64_t seed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw std::invalid_argument(fmt::format("--seed: '{}' is not a whole number", text));
    }
    return seed;
}

/// A page is looked at as a file; what a run prints would stand before it.
std::filesystem::path html_file(const std::string& name) {
    if (name == "-") {
        throw std::invalid_argument("--html: '-' is no file; to write the page to standard output: "
                                    "--quiet --html /dev/stdout");
    }
    return file_name(name);
}

void set_pair(parameter_set& parameters, const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
        throw std::invalid_argument(fmt::format("--set: '{}' is not NAME=VALUE", text));
    }
    parameters.set(text.substr(0, equals), text.substr(equals + 1));
}

const std::filesystem::path standard_output = "/dev/stdout";

constexpr std::array rows{
    option_row{"help", "", "show this text (-h, too)",
               [](const std::string&, run_options& options, parameter_set&) { options.help = true; }},
    option_row{"version", "", "show which pefsim this is",
               [](const std::string&, run_options& options, parameter_set&) { options.version = true; }},
    option_row{
        "config", "FILE.toml",
        "read parameters from a TOML file, or from standard input (-); the command line comes after it",
        [](const std::string& value, run_options& options, parameter_set&) {
            options.config_files.emplace_back(value);  // has been read before everything else
        }},
    option_row{"dump-config", "", "print the configuration file that gives this run again, and stop",
               [](const std::string&, run_options& options, parameter_set&) { options.dump_config = true; }},
    option_row{"set", "NAME=VALUE", "set a parameter (the same as --NAME VALUE)",
               [](const std::string& value, run_options&, parameter_set& parameters) {
                   set_pair(parameters, value);
               }},
    option_row{"seed", "N", "seed of everything random; the same seed gives the same run [1]",
               [](const std::string& value, run_options& options, parameter_set&) {
                   options.seed = read_seed(value);
               },
               [](const run_options& options) { return std::optional(std::to_string(options.seed)); }},
    option_row{"trace", "FILE.vcd|FILE.fst", "waveform file [the scenario's name, in the working directory]",
               [](const std::string& value, run_options& options, parameter_set&) {
                   options.trace_file = file_name(value);
                   options.trace = true;
               },
               [](const run_options& options) {
                   return options.trace ? if_named(options.trace_file) : std::nullopt;
               }},
    option_row{"no-trace", "", "write no waveform",
               [](const std::string&, run_options& options, parameter_set&) { options.trace = false; },
               [](const run_options& options) { return if_on(!options.trace); }},
    option_row{
        "trace-window", "FROM:TO",
        "write waveform and timeline of this part of the run only, such as 1ms:2ms; or around request:8 "
        "(request:virtio-blk1:8), violation:1 or the workload: it is run once before then, to see where that "
        "is",
        [](const std::string& value, run_options& options, parameter_set&) { read_window(value, options); },
        [](const run_options& options) {
            return options.trace_window.empty() ? std::nullopt : std::optional(options.trace_window);
        }},
    option_row{
        "explain", "WHAT",
        "tell the story of one page: an address (0x420000), that of violation:1, where canary6 was seen",
        [](const std::string& value, run_options& options, parameter_set&) { options.explain = value; },
        [](const run_options& options) {
            return options.explain.empty() ? std::nullopt : std::optional(options.explain);
        }},
    option_row{"timeline", "FILE", "write a timeline in Perfetto's format, for ui.perfetto.dev",
               [](const std::string& value, run_options& options, parameter_set&) {
                   options.timeline_file = file_name(value);
               },
               [](const run_options& options) { return if_named(options.timeline_file); }},
    option_row{"timeline-limit", "SIZE", "largest timeline; what does not fit is counted [64MiB]",
               [](const std::string& value, run_options& options, parameter_set&) {
                   options.timeline_limit = read_limit(value);
               },
               [](const run_options& options) { return std::optional(format_size(options.timeline_limit)); }},
    option_row{"report", "FILE.json",
               "write the run report as JSON; to standard output (-), where it then stands alone",
               [](const std::string& value, run_options& options, parameter_set&) {
                   options.quiet = options.quiet || value == "-";
                   options.report_file = value == "-" ? standard_output : file_name(value);
               },
               [](const run_options& options) {
                   return options.report_file == standard_output ? std::optional<std::string>("-")
                                                                 : if_named(options.report_file);
               }},
    option_row{"csv", "FILE.csv", "write the workload over time: requests, bytes, latency, use of the pool",
               [](const std::string& value, run_options& options, parameter_set&) {
                   options.csv_file = file_name(value);
               },
               [](const run_options& options) { return if_named(options.csv_file); }},
    option_row{"html", "FILE.html", "write the run report as a page for a browser, with pictures",
               [](const std::string& value, run_options& options, parameter_set&) {
                   options.html_file = html_file(value);
               },
               [](const run_options& options) { return if_named(options.html_file); }},
    option_row{"list-signals", "", "list the signals that a trace shows, and stop",
               [](const std::string&, run_options& options, parameter_set&) { options.list_signals = true; }},
    option_row{"brief", "", "print the verdict and the violations alone",
               [](const std::string&, run_options& options, parameter_set&) { options.brief = true; }},
    option_row{"quiet", "", "print nothing but errors",
               [](const std::string&, run_options& options, parameter_set&) { options.quiet = true; }},
};

const option_row* find_option(std::string_view name) {
    const std::string wanted = folded(name);
    const auto* const row = std::ranges::find(rows, wanted, &option_row::name);
    return row == rows.end() ? nullptr : &*row;
}

/// A setting of a configuration file that is an option's.
bool set_option(std::string_view name, const std::string& value, run_options& options,
                parameter_set& parameters) {
    const option_row* const row = find_option(name);
    if (row == nullptr || row->written == nullptr) {
        return false;
    }
    if (!row->value.empty()) {
        row->apply(value, options, parameters);
    } else if (value == "yes") {
        row->apply({}, options, parameters);
    } else if (value != "no") {
        throw std::invalid_argument(fmt::format("{}: '{}' is neither true nor false", row->name, value));
    }
    return true;
}

/// By their folded names.
po::options_description describe(const parameter_set& parameters) {
    po::options_description known;
    for (const option_row& row : rows) {
        if (row.value.empty()) {
            known.add_options()(row.name.data(), "");
        } else {
            known.add_options()(row.name.data(), po::value<std::string>(), "");
        }
    }
    for (const parameter& row : parameters.all()) {
        known.add_options()(folded(row.name).c_str(), po::value<std::string>(), "");
    }
    return known;
}

std::vector<std::string> option_names(const parameter_set& parameters) {
    std::vector<std::string> names;
    for (const option_row& row : rows) {
        names.emplace_back(row.name);
    }
    std::ranges::transform(parameters.all(), std::back_inserter(names), &parameter::name);
    return names;
}

/// "--name=value" with its name folded; what is no option stays as it is.
std::string with_folded_name(std::string_view word) {
    if (!word.starts_with("--")) {
        return std::string(word);
    }
    const std::size_t end = std::min(word.find('='), word.size());
    return folded(word.substr(0, end)) + std::string(word.substr(end));
}

/// The option as it was typed whose folded name this is.
std::string as_typed(std::string_view name, std::span<const char* const> arguments) {
    for (const std::string_view word : arguments) {
        const std::string_view typed = word.substr(std::min<std::size_t>(2, word.size()), word.find('=') - 2);
        if (word.starts_with("--") && folded(typed) == name) {
            return std::string(typed);
        }
    }
    return std::string(name);
}

po::parsed_options parse(std::span<const char* const> arguments, const parameter_set& parameters) {
    const po::options_description known = describe(parameters);
    std::vector<std::string> words;
    std::ranges::transform(arguments, std::back_inserter(words), with_folded_name);
    try {
        constexpr int style = po::command_line_style::allow_long |
                              po::command_line_style::long_allow_adjacent |
                              po::command_line_style::long_allow_next;
        return po::command_line_parser(words).options(known).style(style).run();
    } catch (const po::unknown_option& error) {
        std::string name = error.get_option_name();
        name.erase(0, name.find_first_not_of('-'));
        throw std::invalid_argument(
            unknown_name("option", as_typed(name, arguments), option_names(parameters)));
    } catch (const po::error& error) {
        throw std::invalid_argument(error.what());
    }
}

/// An argument that is no option's value.
void apply_alone(const std::string& word, run_options& options) {
    constexpr std::size_t shown = 80;
    if (word != "-h") {
        throw std::invalid_argument(
            fmt::format("'{}{}' stands alone; every argument is --OPTION or --OPTION VALUE",
                        word.substr(0, shown), word.size() > shown ? "..." : ""));
    }
    options.help = true;
}

}  // namespace

std::span<const option_row> option_rows() { return rows; }

run_options parse_command_line(std::span<const char* const> arguments, parameter_set& parameters) {
    const po::parsed_options parsed = parse(arguments, parameters);
    run_options options;
    const auto others = [&](std::string_view name, const std::string& value) {
        return set_option(name, value, options, parameters);
    };
    for (const po::option& option : parsed.options) {
        if (option.string_key == "config") {
            parameters.load(file_name(option.value.front()), others);
        }
    }
    for (const po::option& option : parsed.options) {
        const std::string value = option.value.empty() ? std::string() : option.value.front();
        if (option.position_key >= 0) {
            apply_alone(value, options);
        } else if (const option_row* const row = find_option(option.string_key); row != nullptr) {
            row->apply(value, options, parameters);
        } else {
            parameters.set(option.string_key, value);
        }
    }
    return options;
}

std::string help_text(const scenario& of, const parameter_set& parameters, std::size_t columns) {
    const bool summarised = !of.description().starts_with(of.summary());
    std::string text = output::wrapped(
                           fmt::format("{}: {}", of.name(), summarised ? of.summary() : of.description()),
                           columns) +
                       "\n\n";
    if (summarised) {
        text += output::wrapped(of.description(), columns) + "\n\n";
    }
    text += fmt::format("usage: {} [options]\n\nOptions\n", of.name());
    for (const option_row& row : rows) {
        text += output::option_row(fmt::format("--{} {}", row.name, row.value), row.description, columns);
    }
    text += "\nParameters (--NAME VALUE, --set NAME=VALUE, or in a TOML file) [default]\n";
    std::string_view section;
    for (const parameter& row : parameters.all()) {
        const std::string_view name = row.name;
        const std::string_view prefix = name.substr(0, name.find('.') == name.npos ? 0 : name.find('.'));
        if (prefix != section) {
            text += '\n';
            section = prefix;
        }
        text += output::option_row(
            "--" + row.name, fmt::format("{} ({}) [{}]", row.description, row.unit, row.fallback), columns);
    }
    return text;
}

}  // namespace pefsim::platform
