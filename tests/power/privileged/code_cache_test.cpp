// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>

#include "power/engine/core.h"
#include "power/instructions/power9_decoder.h"
#include "tests/power/privileged/engine_bench.h"

/// Decoded code in great numbers.
namespace pefsim::testing {
namespace {

/// Storage without end that has the same small page everywhere: a branch to the next one.
struct endless_storage : power::translator, power::real_storage {
    alignas(power::small_page) std::array<std::byte, power::small_page> bytes{};

    endless_storage() {
        const std::uint32_t word = assemble("b", {power::small_page});
        std::memcpy(bytes.data(), &word, sizeof word);
    }
    power::translation translate(const power::registers& /*state*/, std::uint64_t ea,
                                 power::access_kind /*kind*/) override {
        return {.real = ea};
    }
    std::byte* direct(std::uint64_t /*real*/, power::access_kind /*kind*/) override { return bytes.data(); }
    outcome read(std::uint64_t /*real*/, std::span<std::byte> /*to*/, power::access_kind /*kind*/) override {
        return outcome::machine_check;
    }
    outcome write(std::uint64_t /*real*/, std::span<const std::byte> /*from*/) override {
        return outcome::machine_check;
    }
};

/// A guest that executes one word of every small page must not fill the host's memory with decoded code.
TEST(code_cache, is_dropped_when_it_is_full) {
    endless_storage storage;
    power::core core(power::isa::power9_decoder(), storage, storage);
    core.state.msr = power::msr_sf | power::msr_le;
    core.state.nip = 0;
    core.msr_changed();
    constexpr std::uint64_t small_pages = 20'000;
    while (core.instructions() < small_pages) {
        ASSERT_EQ(core.run(1000), power::exit_reason::paused);
    }
    EXPECT_EQ(core.state.nip, core.instructions() * power::small_page);
    EXPECT_EQ(core.state[power::spr::cfar], core.state.nip - power::small_page);
    EXPECT_EQ(core.counters().flushes, 1U);
    EXPECT_EQ(core.counters().decoded, core.instructions());
}

/// What was code and is overwritten is data: its stores become fast. It may become code again.
TEST(code_cache, code_becomes_data_and_code_again) {
    constexpr std::uint64_t place = 0x40'0000;
    constexpr int turns = 1000;
    engine_bench bench;
    power::registers& state = bench.core.state;
    bench.core.attention_leaves(true);
    const std::uint32_t call = assemble("bcctr", {20, 0, 0}) | 1;
    bench.memory.put(place, program()("addi", {7, 7, 1})("addi", {7, 7, 1})("bclr", {20, 0, 0}));
    program code;
    code("mtspr", {spr_number::ctr, 6}).word(call);
    code("addi", {10, 0, turns})("mtspr", {spr_number::ctr, 10});
    code("stw", {11, 0, 6})("stw", {11, 4, 6})("stw", {11, 8, 6})("bc", {16, 0, -12});
    code("stw", {4, 0, 6})("stw", {5, 4, 6});        // addi 100; blr
    code("mtspr", {spr_number::ctr, 6}).word(call);  // 2 + 100
    code("stw", {12, 0, 6}).word(call);              // 1000 more
    code("stw", {4, 0, 6}).word(call)("attn");       // 100 more
    bench.memory.put(engine_bench::code, code);
    state.gpr[4] = assemble("addi", {7, 7, 100});
    state.gpr[5] = assemble("bclr", {20, 0, 0});
    state.gpr[6] = place;
    state.gpr[12] = assemble("addi", {7, 7, 1000});
    ASSERT_EQ(bench.core.run(1'000'000), power::exit_reason::attention);
    EXPECT_EQ(state.gpr[7], 1202U);
    EXPECT_LE(bench.core.counters().slow_stores, 64U);
}

/// Code that changes itself again and again is not let go each time.
TEST(code_cache, code_that_is_changed_often_stays_code) {
    constexpr std::uint64_t place = 0x40'0000;
    engine_bench bench;
    power::registers& state = bench.core.state;
    bench.core.attention_leaves(true);
    bench.memory.put(place, program()("bclr", {20, 0, 0}));
    program code;
    code("mtspr", {spr_number::ctr, 6})("addi", {10, 0, 500});
    code("stw", {5, 0, 6}).word(assemble("bcctr", {20, 0, 0}) | 1);
    code("addic.", {10, 10, -1})("bc", {4, 2, -12})("attn");
    bench.memory.put(engine_bench::code, code);
    state.gpr[5] = assemble("bclr", {20, 0, 0});
    state.gpr[6] = place;
    ASSERT_EQ(bench.core.run(1'000'000), power::exit_reason::attention);
    EXPECT_EQ(bench.core.counters().code_stores, 499U);  // all but the first
    EXPECT_LE(bench.core.counters().decoded, 520U);
}

}  // namespace
}  // namespace pefsim::testing
