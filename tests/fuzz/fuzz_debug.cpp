// SPDX-License-Identifier: Apache-2.0
//
// fuzz_debug: instruction traces and packets of gdb that nobody would make. See README.md. Exit status: 0 nothing
// found, 1 a case failed, 2 bad command line.
#include <fmt/format.h>

#include <array>
#include <stdexcept>

#include "tests/fuzz/debug_case.h"
#include "tests/fuzz/fuzz_driver.h"

namespace pefsim::fuzz {
namespace {

constexpr int hang_seconds = 20;  // of CPU time, for one case

struct player {
    std::string_view name;
    decltype(&play_trace) play;
};
constexpr std::array players{player{"trace", &play_trace}, player{"gdb", &play_gdb}};

int run(const player& one, fuzz_options how) {
    how.program += fmt::format(" {}", one.name);
    const std::vector<std::string> lines = lines_of(corpus(fmt::format("{}.txt", one.name)));
    reached so_far;
    const case_count count = play_cases(how, hang_seconds, [&](std::uint64_t number) -> complaints {
        std::seed_seq seeds{how.seed, how.seed >> 32, number, number >> 32};
        random_bits random(seeds);
        const std::optional<std::string> wrong = one.play(random, lines, so_far);
        return wrong ? complaints{*wrong} : complaints{};
    });
    if (how.only) {
        return count.failed == 0 ? 0 : 1;
    }
    fmt::print("{}: {} cases of seed {}, {:.1f} s of CPU: {} failed; {} steps, {} answers, {} stops\n",
               one.name, count.played, how.seed, cpu_seconds(), count.failed, so_far.steps, so_far.answers,
               so_far.stops);
    const bool blind = one.name == "trace" ? so_far.steps < count.played
                                           : so_far.answers < count.played || so_far.stops < count.played / 4;
    if (blind) {
        fmt::print("hardly anything was reached\n");
    }
    return count.failed == 0 && !blind ? 0 : 1;
}

const player& player_of(std::string_view name) {
    for (const player& each : players) {
        if (each.name == name) {
            return each;
        }
    }
    throw std::invalid_argument(fmt::format("'{}' is neither trace nor gdb", name));
}

}  // namespace
}  // namespace pefsim::fuzz

int main(int argc, char** argv) {
    using namespace pefsim::fuzz;  // NOLINT(google-build-using-namespace)
    std::string what;
    fuzzer self{.name = "fuzz_debug", .usage = "fuzz_debug trace|gdb [OPTION...]", .cases = 1000};
    self.own.add_options()("what", boost::program_options::value(&what)->required(),
                           "trace or gdb; also without --what");
    self.positional = "what";
    self.run = [&what](const fuzz_options& how) { return run(player_of(what), how); };
    return main_of(argc, argv, self);
}
