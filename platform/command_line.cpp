// SPDX-License-Identifier: Apache-2.0
#include "platform/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <stdexcept>
#include <vector>

#include "platform/quantity.h"

namespace pefsim::platform {
namespace {

namespace po = boost::program_options;

struct option_row {
    std::string_view name;
    std::string_view value;  ///< empty: a switch
    std::string_view description;
};

constexpr std::array option_rows{
    option_row{"help", "", "show this text"},
    option_row{"config", "FILE.toml", "read parameters from a TOML file; the command line comes after it"},
    option_row{"set", "NAME=VALUE", "set a parameter (the same as --NAME VALUE)"},
    option_row{"seed", "N", "seed of everything random; the same seed gives the same run [1]"},
    option_row{"trace", "FILE.vcd|FILE.fst", "waveform file [the scenario's name, in the working directory]"},
    option_row{"no-trace", "", "write no waveform"},
    option_row{"trace-window", "FROM:TO", "write the waveform of this part of the run only, such as 1ms:2ms"},
    option_row{"report", "FILE.json", "write the run report as JSON"},
    option_row{"list-signals", "", "list the signals that a trace shows, and stop"},
    option_row{"quiet", "", "print nothing but errors"},
};

void read_window(const std::string& text, run_options& options) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) {
        throw std::invalid_argument(fmt::format("--trace-window: '{}' is not FROM:TO", text));
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

std::uint64_t read_seed(std::string_view text) {
    std::uint64_t seed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw std::invalid_argument(fmt::format("--seed: '{}' is not a whole number", text));
    }
    return seed;
}

void set_pair(parameter_set& parameters, const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
        throw std::invalid_argument(fmt::format("--set: '{}' is not NAME=VALUE", text));
    }
    parameters.set(text.substr(0, equals), text.substr(equals + 1));
}

void apply(const std::string& name, const std::string& value, run_options& options,
           parameter_set& parameters) {
    if (name == "help") {
        options.help = true;
    } else if (name == "config") {
        options.config_files.emplace_back(value);  // has been read before everything else
    } else if (name == "set") {
        set_pair(parameters, value);
    } else if (name == "seed") {
        options.seed = read_seed(value);
    } else if (name == "trace") {
        options.trace_file = value;
    } else if (name == "no-trace") {
        options.trace = false;
    } else if (name == "trace-window") {
        read_window(value, options);
    } else if (name == "report") {
        options.report_file = value;
    } else if (name == "list-signals") {
        options.list_signals = true;
    } else if (name == "quiet") {
        options.quiet = true;
    } else {
        parameters.set(name, value);
    }
}

po::options_description describe(const parameter_set& parameters) {
    po::options_description known;
    for (const option_row& row : option_rows) {
        if (row.value.empty()) {
            known.add_options()(row.name.data(), "");
        } else {
            known.add_options()(row.name.data(), po::value<std::string>(), "");
        }
    }
    for (const parameter& row : parameters.all()) {
        known.add_options()(row.name.c_str(), po::value<std::string>(), "");
    }
    return known;
}

std::vector<std::string> option_names(const parameter_set& parameters) {
    std::vector<std::string> names;
    for (const option_row& row : option_rows) {
        names.emplace_back(row.name);
    }
    std::ranges::transform(parameters.all(), std::back_inserter(names), &parameter::name);
    return names;
}

po::parsed_options parse(std::span<const char* const> arguments, const parameter_set& parameters) {
    const po::options_description known = describe(parameters);
    const std::vector<std::string> words(arguments.begin(), arguments.end());
    try {
        constexpr int style = po::command_line_style::allow_long |
                              po::command_line_style::long_allow_adjacent |
                              po::command_line_style::long_allow_next;
        return po::command_line_parser(words).options(known).style(style).positional({}).run();
    } catch (const po::unknown_option& error) {
        std::string name = error.get_option_name();
        name.erase(0, name.find_first_not_of('-'));
        throw std::invalid_argument(unknown_name("option", name, option_names(parameters)));
    } catch (const po::too_many_positional_options_error&) {
        throw std::invalid_argument("an argument stands alone; every argument is --OPTION or --OPTION VALUE");
    } catch (const po::error& error) {
        throw std::invalid_argument(error.what());
    }
}

/// Text broken into lines of at most `width` columns, each after `indent` blanks but for the first.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
    std::string result;
    std::size_t column = indent;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
        const std::string_view word = text.substr(0, end);
        const bool line_ends = end < text.size() && text[end] == '\n';
        if (column > indent && column + 1 + word.size() > width) {
            result += '\n' + std::string(indent, ' ');
            column = indent;
        } else if (column > indent) {
            result += ' ';
            ++column;
        }
        result += word;
        column += word.size();
        if (line_ends) {
            result += '\n' + std::string(indent, ' ');
            column = indent;
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

}  // namespace

run_options parse_command_line(std::span<const char* const> arguments, parameter_set& parameters) {
    const po::parsed_options parsed = parse(arguments, parameters);
    for (const po::option& option : parsed.options) {
        if (option.string_key == "config") {
            parameters.load(option.value.front());
        }
    }
    run_options options;
    for (const po::option& option : parsed.options) {
        apply(option.string_key, option.value.empty() ? std::string() : option.value.front(), options,
              parameters);
    }
    return options;
}

std::string help_text(std::string_view scenario, std::string_view description,
                      const parameter_set& parameters) {
    constexpr std::size_t width = 100;
    std::string text = fmt::format("{}: {}\n\nusage: {} [options]\n\nOptions\n", scenario,
                                   wrapped(description, 0, width), scenario);
    for (const option_row& row : option_rows) {
        text += fmt::format("  {:32}{}\n", fmt::format("--{} {}", row.name, row.value),
                            wrapped(row.description, 34, width));
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
        const std::string what = fmt::format("{} ({}) [{}]", row.description, row.unit, row.fallback);
        text += fmt::format("  --{:29} {}\n", row.name, wrapped(what, 34, width));
    }
    return text;
}

}  // namespace pefsim::platform
