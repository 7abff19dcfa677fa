// SPDX-License-Identifier: Apache-2.0
//
// fuzz_guest: a hostile guest against rings, configuration space, BARs, hypercalls and ultracalls. See README.md. Exit
// status: 0 nothing found, 1 a case failed, 2 bad command line.
#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/fuzz/case_watch.h"
#include "tests/fuzz/fuzz_driver.h"
#include "tests/fuzz/hostile_machine.h"

namespace pefsim::fuzz {
namespace {

/// The options of this fuzzer alone.
struct guest_options {
    std::string begins = "both";
    std::uint64_t steps = 20'000;  // from each beginning
    std::uint64_t steps_of_case = 400;
    std::string corpus;
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
    const fuzz_options again{
        .program = fmt::format("fuzz_guest --begins {} --steps-of-case {}", to_name(what.begins), what.steps),
        .seed = what.seed,
        .only = what.number};
    guest_outcome outcome;
    std::uint64_t work = 0;
    const bool failed = fails(again.command(what.number), hang_seconds, [&] {
        outcome = play(what);
        complaints found = outcome.complaints;
        if (what.number % repeated_cases == 0 && !what.list && play(what).digest != outcome.digest) {
            found.emplace_back("played again, it comes to something else");
        }
        work = outcome.work / std::max<std::uint64_t>(outcome.steps, 100);
        if (work > most_work) {
            found.push_back(fmt::format("slow: {} units of work for a step", work));
        }
        return found;
    });
    sum.cases += 1;
    sum.failed += failed ? 1 : 0;
    sum.steps += outcome.steps;
    sum.requests += outcome.requests;
    sum.violations += outcome.violations;
    sum.ended_early += outcome.finished ? 0 : 1;
    sum.most_work = std::max(sum.most_work, work);
    return outcome.steps;
}

/// Lines "SEED BEGINNING STEPS CASE": what once failed, and cases that reach far.
void try_corpus(const std::string& file, totals& sum) {
    for (const std::string& line : lines_of(file)) {
        guest_case what;
        std::string begins;
        if (!(std::istringstream(line) >> what.seed >> begins >> what.steps >> what.number)) {
            throw std::invalid_argument(fmt::format("{}: '{}' is not SEED BEGINNING STEPS CASE", file, line));
        }
        what.begins = beginning_of(begins);
        try_case(what, sum);
    }
}

int run(const fuzz_options& how, const guest_options& own) {
    std::vector<beginning> beginnings{beginning::ordinary, beginning::secure};
    if (own.begins != "both") {
        beginnings = {beginning_of(own.begins)};
    }
    watch_for_crashes();
    totals sum;
    if (!own.corpus.empty()) {
        try_corpus(own.corpus, sum);
    }
    for (const beginning begins : beginnings) {
        guest_case what{.seed = how.seed, .begins = begins, .steps = own.steps_of_case, .list = {}};
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
        for (std::uint64_t done = 0; done < own.steps && sum.failed < most_failures; ++what.number) {
            done += std::max<std::uint64_t>(1, try_case(what, sum));
        }
    }
    fmt::print("{} cases of seed {}, {} steps, {:.0f} s of CPU: {} failed\n", sum.cases, how.seed, sum.steps,
               cpu_seconds(), sum.failed);
    fmt::print("{} requests taken by devices, {} events on record, {} guests ended before their time, at "
               "most {} units of work for a step of a case\n",
               sum.requests, sum.violations, sum.ended_early, sum.most_work);
    const bool blind = !how.only && (sum.requests < sum.steps / 20 || sum.ended_early > sum.cases * 4 / 5);
    if (blind) {
        fmt::print("hardly anything was reached\n");
    }
    return sum.failed == 0 && !blind ? 0 : 1;
}

}  // namespace
}  // namespace pefsim::fuzz

int main(int argc, char** argv) {
    using namespace pefsim::fuzz;  // NOLINT(google-build-using-namespace)
    namespace po = boost::program_options;
    guest_options own;
    fuzzer self{.name = "fuzz_guest", .usage = "fuzz_guest [OPTION...]", .list = "every step"};
    // clang-format off
    self.own.add_options()
        ("begins", po::value(&own.begins), "how guests begin: ordinary, secure or both (both)")
        ("steps", po::value(&own.steps), "from each beginning (20000)")
        ("steps-of-case", po::value(&own.steps_of_case), "of each CPU of a case (400)")
        ("corpus", po::value(&own.corpus), "cases of this file, first");
    // clang-format on
    self.run = [&own](const fuzz_options& how) { return run(how, own); };
    return main_of(argc, argv, self);
}
