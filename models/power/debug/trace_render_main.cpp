// SPDX-License-Identifier: Apache-2.0
//
// trace_render TRACE: writes an instruction trace as text.
#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <charconv>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "power/debug/elf_symbols.h"
#include "power/debug/trace_render.h"
#include "power/elf_image.h"

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

int run(int argc, char** argv) {
    options::options_description known("trace_render TRACE [option...]: writes an instruction trace as text");
    known.add_options()("help", "this text")("trace", options::value<std::string>(),
                                             "the trace; also without --trace")(
        "elf", options::value<std::string>(), "program or kernel whose symbols are used")(
        "load-offset", options::value<std::string>(), "where it was loaded, minus where it says it stands")(
        "addresses", options::value<std::string>(), "FIRST:LAST, of instructions")(
        "instructions", options::value<std::string>(), "FROM:TO, by their number; TO is not written")(
        "time", options::value<std::string>(), "FROM:TO in picoseconds; TO is not written")(
        "lines", options::value<std::string>(), "how many instructions to write at most");
    options::positional_options_description positions;
    positions.add("trace", 1);
    options::variables_map given;
    options::store(options::command_line_parser(argc, argv).options(known).positional(positions).run(),
                   given);
    if (given.count("help") != 0) {
        std::cout << known;
        return 0;
    }
    if (given.count("trace") == 0) {
        throw std::invalid_argument("no trace is named; try --help");
    }
    const debug::render_window what = window_of(given);
    debug::trace_reader trace(given["trace"].as<std::string>());
    if (given.count("elf") == 0) {
        debug::render(std::cout, trace, debug::no_symbols(), what);
        return 0;
    }
    const auto image = pefsim::power::elf_image::read(given["elf"].as<std::string>());
    const std::uint64_t offset = given.count("load-offset") == 0
                                     ? 0
                                     : number(given["load-offset"].as<std::string>(), "load-offset");
    debug::render(std::cout, trace, debug::elf_symbols(image, offset), what);
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
