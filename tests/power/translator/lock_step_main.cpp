// SPDX-License-Identifier: Apache-2.0
//
// lock_step KERNEL RUN_LENGTH [INSTRUCTIONS [THRESHOLD INTERVAL]]: a kernel of tests/benchmarks/core on two cores, one
// of which translates; compares all registers at the end of every run, and memory at the end.
// lock_step KERNEL --speed: instructions a second of CPU time, interpreted and translated, in runs of 40,000.
#include <ctime>
#include <exception>
#include <fmt/format.h>
#include <string>

#include "tests/power/translator/lock_step.h"

namespace {

using namespace pefsim;           // NOLINT(google-build-using-namespace): a program, not a library
using namespace pefsim::testing;  // NOLINT(google-build-using-namespace)

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void print_counters(flat_machine& machine) {
    const power::translator_counters c = machine.translator()->counters();
    const auto& run = c.running;
    fmt::print(
        "regions {} of {} instructions, {} bytes, {:.0f} us; forgotten {}; entries {}; executed there {} of "
        "{}; "
        "refills {}; slow accesses {}; handlers {}; left {}, budget {}, to interpreted {}, to unknown {}, "
        "interrupted {}\n",
        c.regions, c.translated, c.bytes, 1e6 * c.seconds, c.forgotten, run.entries, run.instructions,
        machine.core().instructions(), run.refills, run.slow_accesses, run.handler_calls,
        run.left_to_interpreter, run.budget_used_up, run.to_interpreted, run.to_unknown, run.interrupted);
}

void measure(const power::elf_image& image, bool translates) {
    power::region_translator::options how;
    how.perf_name = [&image](std::uint64_t ea) {
        const auto found = image.find(ea);
        return found ? fmt::format("{}+{:x}", found->of->name, found->offset) : fmt::format("{:x}", ea);
    };
    flat_machine machine(translates ? std::optional(how) : std::nullopt);
    machine.load(image);
    const double before = cpu_seconds();
    while (machine.run(40000)) {
    }
    const double seconds = cpu_seconds() - before;
    fmt::print("{:12} {:5.0f} million instructions a second\n", translates ? "translated" : "interpreted",
               static_cast<double>(machine.core().instructions()) / seconds / 1e6);
    if (translates) {
        print_counters(machine);
    }
}

int compare(const power::elf_image& image, int argc, char** argv) {
    power::region_translator::options how;
    const auto number = [&](int n, std::uint64_t otherwise) {
        return n < argc ? std::stoull(argv[n]) : otherwise;
    };
    how.threshold = static_cast<unsigned>(number(4, how.threshold));
    how.interval = static_cast<std::int64_t>(number(5, 4000));
    flat_machine interpreted(std::nullopt);
    flat_machine translated(how);
    interpreted.load(image);
    translated.load(image);
    const auto difference = lock_step(interpreted, translated, static_cast<std::int64_t>(number(2, 40000)),
                                      number(3, ~std::uint64_t{0}));
    print_counters(translated);
    if (difference) {
        fmt::print("{}\n", *difference);
        return 1;
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc < 3) {
            fmt::print(stderr,
                       "usage: lock_step KERNEL RUN_LENGTH|--speed [INSTRUCTIONS [THRESHOLD INTERVAL]]\n");
            return 2;
        }
        const power::elf_image image = power::elf_image::read(argv[1]);
        if (std::string(argv[2]) == "--speed") {
            measure(image, false);
            measure(image, true);
            return 0;
        }
        return compare(image, argc, argv);
    } catch (const std::exception& wrong) {
        fmt::print(stderr, "lock_step: {}\n", wrong.what());
        return 2;
    }
}
