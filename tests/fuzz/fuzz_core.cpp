// SPDX-License-Identifier: Apache-2.0
//
// fuzz_core: random code, random state and a hostile world around the engine of the POWER9. See README.md. Exit status:
// 0 nothing found, 1 a case failed, 2 bad command line.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <span>
#include <string>

#include "tests/fuzz/fuzz_driver.h"
#include "tests/fuzz/play.h"

namespace pefsim::fuzz {
namespace {

constexpr int hang_seconds = 20;  // of CPU time, for one case

// --- Judging

/// What the engine may ask of its surroundings, on average of an instruction: the longest instructions move 32 words,
/// and every word of them may need a translation and a look at storage, twice when it is in two small pages.
constexpr std::uint64_t most_requests = 160;
/// CPU time of an instruction on average, whatever it is: some allocate pages of decoded code or empty TLBs.
constexpr std::uint64_t most_nanoseconds = 100'000;
/// Cases with fewer are dominated by what is done once.
constexpr std::uint64_t enough_instructions = 300;

/// What is compared with way::run.
constexpr auto others = std::span(ways).subspan(1);

struct totals {
    std::uint64_t instructions = 0;
    std::uint64_t translated = 0;  // of them in host code
    std::uint64_t chunks = 0;
    std::array<std::uint64_t, ways.size()> compared{};  // chunks
    double most_requests = 0;
    double most_nanoseconds = 0;
};

/// A run may go on to the end of a small page behind its budget, or to the next taken branch, and no further.
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

complaints judge(const fuzz_options& how, std::uint64_t number, totals& sum) {
    const fuzz_case what = make_case(how.seed, number);
    const record reference = play(what, way::run, nullptr);
    complaints found;
    if (reference.instructions >= enough_instructions) {
        const auto count = static_cast<double>(reference.instructions);
        const double requests = static_cast<double>(reference.requests) / count;
        const double nanoseconds = static_cast<double>(reference.nanoseconds) / count;
        sum.most_requests = std::max(sum.most_requests, requests);
        sum.most_nanoseconds = std::max(sum.most_nanoseconds, nanoseconds);
        if (requests > most_requests || nanoseconds > most_nanoseconds) {
            found.push_back(
                fmt::format("slow: {:.1f} requests and {:.0f} ns for an instruction", requests, nanoseconds));
        }
    }
    if (const auto too_far = overrun(what, reference)) {
        found.push_back(*too_far);
    }
    for (const way each : others) {
        if (!found.empty()) {
            break;
        }
        if (each == way::again && number % 4 != 0) {
            continue;
        }
        const std::size_t chunks = comparable(what, each, reference);
        const record other = play(what, each, &reference, how.list && each == way::step);
        if (const auto differs = difference(reference, other, chunks)) {
            found.push_back(fmt::format("{}: {}", name_of(each), *differs));
        }
        sum.compared[static_cast<std::size_t>(each)] += chunks;
        sum.translated += other.translated;
    }
    sum.instructions += reference.instructions;
    sum.chunks += reference.chunks.size();
    return found;
}

int run(const fuzz_options& how) {
    totals sum;
    const case_count count = play_cases(how, hang_seconds,
                                        [&](std::uint64_t number) { return judge(how, number, sum); });
    if (how.only) {
        return count.failed == 0 ? 0 : 1;
    }
    fmt::print("{} cases of seed {}, {} instructions, {:.0f} s of CPU: {} failed\n", count.played, how.seed,
               sum.instructions, cpu_seconds(), count.failed);
    fmt::print("{} runs; compared:", sum.chunks);
    for (const way each : others) {
        fmt::print(" {} {}", sum.compared[static_cast<std::size_t>(each)], name_of(each));
    }
    fmt::print("\n{} instructions executed in host code\nat most {:.1f} requests and {:.0f} ns for an "
               "instruction of a case\n",
               sum.translated, sum.most_requests, sum.most_nanoseconds);
    const bool blind = std::ranges::any_of(
        std::array{way::forgetful, way::translated, way::watched, way::observed, way::step},
        [&](way each) { return sum.compared[static_cast<std::size_t>(each)] < sum.chunks / 4; });
    if (blind) {
        fmt::print("hardly anything was compared\n");
    }
    return count.failed == 0 && !blind ? 0 : 1;
}

}  // namespace
}  // namespace pefsim::fuzz

int main(int argc, char** argv) {
    using namespace pefsim::fuzz;  // NOLINT(google-build-using-namespace)
    return main_of(argc, argv,
                   {.name = "fuzz_core",
                    .usage = "fuzz_core [OPTION...]",
                    .cases = 300,
                    .list = "every instruction, as it is stepped",
                    .run = &run});
}
