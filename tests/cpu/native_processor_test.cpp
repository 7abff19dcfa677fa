// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/cpu/cpu_bench.h"

namespace pefsim::testing {

namespace {

void at(const sc_time& when, std::function<void()> what) {
    sc_core::sc_spawn([when, what = std::move(what)] {
        sc_core::wait(when);
        what();
    });
}

}  // namespace

TEST_F(cpu_test, a_native_cpu_stops_where_time_catches_up_and_starts_at_its_programs_begin) {
    cpu_bench bench;
    EXPECT_TRUE(bench.cpu.stopped());
    EXPECT_FALSE(bench.cpu.start({}, sc_core::SC_ZERO_TIME)) << "there is no program";
    std::vector<std::uint64_t> begun_with;
    at(10 * one_us, [&] {
        EXPECT_TRUE(bench.cpu.stop());
        EXPECT_FALSE(bench.cpu.stop());
    });
    at(50 * one_us, [&] {
        EXPECT_TRUE(bench.cpu.stopped());
        EXPECT_TRUE(bench.cpu.start({.r3 = 5, .msr = power::msr_sf}, sc_core::sc_time_stamp() + one_us));
        EXPECT_FALSE(bench.cpu.stopped());
    });
    bench.run([&](native_cpu& cpu) {
        begun_with.push_back(cpu.state().gpr[3]);
        if (begun_with.size() == 2) {
            EXPECT_EQ(sc_core::sc_time_stamp(), 51 * one_us);
            EXPECT_FALSE(cpu.irqs_enabled());
            return;
        }
        for (int n = 0; n < 1000; ++n) {
            cpu.spend(one_us);
            cpu.synchronize();
        }
        ADD_FAILURE() << "it was to stop";
    });
    EXPECT_EQ(begun_with, (std::vector<std::uint64_t>{0, 5}));
    EXPECT_TRUE(bench.cpu.halted());
    EXPECT_FALSE(bench.cpu.stop());
}

TEST_F(cpu_test, an_idle_native_cpu_can_be_woken_and_stopped) {
    cpu_bench bench;
    bench.hypervisor.on_hypercall = [](power::registers& state, cpu::trap_context& context) {
        context.ceded = true;
        state.gpr[3] = 0;
    };
    EXPECT_FALSE(bench.cpu.wake(sc_core::SC_ZERO_TIME)) << "it does not idle";
    at(10 * one_us, [&] {
        EXPECT_TRUE(bench.cpu.idle());
        EXPECT_TRUE(bench.cpu.wake(12 * one_us));
    });
    at(20 * one_us, [&] {
        EXPECT_TRUE(bench.cpu.idle()) << "again";
        EXPECT_TRUE(bench.cpu.stop());
    });
    at(30 * one_us, [&] { EXPECT_TRUE(bench.cpu.stopped()); });
    unsigned calls = 0;
    bench.run([&](native_cpu& cpu) {
        cpu.hypercall(abi::hcall::h_cede);
        ++calls;
        EXPECT_EQ(cpu.now(), 12 * one_us);
        cpu.hypercall(abi::hcall::h_cede);
        ++calls;
    });
    EXPECT_EQ(calls, 1U);
    EXPECT_FALSE(bench.cpu.halted());
}

TEST_F(cpu_test, a_native_cpu_that_is_woken_or_stopped_before_its_time_has_come_does_not_sleep_on) {
    cpu_bench bench;
    bench.hypervisor.on_hypercall = [](power::registers& state, cpu::trap_context& context) {
        context.delay += 10 * one_us;
        context.ceded = true;
        state.gpr[3] = 0;
    };
    at(5 * one_us, [&] { EXPECT_TRUE(bench.cpu.wake(5 * one_us)); });
    at(15 * one_us, [&] { EXPECT_TRUE(bench.cpu.stop()); });
    unsigned calls = 0;
    bench.run([&](native_cpu& cpu) {
        cpu.hypercall(abi::hcall::h_cede);
        ++calls;
        EXPECT_EQ(cpu.now(), 10 * one_us);
        cpu.hypercall(abi::hcall::h_cede);
        ++calls;
    });
    EXPECT_EQ(calls, 1U);
    EXPECT_TRUE(bench.cpu.stopped());
}

TEST_F(cpu_test, a_native_cpu_has_the_lpcr_that_it_is_given) {
    cpu_bench bench;
    bench.cpu.set_lpcr(~std::uint64_t{0}, std::uint64_t{0x200'0000});
    EXPECT_EQ(bench.cpu.state()[power::spr::lpcr], std::uint64_t{0x200'0000});
    bench.cpu.set_lpcr(0, std::uint64_t{0x200'0000});
    EXPECT_EQ(bench.cpu.state()[power::spr::lpcr], 0U);
}

}  // namespace pefsim::testing
