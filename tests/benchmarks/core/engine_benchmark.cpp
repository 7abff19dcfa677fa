// SPDX-License-Identifier: Apache-2.0
//
// engine_benchmark [TURNS]: what a kernel does all the time and a program cannot, on the engine with radix translation:
// changes of AMR and PIDR with accesses between them, stores to what was code. Prints nanoseconds of CPU time, the
// least of five.
#include <algorithm>
#include <cstdint>
#include <ctime>
#include <exception>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "tests/power/privileged/radix_bench.h"

namespace {

using namespace pefsim::testing;         // NOLINT(google-build-using-namespace): a program, not a library
using namespace pefsim::testing::radix;  // NOLINT(google-build-using-namespace)

std::uint64_t turns = 200'000;     // of a loop
constexpr std::int64_t pages = 4;  // of 64 KiB, that are accessed between two changes

/// A kernel and two processes with some pages of data each.
struct bench : relocated_bench {
    bench() {
        const std::uint64_t other = make_process(2, 52, 13);
        for (std::uint64_t n = 0; n < pages; ++n) {
            const std::uint64_t ea = data + (n << 16);
            map(user_root, 52, linux_64k, ea, valid | leaf | (0x80'0000 + (n << 16)) | r | rw);
            map(other, 52, linux_64k, ea, valid | leaf | (0xa0'0000 + (n << 16)) | r | rw);
        }
        core.attention_leaves(true);
        core.state.gpr[3] = data;
        core.state.gpr[4] = 0x1'0000;
        core.state.gpr[9] = kernel_base | 0xc0'0000;
        memory.put((ail + 0x300) & 0xff'ffff, program()("b", {0}));
    }
    static double seconds() {
        timespec now{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
    }
    /// Nanoseconds of a turn of the loop around `body`.
    double turn(const program& body) {
        program loop;
        loop("mtspr", {spr_number::ctr, 10});
        for (const std::uint32_t word : body.words()) {
            loop.word(word);
        }
        loop("bc", {16, 0, -4 * static_cast<std::int64_t>(body.words().size())})("attn");
        memory.put(kernel_code & 0xff'ffff, loop);
        core.forget_real(kernel_code & 0xff'ffff);
        double least = 1e9;
        for (int again = 0; again < 5; ++again) {
            core.state.gpr[10] = turns;
            core.state.nip = kernel_code;
            const double before = seconds();
            if (core.run(std::int64_t{1} << 40) != pefsim::power::exit_reason::attention) {
                throw std::runtime_error("the loop does not end");
            }
            least = std::min(least, seconds() - before);
        }
        return least / static_cast<double>(turns) * 1e9;
    }
};

/// Loads and stores, in pages of the process and of the kernel.
void add_accesses(program& to, bool of_process) {
    to("addi", {11, 3, 0});
    for (std::int64_t n = 0; n < pages; ++n) {
        if (of_process) {
            to("ld", {7, 0x1000 * (n % 3), 11})("std", {7, 64, 11});
        }
        to("add", {11, 11, 4});
        to("ld", {8, 0x1000 * n, 9})("std", {8, 0x1000 * n + 8, 9});
    }
}

nlohmann::ordered_json measure() {
    nlohmann::ordered_json row;
    const auto around = [](int number, bool changes, bool of_process_in_both) {
        program body;
        body("mtspr", {number, changes ? 5 : 6});
        add_accesses(body, true);
        body("mtspr", {number, 6});
        add_accesses(body, of_process_in_both);
        return body;
    };
    {
        bench b;
        b.core.state.gpr[5] = 0;
        b.core.state.gpr[6] = 0;
        program accesses;
        add_accesses(accesses, true);
        add_accesses(accesses, true);
        const double nothing = b.turn(accesses);
        row["accesses"] = nothing;
        row["amr_equal"] = b.turn(around(spr_number::amr, true, true)) - nothing;
        b.core.state.gpr[6] = 1;
        row["pidr_equal"] = b.turn(around(spr_number::pidr, false, true)) - nothing;
        b.core.state.gpr[5] = 2;
        row["pidr_pair"] = b.turn(around(spr_number::pidr, true, true)) - nothing;
    }
    {
        bench b;
        program accesses;
        add_accesses(accesses, true);
        add_accesses(accesses, false);
        const double nothing = b.turn(accesses);
        b.core.state.gpr[5] = 0;
        b.core.state.gpr[6] = std::uint64_t{3} << 62;
        row["amr_pair"] = b.turn(around(spr_number::amr, true, false)) - nothing;
    }
    {
        bench b;
        constexpr std::uint64_t place = 0xb0'0000;
        b.memory.put(place, program()("bclr", {20, 0, 0}));
        b.core.state.gpr[6] = kernel_base | place;
        b.core.state.gpr[12] = 0;
        program call;
        call("mtspr", {spr_number::ctr, 6}).word(assemble("bcctr", {20, 0, 0}) | 1)("attn");
        b.memory.put(bench::kernel_code & 0xff'ffff, call);
        b.core.forget_real(bench::kernel_code & 0xff'ffff);
        b.core.state.nip = bench::kernel_code;
        b.core.run(1000);
        row["store_to_former_code"] = b.turn(program()("std", {12, 0, 6}));
        b.core.state.gpr[6] += 0x1000;
        row["store"] = b.turn(program()("std", {12, 0, 6}));
    }
    return row;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc == 2) {
            turns = std::stoull(argv[1]);
        }
        fmt::print("{}\n", measure().dump());
        return 0;
    } catch (const std::exception& wrong) {
        fmt::print(stderr, "engine_benchmark: {}\n", wrong.what());
        return 1;
    }
}
