// SPDX-License-Identifier: Apache-2.0
#include "tests/power/privileged/engine_bench.h"

/// Time base, decrementer and the interrupts that wait for MSR[EE].
namespace pefsim::testing {
namespace {

using namespace power;
using power::vector;

struct timed_bench : engine_bench {
    test_clock clock;
    timed_bench() {
        core.use(clock);
        clock.base = 1'000'000;
        core.dec.set(1 << 20, clock.base, core.decrementer_width());
    }
    [[nodiscard]] std::uint64_t taken(vector which) const {
        return core.interrupts_taken()[power::row_of(which)];
    }
};

TEST(timers, the_time_base_is_exact_at_each_instruction) {
    timed_bench bench;
    bench.clock.ticks_per_instruction = 10;
    bench.execute(program()("mfspr", {4, 268})("mfspr", {5, 268})("mftb", {6, 268})("mfspr", {7, 269}));
    EXPECT_EQ(bench.core.state.gpr[4], 1'000'000U);
    EXPECT_EQ(bench.core.state.gpr[5], 1'000'010U);
    EXPECT_EQ(bench.core.state.gpr[6], 1'000'020U);
    EXPECT_EQ(bench.core.state.gpr[7], 0U);
    bench.core.state.nip = engine_bench::code;
    bench.core.run(4);  // not one by one
    EXPECT_EQ(bench.core.state.gpr[4], 1'000'040U);
    EXPECT_EQ(bench.core.state.gpr[6], 1'000'060U);
}

TEST(timers, decrementer_reads_and_writes) {
    struct {
        bool large;
        std::uint64_t written;
        std::uint64_t later;  ///< ticks
        std::uint64_t read;
        bool expired;
    } const rows[] = {
        {true, 100, 0, 100, false},
        {true, 100, 100, 0, false},
        {true, 100, 101, ~std::uint64_t{0}, true},
        {true, 0x007f'ffff'ffff'ffff, 1, 0x007f'ffff'ffff'fffe, false},
        {true, 0x0080'0000'0000'0000, 0, 0xff80'0000'0000'0000, true},
        {true, 0xffff'ffff, 0, 0xffff'ffff, false},
        {false, 100, 101, 0xffff'ffff, true},
        {false, 0x7fff'ffff, 0, 0x7fff'ffff, false},
        {false, 0xffff'ffff, 0, 0xffff'ffff, true},
        {false, 0x1'0000'0005, 0, 5, false},
        {false, 0x8000'0000, 1, 0x7fff'ffff, false},  // it has ceased to be negative
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.written);
        timed_bench bench;
        if (!row.large) {
            bench.core.state[spr::lpcr] &= ~power::lpcr::ld;
        }
        bench.core.state.gpr[3] = row.written;
        bench.execute(program()("mtspr", {22, 3}));
        bench.clock.base += row.later;
        EXPECT_EQ(bench.core.decrementer_expired(), row.expired);
        bench.core.state.nip = engine_bench::code;
        bench.execute(program()("mfspr", {4, 22}));
        EXPECT_EQ(bench.core.state.gpr[4], row.read);
    }
}

TEST(timers, ticks_left_say_when_the_exception_comes) {
    power::decrementer dec;
    dec.set(99, 1000, power::decrementer::large);
    EXPECT_EQ(dec.ticks_left(1000, power::decrementer::large), 100U);
    EXPECT_FALSE(dec.expired(1099, power::decrementer::large));
    EXPECT_TRUE(dec.expired(1100, power::decrementer::large));
}

TEST(timers, asynchronous_interrupts_wait_for_ee_and_come_in_order) {
    timed_bench bench;
    registers& state = bench.core.state;
    bench.core.external_interrupt(true);
    bench.core.dec.set(~std::uint64_t{0}, bench.clock.base, bench.core.decrementer_width());
    state[spr::dpdes] = 1;
    bench.execute(program()("addi", {4, 0, 1}));
    EXPECT_EQ(state.nip, engine_bench::code + 4);  // EE is 0
    EXPECT_TRUE(bench.core.interrupt_waits());

    const auto next_one = [&](vector which) {
        state.nip = 0x40000;
        bench.set_msr(state.msr | msr_ee);
        bench.core.step();
        EXPECT_EQ(state.nip, static_cast<std::uint64_t>(which));
        EXPECT_EQ(state[spr::srr0], 0x40000U);
        EXPECT_EQ(state.msr & msr_ee, 0U);
        EXPECT_EQ(bench.taken(which), 1U);
    };
    next_one(vector::external);
    bench.core.external_interrupt(false);
    next_one(vector::decrementer);
    bench.core.dec.set(1000, bench.clock.base, bench.core.decrementer_width());
    next_one(vector::directed_doorbell);
    EXPECT_EQ(state[spr::dpdes], 0U);
    EXPECT_FALSE(bench.core.interrupt_waits());
}

TEST(timers, mtmsrd_and_rfid_let_in_what_waits) {
    for (const bool returns : {false, true}) {
        timed_bench bench;
        registers& state = bench.core.state;
        bench.core.external_interrupt(true);
        state.gpr[3] = state.msr | msr_ee;
        state[spr::srr0] = 0x40000;
        state[spr::srr1] = state.msr | msr_ee;
        bench.execute(returns ? program()("rfid") : program()("mtmsrd", {3, 1}));
        EXPECT_EQ(state.nip, 0x500U);
        EXPECT_EQ(state[spr::srr0], returns ? 0x40000U : engine_bench::code + 4);
        EXPECT_EQ(state[spr::srr1] & msr_ee, msr_ee);
    }
}

TEST(timers, mtmsrd_sees_the_decrementer_at_its_own_instruction) {
    for (const unsigned before :
         {3U, 4U, 5U, 20U}) {  // instructions; the decrementer expires with the fifth one
        SCOPED_TRACE(before);
        timed_bench bench;
        registers& state = bench.core.state;
        bench.clock.ticks_per_instruction = 1;
        bench.core.dec.set(4, bench.clock.base, bench.core.decrementer_width());
        state.gpr[3] = msr_ee;
        program code;
        for (unsigned i = 0; i < before; ++i) {
            code("ori", {0, 0, 0});
        }
        code("mtmsrd", {3, 1});
        for (unsigned i = 0; i < 30; ++i) {
            code("addi", {4, 4, 1});
        }
        bench.memory.put(engine_bench::code, code("b", {0}));
        bench.memory.put(0x900, program()("b", {0}));
        bench.core.run(10);  // straight code: it is left at its end
        const bool expired = before + 1 >= 5;
        EXPECT_EQ(bench.taken(vector::decrementer), expired ? 1U : 0U);
        EXPECT_EQ(state.gpr[4], expired ? 0U : 30U);
        if (expired) {
            EXPECT_EQ(state[spr::srr0], engine_bench::code + 4 * (before + 1));
        }
    }
}

TEST(timers, a_decrementer_that_is_set_negative_interrupts_soon) {
    timed_bench bench;
    registers& state = bench.core.state;
    bench.memory.put(0x900, program()("b", {0}));
    bench.memory.put(engine_bench::code, program()("addi", {3, 0, -1})("mtspr", {22, 3})("b", {0}));
    bench.set_msr(state.msr | msr_ee);
    bench.core.run(1000);
    EXPECT_LT(bench.core.instructions(), 10U);
    bench.core.run(10);
    EXPECT_EQ(state[spr::srr0], engine_bench::code + 8);
    EXPECT_EQ(state.nip, 0x900U);
}

TEST(timers, a_directed_doorbell_to_oneself) {
    timed_bench bench;
    registers& state = bench.core.state;
    constexpr std::uint64_t doorbell = std::uint64_t{5} << (63 - 36);
    state.gpr[3] = doorbell | 1;                   // another thread, which there is not
    state.gpr[4] = std::uint64_t{4} << (63 - 36);  // another kind of message
    state.gpr[5] = doorbell;
    bench.execute(program()("msgsndp", {3})("msgsndp", {4})("mfspr", {6, 176})("msgsndp", {5})(
        "mfspr", {7, 176})("msgclrp", {5})("mfspr", {8, 176}));
    EXPECT_EQ(state.gpr[6], 0U);
    EXPECT_EQ(state.gpr[7], 1U);
    EXPECT_EQ(state.gpr[8], 0U);
    bench.set_msr(state.msr | msr_ee);
    state.nip = engine_bench::code;
    bench.execute(program()("msgsndp", {5}));
    EXPECT_EQ(state.nip, 0xa00U);
    EXPECT_EQ(state[spr::srr0], engine_bench::code + 4);
}

}  // namespace
}  // namespace pefsim::testing
