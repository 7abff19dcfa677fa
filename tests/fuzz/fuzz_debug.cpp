// SPDX-License-Identifier: Apache-2.0
//
// fuzz_debug: instruction traces and packets of gdb that nobody would make. See README.md. Exit status: 0 nothing found, 1 a case
// failed, 2 bad command line.
#include <fmt/format.h>

#include <array>
#include <boost/program_options.hpp>
#include <ctime>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "tests/fuzz/case_watch.h"
#include "tests/fuzz/debug_case.h"

namespace pefsim::fuzz {
namespace {

constexpr int hang_seconds = 20;  // of CPU time, for one case

struct player {
    std::string_view name;
    decltype(&play_trace) play;
};
constexpr std::array players{player{"trace", &play_trace}, player{"gdb", &play_gdb}};

struct options {
    std::string what;
    std::uint64_t seed = 1;
    std::optional<std::uint64_t> only;
    std::uint64_t cases = 1000;
    double seconds = 0;
};

std::vector<std::string> lines_of(std::string_view corpus) {
    const std::string path = fmt::format("{}/{}.txt", PEFSIM_FUZZ_CORPUS, corpus);
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && !line.starts_with('#')) {
            lines.push_back(line);
        }
    }
    if (lines.empty()) {
        throw std::invalid_argument(fmt::format("{}: cannot be read", path));
    }
    return lines;
}

bool fails(const player& one, const options& how, std::uint64_t number,
           const std::vector<std::string>& corpus, reached& so_far) {
    begin_case(fmt::format("fuzz_debug {} --seed {} --case {}", one.name, how.seed, number), hang_seconds);
    std::seed_seq seeds{how.seed, how.seed >> 32, number, number >> 32};
    random_bits random(seeds);
    std::optional<std::string> wrong;
    try {
        wrong = one.play(random, corpus, so_far);
    } catch (const std::exception& error) {
        wrong = fmt::format("thrown: {}", error.what());
    }
    if (wrong) {
        fmt::print("{}\n", *wrong);
        std::fflush(stdout);
        name_case();
    }
    return wrong.has_value();
}

int run(const player& one, const options& how) {
    const std::vector<std::string> corpus = lines_of(one.name);
    reached so_far;
    if (how.only) {
        return fails(one, how, *how.only, corpus, so_far) ? 1 : 0;
    }
    const auto spent = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
    std::uint64_t failures = 0;
    std::uint64_t number = 0;
    for (; failures < 20 && (how.seconds > 0 ? spent() < how.seconds : number < how.cases); ++number) {
        failures += fails(one, how, number, corpus, so_far) ? 1 : 0;
    }
    fmt::print("{}: {} cases of seed {}, {:.1f} s of CPU: {} failed; {} steps, {} answers, {} stops\n",
               one.name, number, how.seed, spent(), failures, so_far.steps, so_far.answers, so_far.stops);
    const bool blind = one.name == "trace" ? so_far.steps < number
                                           : so_far.answers < number || so_far.stops < number / 4;
    if (blind) {
        fmt::print("hardly anything was reached\n");
    }
    return failures == 0 && !blind ? 0 : 1;
}

int main_of(int argc, char** argv) {
    namespace po = boost::program_options;
    options how;
    std::uint64_t only = 0;
    po::options_description known("fuzz_debug trace|gdb [OPTION...]");
    // clang-format off
    known.add_options()
        ("help", "this text")
        ("what", po::value(&how.what)->required(), "trace or gdb; also without --what")
        ("seed", po::value(&how.seed), "of all cases (1)")
        ("case", po::value(&only), "only this one")
        ("cases", po::value(&how.cases), "so many, from 0 on (1000)")
        ("seconds", po::value(&how.seconds), "of CPU time, in place of a number of cases");
    // clang-format on
    po::positional_options_description positions;
    positions.add("what", 1);
    po::variables_map given;
    po::store(po::command_line_parser(argc, argv).options(known).positional(positions).run(), given);
    if (given.contains("help")) {
        std::cout << known;
        return 0;
    }
    po::notify(given);
    if (given.contains("case")) {
        how.only = only;
    }
    for (const player& each : players) {
        if (each.name == how.what) {
            watch_for_crashes();
            return run(each, how);
        }
    }
    throw std::invalid_argument(fmt::format("'{}' is neither trace nor gdb", how.what));
}

}  // namespace
}  // namespace pefsim::fuzz

int main(int argc, char** argv) {
    try {
        return pefsim::fuzz::main_of(argc, argv);
    } catch (const std::exception& e) {
        fmt::print(stderr, "fuzz_debug: {}\n", e.what());
        return 2;
    }
}
