// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/cpu/power_cpu_bench.h"

namespace pefsim::testing {

namespace {

constexpr std::uint64_t place = 0x20000;  // of code for the second CPU
constexpr std::uint64_t data = 0x30000;

const sc_time one_us(1, sc_core::SC_US);

/// Does something at a given time, outside of every CPU.
void at(const sc_time& when, std::function<void()> what) {
    sc_core::sc_spawn([when, what = std::move(what)] {
        sc_core::wait(when);
        what();
    });
}

/// r3 to memory, and on.
program store_r3() {
    program code;
    code.load_immediate(4, data)("std", {3, 0, 4});
    return code;
}

}  // namespace

TEST_F(power_cpu_test, a_stopped_cpu_starts_at_an_address_with_the_given_registers) {
    power_cpu_bench bench({}, 2);
    bench.put(place, store_r3()("attn"));
    power_cpu& second = bench.cpu(1);
    second.set_lpcr(power::lpcr::ile, power::lpcr::ile);
    const std::uint64_t lpcr = second.state()[power::spr::lpcr];
    second.state().gpr[5] = 77;
    second.state()[power::spr::lpidr] = 3;
    EXPECT_TRUE(second.stopped());
    sc_time began;
    at(3 * one_us, [&] {
        began = sc_core::sc_time_stamp() + one_us;
        EXPECT_TRUE(second.start({.nip = place, .r3 = 42, .msr = bench.state(0).msr}, began));
        EXPECT_FALSE(second.stopped());
        EXPECT_FALSE(second.start({.nip = 0}, began)) << "it is not stopped";
    });
    sc_core::sc_start();
    EXPECT_EQ(second.ended(), power_cpu::ending::attention);
    EXPECT_FALSE(second.stopped()) << "halted is not stopped";
    EXPECT_EQ(bench.byte(data), std::byte{42});
    EXPECT_EQ(second.state().gpr[5], 0U) << "the others are 0";
    EXPECT_EQ(second.state()[power::spr::lpcr], lpcr) << "the partition's";
    EXPECT_EQ(second.state()[power::spr::lpidr], 3U) << "the partition's";
    EXPECT_GE(second.now(), began);
    EXPECT_LT(second.now(), began + one_us);
    EXPECT_FALSE(second.stop());
    EXPECT_FALSE(second.wake(sc_core::sc_time_stamp()));
}

TEST_F(power_cpu_test, a_cpu_that_runs_is_stopped_and_started_somewhere_else) {
    power_cpu_bench bench({}, 2);
    bench.put(place, program().word(0x4800'0000));  // b .
    bench.put(place + 0x1000, store_r3()("attn"));
    power_cpu& second = bench.cpu(1);
    second.state().nip = place;
    second.start();
    std::uint64_t executed = 0;
    at(50 * one_us, [&] {
        EXPECT_TRUE(second.stop());
        EXPECT_FALSE(second.stop()) << "once is enough";
    });
    at(100 * one_us, [&] {
        EXPECT_TRUE(second.stopped());
        executed = bench.count("instructions", 1);
        EXPECT_GT(executed, 1000U);
    });
    at(200 * one_us, [&] {
        EXPECT_EQ(bench.count("instructions", 1), executed) << "it stays where it is";
        EXPECT_TRUE(second.start({.nip = place + 0x1000, .r3 = 9, .msr = bench.state(0).msr},
                                 sc_core::sc_time_stamp()));
    });
    sc_core::sc_start();
    EXPECT_EQ(second.ended(), power_cpu::ending::attention);
    EXPECT_EQ(bench.byte(data), std::byte{9});
}

/// The hypervisor of these tests: H_CEDE, or H_JOIN.
void cede_when_called(power_cpu_bench& bench, bool join) {
    bench.hypervisor.on_hypercall = [join](power::registers& state, cpu::trap_context& context) {
        context.ceded = true;
        context.until_prodded = join;
        state.gpr[3] = 0;
    };
}

TEST_F(power_cpu_test, an_idle_cpu_is_woken_without_an_interrupt_and_stopped_without_one) {
    power_cpu_bench bench;
    cede_when_called(bench, false);
    power_cpu& cpu = bench.cpu();
    EXPECT_FALSE(cpu.wake(sc_core::SC_ZERO_TIME)) << "it does not idle";
    sc_time woken;
    at(50 * one_us, [&] {
        EXPECT_TRUE(cpu.idle());
        woken = sc_core::sc_time_stamp() + 2 * one_us;
        EXPECT_TRUE(cpu.wake(woken));
    });
    at(100 * one_us, [&] {
        EXPECT_EQ(bench.hypervisor.seen.size(), 2U) << "it went on, and idles again";
        EXPECT_GE(bench.hypervisor.seen.at(1).simulation_time, woken);
        EXPECT_LT(bench.hypervisor.seen.at(1).simulation_time, woken + one_us);
        EXPECT_TRUE(cpu.stop());
    });
    at(150 * one_us, [&] { EXPECT_TRUE(cpu.stopped()); });
    bench.run(program()("sc", {1})("sc", {1})("attn"));
    EXPECT_EQ(cpu.ended(), power_cpu::ending::none);
    EXPECT_EQ(bench.hypervisor.seen.size(), 2U);
}

/// A System Reset interrupt at 50 us, of a CPU that executes `code`.
void reset_while_it_executes(const program& code, bool idles) {
    power_cpu_bench bench;
    cede_when_called(bench, false);
    bench.cpu().set_lpcr(power::lpcr::ile, power::lpcr::ile);
    bench.put(0x100, program()("attn"));
    at(50 * one_us, [&] {
        EXPECT_EQ(bench.cpu().idle(), idles);
        bench.cpu().system_reset(sc_core::sc_time_stamp());
    });
    bench.run(code);
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
    EXPECT_EQ(bench.cpu().state().nip, 0x100U);
    EXPECT_GE(bench.cpu().now(), 50 * one_us);
}

TEST_F(power_cpu_test, a_system_reset_reaches_a_cpu_that_runs) {
    reset_while_it_executes(program().word(0x4800'0000), false);  // b .
}

TEST_F(power_cpu_test, a_system_reset_wakes_a_cpu_that_idles) {
    reset_while_it_executes(program()("sc", {1}), true);
}

TEST_F(power_cpu_test, who_joined_sleeps_through_interrupts_until_it_is_prodded) {
    power_cpu_bench bench;
    cede_when_called(bench, true);
    at(20 * one_us, [&] { bench.cpu().external_interrupt(true); });
    at(100 * one_us, [&] {
        EXPECT_TRUE(bench.cpu().idle());
        EXPECT_TRUE(bench.cpu().wake(sc_core::sc_time_stamp()));
    });
    bench.run(program()("sc", {1})("attn"));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
    EXPECT_GE(bench.cpu().now(), 100 * one_us);
}

/// The hypervisor of these tests: H_CEDE, at a cost that keeps the CPU ahead of simulation time.
void cede_slowly(power_cpu_bench& bench) {
    bench.hypervisor.on_hypercall = [](power::registers& state, cpu::trap_context& context) {
        context.delay += 10 * one_us;
        context.ceded = true;
        state.gpr[3] = 0;
    };
}

TEST_F(power_cpu_test, who_is_woken_before_its_time_has_come_does_not_sleep_on) {
    power_cpu_bench bench;
    cede_slowly(bench);
    at(5 * one_us, [&] {
        EXPECT_TRUE(bench.cpu().idle()) << "it is at 10 us";
        EXPECT_TRUE(bench.cpu().wake(5 * one_us));
    });
    bench.run(program()("sc", {1})("attn"));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
}

TEST_F(power_cpu_test, a_wake_ends_one_idling_and_not_the_next) {
    power_cpu_bench bench;
    cede_slowly(bench);
    at(5 * one_us, [&] {
        EXPECT_TRUE(bench.cpu().wake(30 * one_us));
        EXPECT_TRUE(bench.cpu().wake(20 * one_us)) << "the earlier one counts";
    });
    at(25 * one_us, [&] { EXPECT_EQ(bench.hypervisor.seen.size(), 2U); });
    bench.run(program()("sc", {1})("sc", {1})("attn"));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::none) << "nobody woke it from the second";
}

TEST_F(power_cpu_test, who_is_stopped_before_its_time_has_come_to_idle_stops) {
    power_cpu_bench bench;
    cede_slowly(bench);
    at(5 * one_us, [&] { EXPECT_TRUE(bench.cpu().stop()); });
    bench.run(program()("sc", {1})("attn"));
    EXPECT_TRUE(bench.cpu().stopped());
}

TEST_F(power_cpu_test, a_start_that_has_not_come_yet_can_be_taken_back) {
    power_cpu_bench bench;
    bench.put(place, store_r3()("attn"));
    const cpu::processor_start with{.nip = place, .r3 = 5, .msr = bench.state().msr};
    EXPECT_TRUE(bench.cpu().start(with, 40 * one_us)) << "before simulation begins";
    at(20 * one_us, [&] {
        EXPECT_EQ(bench.count("instructions"), 0U);
        EXPECT_TRUE(bench.cpu().stop());
        EXPECT_TRUE(bench.cpu().stopped());
        EXPECT_FALSE(bench.cpu().stop());
    });
    at(60 * one_us, [&] {
        EXPECT_EQ(bench.count("instructions"), 0U);
        EXPECT_TRUE(bench.cpu().start(with, 70 * one_us));
    });
    sc_core::sc_start();
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
    EXPECT_GE(bench.cpu().now(), 70 * one_us);
    EXPECT_EQ(bench.byte(data), std::byte{5});
}

TEST_F(power_cpu_test, bits_of_the_lpcr_are_set_and_others_left) {
    power_cpu_bench bench;
    const std::uint64_t before = bench.state()[power::spr::lpcr];
    bench.cpu().set_lpcr(~std::uint64_t{0}, power::lpcr::ile);
    EXPECT_EQ(bench.state()[power::spr::lpcr], before | power::lpcr::ile);
    bench.cpu().set_lpcr(0, power::lpcr::ile);
    EXPECT_EQ(bench.state()[power::spr::lpcr], before & ~power::lpcr::ile);
    bench.cpu().use_process_table(0x10000, 16);
    EXPECT_EQ(bench.partition.processes().base, 0x10000U);
    EXPECT_EQ(bench.partition.processes().size_exponent, 16U);
}

}  // namespace pefsim::testing
