// SPDX-License-Identifier: Apache-2.0
//
// fuzz_guest: a hostile guest against rings, configuration space, BARs, hypercalls and ultracalls. See README.md. Exit status:
// 0 nothing found, 1 a case failed, 2 bad command line.
#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/fuzz/case_watch.h"
#include "tests/fuzz/hostile_machine.h"

namespace pefsim::fuzz {
namespace {

struct options {
    std::uint64_t seed = 1;
    std::optional<std::uint64_t> only;
    std::vector<beginning> begins{beginning::ordinary, beginning::secure};
    std::uint64_t steps = 20'000;  // from each beginning
    std::uint64_t steps_of_case = 400;
    std::string corpus;
    bool list = false;
};

constexpr int hang_seconds = 120;  // of CPU time, for one case
/// Work for a step on average of a case; a queue of 256 chains of 40 buffers, taken once, is some 10,000.
constexpr std::uint64_t most_work = 2000;
/// One case in so many is played twice and must come to the same.
constexpr std::uint64_t repeated_cases = 16;

constexpr std::string_view to_name(beginning begins) {
    return begins == beginning::secure ? "secure" : "ordinary";
}
beginning beginning_of(std::string_view name) {
    if (name != "secure" && name != "ordinary") {
        throw std::invalid_argument(fmt::format("'{}' is neither ordinary nor secure", name));
    }
    return name == "secure" ? beginning::secure : beginning::ordinary;
}

struct totals {
    std::uint64_t cases = 0;
    std::uint64_t failed = 0;
    std::uint64_t steps = 0;
    std::uint64_t requests = 0;
    std::uint64_t violations = 0;
    std::uint64_t ended_early = 0;
    std::uint64_t most_work = 0;  // for a step
};

/// \returns the steps that were taken
std::uint64_t try_case(const guest_case& what, totals& sum) {
    begin_case(fmt::format("fuzz_guest --seed {} --begins {} --steps-of-case {} --case {}", what.seed,
                           to_name(what.begins), what.steps, what.number),
               hang_seconds);
    guest_outcome outcome = play(what);
    if (what.number % repeated_cases == 0 && !what.list) {
        if (const guest_outcome again = play(what); again.digest != outcome.digest) {
            outcome.complaints.emplace_back("played again, it comes to something else");
        }
    }
    const std::uint64_t work = outcome.work / std::max<std::uint64_t>(outcome.steps, 100);
    if (work > most_work) {
        outcome.complaints.push_back(fmt::format("slow: {} units of work for a step", work));
    }
    for (const std::string& each : outcome.complaints) {
        fmt::print("{}\n", each);
    }
    if (!outcome.complaints.empty()) {
        std::fflush(stdout);
        name_case();
    }
    sum.cases += 1;
    sum.failed += outcome.complaints.empty() ? 0 : 1;
    sum.steps += outcome.steps;
    sum.requests += outcome.requests;
    sum.violations += outcome.violations;
    sum.ended_early += outcome.finished ? 0 : 1;
    sum.most_work = std::max(sum.most_work, work);
    return outcome.steps;
}

/// Lines "SEED BEGINNING STEPS CASE": what once failed, and cases that reach far.
void try_corpus(const std::string& file, totals& sum) {
    std::ifstream lines(file);
    if (!lines) {
        throw std::invalid_argument(fmt::format("{}: cannot be read", file));
    }
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() == '#') {
            continue;
        }
        guest_case what;
        std::string begins;
        if (!(std::istringstream(line) >> what.seed >> begins >> what.steps >> what.number)) {
            throw std::invalid_argument(fmt::format("{}: '{}' is not SEED BEGINNING STEPS CASE", file, line));
        }
        what.begins = beginning_of(begins);
        try_case(what, sum);
    }
}

int run(const options& how) {
    watch_for_crashes();
    totals sum;
    if (!how.corpus.empty()) {
        try_corpus(how.corpus, sum);
    }
    for (const beginning begins : how.begins) {
        guest_case what{.seed = how.seed, .begins = begins, .steps = how.steps_of_case, .list = {}};
        if (how.list) {
            what.list = [](unsigned cpu, std::string_view step) {
                fmt::print("{} cpu{} {}\n", sc_core::sc_time_stamp().to_string(), cpu, step);
            };
        }
        if (how.only) {
            what.number = *how.only;
            try_case(what, sum);
            continue;
        }
        for (std::uint64_t done = 0; done < how.steps && sum.failed < 20; ++what.number) {
            done += std::max<std::uint64_t>(1, try_case(what, sum));
        }
    }
    fmt::print("{} cases of seed {}, {} steps, {:.0f} s of CPU: {} failed\n", sum.cases, how.seed, sum.steps,
               static_cast<double>(std::clock()) / CLOCKS_PER_SEC, sum.failed);
    fmt::print("{} requests taken by devices, {} events on record, {} guests ended before their time, at "
               "most {} units "
               "of work for a step of a case\n",
               sum.requests, sum.violations, sum.ended_early, sum.most_work);
    const bool blind = !how.only && (sum.requests < sum.steps / 20 || sum.ended_early > sum.cases * 4 / 5);
    if (blind) {
        fmt::print("hardly anything was reached\n");
    }
    return sum.failed == 0 && !blind ? 0 : 1;
}

int main_of(int argc, char** argv) {
    namespace po = boost::program_options;
    options how;
    std::uint64_t only = 0;
    std::string begins = "both";
    po::options_description known("fuzz_guest [OPTION...]");
    // clang-format off
    known.add_options()
        ("help", "this text")
        ("seed", po::value(&how.seed), "of all cases (1)")
        ("begins", po::value(&begins), "how guests begin: ordinary, secure or both (both)")
        ("steps", po::value(&how.steps), "from each beginning (20000)")
        ("steps-of-case", po::value(&how.steps_of_case), "of each CPU of a case (400)")
        ("case", po::value(&only), "only this one")
        ("corpus", po::value(&how.corpus), "cases of this file, first")
        ("list", "every step");
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
    if (begins != "both") {
        how.begins = {beginning_of(begins)};
    }
    return run(how);
}

}  // namespace
}  // namespace pefsim::fuzz

int main(int argc, char** argv) {
    try {
        return pefsim::fuzz::main_of(argc, argv);
    } catch (const std::exception& e) {
        fmt::print(stderr, "fuzz_guest: {}\n", e.what());
        return 2;
    }
}
