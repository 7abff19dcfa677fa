// SPDX-License-Identifier: Apache-2.0
//
// fuzz_core: random code, random state and a hostile world around the engine of the POWER9. See README.md. Exit status: 0
// nothing found, 1 a case failed, 2 bad command line.
#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>
#include <iostream>
#include <optional>
#include <string>

#include "tests/fuzz/case_watch.h"
#include "tests/fuzz/play.h"

namespace pefsim::fuzz {
namespace {

struct options {
    std::uint64_t seed = 1;
    std::optional<std::uint64_t> only;
    std::uint64_t cases = 300;
    double seconds = 0;
    bool list = false;
};

constexpr int hang_seconds = 20;  // of CPU time, for one case

// --- Judging

/// What the engine may ask of its surroundings, on average of an instruction: the longest instructions move 32 words, and
/// every word of them may need a translation and a look at storage, twice when it is in two granules.
constexpr std::uint64_t most_requests = 160;
/// CPU time of an instruction on average, whatever it is: some allocate pages of decoded code or empty TLBs.
constexpr std::uint64_t most_nanoseconds = 100'000;
/// Cases with fewer are dominated by what is done once.
constexpr std::uint64_t enough_instructions = 300;

struct totals {
    std::uint64_t cases = 0;
    std::uint64_t instructions = 0;
    std::uint64_t chunks = 0;
    std::array<std::uint64_t, ways.size()> compared{};  // chunks
    double most_requests = 0;
    double most_nanoseconds = 0;
};

/// A run may go on to the end of a granule behind its budget, or to the next taken branch, and no further.
std::optional<std::string> overrun(const fuzz_case& what, const record& reference) {
    constexpr std::uint64_t words_of_granule = 1024;
    std::uint64_t before = 0;
    for (std::size_t i = 0; i < reference.chunks.size(); ++i) {
        const std::uint64_t now = reference.chunks[i].instructions;
        const auto budget = static_cast<std::uint64_t>(what.chunks[i].budget);
        if (now - before > budget + words_of_granule) {
            return fmt::format("chunk {}: {} instructions of {}", i, static_cast<std::int64_t>(now - before),
                               budget);
        }
        before = now;
    }
    return {};
}

bool fails(const options& how, std::uint64_t number, totals& sum) {
    begin_case(fmt::format("fuzz_core --seed {} --case {}", how.seed, number), hang_seconds);
    const fuzz_case what = make_case(how.seed, number);
    const record reference = play(what, way::run, nullptr);
    bool failed = false;
    const auto complain = [&](const std::string& text) {
        fmt::print("{}\n", text);
        failed = true;
    };
    if (reference.instructions >= enough_instructions) {
        const auto count = static_cast<double>(reference.instructions);
        const double requests = static_cast<double>(reference.requests) / count;
        const double nanoseconds = static_cast<double>(reference.nanoseconds) / count;
        sum.most_requests = std::max(sum.most_requests, requests);
        sum.most_nanoseconds = std::max(sum.most_nanoseconds, nanoseconds);
        if (requests > most_requests || nanoseconds > most_nanoseconds) {
            complain(
                fmt::format("slow: {:.1f} requests and {:.0f} ns for an instruction", requests, nanoseconds));
        }
    }
    if (const auto found = overrun(what, reference)) {
        complain(*found);
    }
    for (const way each : {way::again, way::forgetful, way::watched, way::observed, way::step}) {
        if (failed) {
            break;
        }
        if (each == way::again && number % 4 != 0) {
            continue;
        }
        const std::size_t chunks = comparable(what, each, reference);
        const record other = play(what, each, &reference, how.list && each == way::step);
        if (const auto found = difference(reference, other, chunks)) {
            complain(fmt::format("{}: {}", name_of(each), *found));
        }
        sum.compared[static_cast<std::size_t>(each)] += chunks;
    }
    sum.cases += 1;
    sum.instructions += reference.instructions;
    sum.chunks += reference.chunks.size();
    if (failed) {
        std::fflush(stdout);
        name_case();
    }
    return failed;
}

int run(const options& how) {
    watch_for_crashes();
    totals sum;
    if (how.only) {
        return fails(how, *how.only, sum) ? 1 : 0;
    }
    const auto spent = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
    std::uint64_t failures = 0;
    for (std::uint64_t number = 0; how.seconds > 0 ? spent() < how.seconds : number < how.cases; ++number) {
        failures += fails(how, number, sum) ? 1 : 0;
        if (failures == 20) {
            break;
        }
    }
    fmt::print("{} cases of seed {}, {} instructions, {:.0f} s of CPU: {} failed\n", sum.cases, how.seed,
               sum.instructions, spent(), failures);
    fmt::print("{} runs; compared:", sum.chunks);
    for (const way each : {way::again, way::forgetful, way::watched, way::observed, way::step}) {
        fmt::print(" {} {}", sum.compared[static_cast<std::size_t>(each)], name_of(each));
    }
    fmt::print("\nat most {:.1f} requests and {:.0f} ns for an instruction of a case\n", sum.most_requests,
               sum.most_nanoseconds);
    const bool blind = std::ranges::any_of(
        std::array{way::forgetful, way::watched, way::observed, way::step},
        [&](way each) { return sum.compared[static_cast<std::size_t>(each)] < sum.chunks / 4; });
    if (blind) {
        fmt::print("hardly anything was compared\n");
    }
    return failures == 0 && !blind ? 0 : 1;
}

int main_of(int argc, char** argv) {
    namespace po = boost::program_options;
    options how;
    std::uint64_t only = 0;
    po::options_description known("fuzz_core [OPTION...]");
    // clang-format off
    known.add_options()
        ("help", "this text")
        ("seed", po::value(&how.seed), "of all cases (1)")
        ("case", po::value(&only), "only this one")
        ("cases", po::value(&how.cases), "so many, from 0 on (300)")
        ("seconds", po::value(&how.seconds), "of CPU time, in place of a number of cases")
        ("list", "every instruction, as it is stepped");
    // clang-format on
    po::variables_map given;
    po::store(po::parse_command_line(argc, argv, known), given);
    if (given.contains("help")) {
        std::cout << known;
        return 0;
    }
    po::notify(given);
    how.list = given.contains("list");
    if (given.contains("case")) {
        how.only = only;
    }
    return run(how);
}

}  // namespace
}  // namespace pefsim::fuzz

int main(int argc, char** argv) {
    try {
        return pefsim::fuzz::main_of(argc, argv);
    } catch (const std::exception& e) {
        fmt::print(stderr, "fuzz_core: {}\n", e.what());
        return 2;
    }
}
