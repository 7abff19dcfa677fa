// SPDX-License-Identifier: Apache-2.0
//
// trace_render TRACE: writes an instruction trace as text.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <charconv>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "output/help_text.h"
#include "output/terminal.h"
#include "output/version.h"
#include "power/debug/symbol_file.h"
#include "power/debug/trace_render.h"

namespace {

namespace options = boost::program_options;
namespace debug = pefsim::power::debug;

/// "1234" or "0x4d2".
std::uint64_t number(std::string_view text, std::string_view option) {
    const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    const std::string_view digits = hexadecimal ? text.substr(2) : text;
    std::uint64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value, hexadecimal ? 16 : 10);
    if (error != std::errc() || stop != end) {
        throw std::invalid_argument(
            fmt::format("--{} is '{}'; a number is needed, decimal or with 0x", option, text));
    }
    return value;
}

/// "FIRST:LAST"; either may be missing.
struct bounds {
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> last;
};
bounds bounds_of(const std::string& text, std::string_view option) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) {
        throw std::invalid_argument(fmt::format("--{} is '{}'; FIRST:LAST is needed", option, text));
    }
    const std::string_view first = std::string_view(text).substr(0, colon);
    const std::string_view last = std::string_view(text).substr(colon + 1);
    return {.first = first.empty() ? std::nullopt : std::optional(number(first, option)),
            .last = last.empty() ? std::nullopt : std::optional(number(last, option))};
}

debug::render_window window_of(const options::variables_map& given) {
    debug::render_window what;
    const auto bounds_given = [&](const char* option) {
        return given.count(option) == 0 ? bounds() : bounds_of(given[option].as<std::string>(), option);
    };
    const bounds where = bounds_given("addresses");
    what.window.where = {where.first.value_or(what.window.where.first),
                         where.last.value_or(what.window.where.last)};
    const bounds numbers = bounds_given("instructions");
    what.window.from = numbers.first.value_or(what.window.from);
    what.window.to = numbers.last.value_or(what.window.to);
    const bounds time = bounds_given("time");
    what.from_picoseconds = time.first.value_or(what.from_picoseconds);
    what.to_picoseconds = time.last.value_or(what.to_picoseconds);
    if (given.count("lines") != 0) {
        what.most_lines = number(given["lines"].as<std::string>(), "lines");
    }
    return what;
}

std::unique_ptr<debug::symbol_lookup> symbols_of(const options::variables_map& given) {
    const char* const option = given.count("symbols") != 0 ? "symbols" : "elf";
    if (given.count(option) == 0) {
        return std::make_unique<debug::no_symbols>();
    }
    auto symbols = debug::read_symbols(given[option].as<std::string>());
    if (given.count("load-offset") == 0) {
        return symbols;
    }
    const std::uint64_t offset = number(given["load-offset"].as<std::string>(), "load-offset");
    constexpr std::uint64_t everywhere = ~std::uint64_t{0};
    return std::make_unique<debug::moved_symbols>(
        std::move(symbols),
        std::vector{debug::moved_symbols::piece{.at = offset, .size = everywhere, .linked = 0}});
}

std::string help(const options::options_description& known) {
    const std::size_t columns = pefsim::output::columns_of(STDOUT_FILENO);
    std::string text = "trace_render: writes an instruction trace as text\n\nusage: trace_render TRACE "
                       "[options]\n\nOptions\n";
    for (const auto& each : known.options()) {
        const bool valued = each->semantic()->max_tokens() != 0;
        text += pefsim::output::option_row(fmt::format("--{}{}", each->long_name(), valued ? " VALUE" : ""),
                                           each->description(), columns);
    }
    return text;
}

int run(int argc, char** argv) {
    options::options_description known;
    known.add_options()("help,h", "show this text (-h, too)")("version", "show which pefsim this is")(
        "trace", options::value<std::string>(), "the trace; also without --trace")(
        "symbols", options::value<std::string>(), "program or kernel with symbols, or its System.map")(
        "elf", options::value<std::string>(), "the same")(
        "load-offset", options::value<std::string>(),
        "where it was loaded, minus where it says it stands, modulo 2^64; addresses where nothing is known "
        "then "
        "are looked for without")("addresses", options::value<std::string>(), "FIRST:LAST, of instructions")(
        "instructions", options::value<std::string>(), "FROM:TO, by their number; TO is not written")(
        "time", options::value<std::string>(), "FROM:TO in picoseconds; TO is not written")(
        "lines", options::value<std::string>(), "how many instructions to write at most");
    options::positional_options_description positions;
    positions.add("trace", 1);
    options::variables_map given;
    options::store(options::command_line_parser(argc, argv).options(known).positional(positions).run(),
                   given);
    if (given.count("help") != 0) {
        std::cout << help(known);
        return 0;
    }
    if (given.count("version") != 0) {
        std::cout << "trace_render (pefsim) " << pefsim::output::version() << '\n';
        return 0;
    }
    if (given.count("trace") == 0) {
        throw std::invalid_argument("no trace is named; try --help");
    }
    const debug::render_window what = window_of(given);
    debug::trace_reader trace(given["trace"].as<std::string>());
    debug::render(std::cout, trace, *symbols_of(given), what);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const int status = run(argc, argv);
        if (!std::cout.flush()) {
            std::cerr << "trace_render: standard output could not be written in full\n";
            return 1;
        }
        return status;
    } catch (const std::exception& problem) {
        std::cerr << "trace_render: " << problem.what() << '\n';
        return 2;
    }
}
