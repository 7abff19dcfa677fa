// SPDX-License-Identifier: Apache-2.0
//
// fuzz_translator [--cases N] [--seed S] [--seconds T] [--shrink] [--dies]: random programs on two cores, one of which
// translates, which must not be noticed. Program number n of seed S is program 0 of seed S + n. Every program runs in
// four ways (translator_fuzz.h). The first that fails is printed, and with --shrink as little of it as fails in the
// same way. --dies: each is first run in a process of its own, for one that ends the process.
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/power/translator/translator_fuzz.h"

namespace {

using namespace pefsim::testing;  // NOLINT(google-build-using-namespace): a program, not a library

/// Of CPU time, for a program; what takes longer has lost its way on the host.
constexpr time_t longest_seconds = 30;

/// SIGPROF comes then; 0: not any more.
void limit_cpu_time(time_t seconds) {
    const itimerval limit{.it_interval = {}, .it_value = {.tv_sec = seconds, .tv_usec = 0}};
    setitimer(ITIMER_PROF, &limit, nullptr);
}

/// What is being run, for who dies of it.
volatile std::uint64_t current_seed = 0;
volatile unsigned current_setting = 0;

extern "C" void on_death(int signal_number) {
    std::array<char, 128> text{};
    const auto end = fmt::format_to_n(text.data(), text.size(), "signal {} at seed {}, setting {}\n",
                                      signal_number, std::uint64_t{current_seed}, unsigned{current_setting});
    [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), end.size);
    std::signal(signal_number, SIG_DFL);
    std::raise(signal_number);
}

/// True when the program fails in a process of its own: by a difference, or by the death of that process.
bool fails(const random_program& program, const fuzz_setting& how) {
    const pid_t child = fork();
    if (child == 0) {
        for (const int each : {SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGABRT, SIGPROF}) {
            std::signal(each, SIG_DFL);
        }
        limit_cpu_time(longest_seconds);
        fuzz_bench bench;
        _exit(bench.run(program, how) ? 1 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

void report(const random_program& program, const fuzz_setting& how, bool shrinks) {
    fmt::print("seed {}, {}\n{}", program.seed, how.text(), listing(program));
    if (!shrinks) {
        return;
    }
    fuzz_setting simpler = how;
    simpler.disturbs = false;
    const fuzz_setting& least = fails(program, simpler) ? simpler : how;
    const random_program smaller = shrunk(
        program, [&least](const random_program& each) { return fails(each, least); });
    fmt::print("--- as little of it as fails, with {}:\n{}", least.text(), listing(smaller));
    std::fflush(stdout);
    fuzz_bench bench;
    fmt::print("{}\n", bench.run(smaller, least).value_or("(it fails no more)"));
}

struct arguments {
    std::uint64_t cases = 1000;
    std::uint64_t seed = 1;
    double seconds = 0;
    bool shrinks = false;
    bool dies = false;  ///< the one program is known to end the process
};

std::uint64_t number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (wrong != std::errc() || end != text.data() + text.size()) {
        throw std::invalid_argument(fmt::format("{}: not a number", text));
    }
    return value;
}

arguments parse(int argc, char** argv) {
    arguments given;
    for (int n = 1; n < argc; ++n) {
        const std::string_view word = argv[n];
        if (word == "--shrink") {
            given.shrinks = true;
        } else if (word == "--dies") {
            given.dies = true;
        } else if (n + 1 < argc && word == "--cases") {
            given.cases = number(argv[++n]);
        } else if (n + 1 < argc && word == "--seed") {
            given.seed = number(argv[++n]);
        } else if (n + 1 < argc && word == "--seconds") {
            given.seconds = static_cast<double>(number(argv[++n]));
        } else {
            throw std::invalid_argument(fmt::format("{}: unknown", word));
        }
    }
    return given;
}

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

int fuzz(const arguments& given) {
    fuzz_bench bench;
    std::uint64_t done = 0;
    for (; given.seconds == 0 ? done < given.cases : cpu_seconds() < given.seconds; ++done) {
        const random_program program(given.seed + done);
        const auto settings = settings_of(program.seed);
        for (unsigned n = 0; n < settings.size(); ++n) {
            current_seed = program.seed;
            current_setting = n;
            limit_cpu_time(longest_seconds);
            if (given.dies && fails(program, settings[n])) {
                report(program, settings[n], given.shrinks);
                return 1;
            }
            if (const auto difference = bench.run(program, settings[n])) {
                limit_cpu_time(0);
                fmt::print("{}\n", *difference);
                report(program, settings[n], given.shrinks);
                return 1;
            }
        }
    }
    fmt::print("{} programs, {} million instructions, {:.0f}% of them in translated code\n", done,
               bench.instructions() / 1'000'000,
               100.0 * static_cast<double>(bench.translated()) / static_cast<double>(bench.instructions()));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const arguments given = parse(argc, argv);
        for (const int each : {SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGABRT, SIGPROF}) {
            std::signal(each, on_death);
        }
        return fuzz(given);
    } catch (const std::exception& wrong) {
        fmt::print(stderr, "fuzz_translator: {}\n", wrong.what());
        return 2;
    }
}
