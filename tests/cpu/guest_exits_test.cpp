// SPDX-License-Identifier: Apache-2.0
#include "cpu/guest_exits.h"

#include <gtest/gtest.h>
#include <vector>

#include "tests/cpu/cpu_bench.h"

/// What takes a native CPU out of its guest, and who hears of it first.
namespace pefsim::testing {

namespace {

using kinds = std::vector<std::string>;

kinds kinds_of(const supervisor& above) {
    kinds all;
    for (const supervisor::trapped& each : above.seen) {
        all.push_back(each.kind);
    }
    return all;
}

/// An interrupt at 1 us while the CPU works until 3 us, its MSR[EE] off from 0 to 2 us if so; presented by the
/// hypervisor, or by hardware. How it went.
void interrupt_a_cpu_that_works(cpu_bench& bench, bool secure, bool by_hypervisor, bool masked) {
    sc_core::sc_spawn([&bench, by_hypervisor] {
        sc_core::wait(one_us);
        if (by_hypervisor) {
            bench.cpu.doorbell();
        }
        bench.cpu.external_interrupt(true);
    });
    unsigned taken = 0;
    bench.run([&](native_cpu& cpu) {
        cpu.on_external_interrupt([&](native_cpu& c) {
            ++taken;
            c.external_interrupt(false);
        });
        if (secure) {
            bench.enter_secure_mode();
        }
        if (masked) {
            cpu.local_irq_disable();
        }
        cpu.spend(2 * one_us);
        cpu.synchronize();
        cpu.local_irq_enable();
        cpu.spend(one_us);
        cpu.synchronize();
    });
    EXPECT_EQ(taken, 1U);
}

}  // namespace

TEST_F(cpu_test, an_interrupt_of_xive_enters_the_ultravisor_and_nobody_else) {
    cpu_bench bench;
    interrupt_a_cpu_that_works(bench, true, false, false);
    EXPECT_EQ(kinds_of(bench.ultravisor), (kinds{"ultracall", "external"}));
    EXPECT_TRUE(bench.hypervisor.seen.empty());
}

TEST_F(cpu_test, an_interrupt_of_xics_is_brought_by_the_hypervisors_doorbell) {
    cpu_bench bench;
    interrupt_a_cpu_that_works(bench, true, true, false);
    EXPECT_EQ(kinds_of(bench.ultravisor), (kinds{"ultracall", "hypervisor_doorbell"}));
}

TEST_F(cpu_test, an_interrupt_that_the_guest_holds_off_enters_once_more) {
    cpu_bench bench;
    interrupt_a_cpu_that_works(bench, true, true, true);
    EXPECT_EQ(kinds_of(bench.ultravisor), (kinds{"ultracall", "hypervisor_doorbell", "external"}));
}

TEST_F(cpu_test, an_ordinary_guest_takes_its_interrupts_itself) {
    cpu_bench bench;
    interrupt_a_cpu_that_works(bench, false, false, false);
    EXPECT_TRUE(bench.hypervisor.seen.empty());
    EXPECT_TRUE(bench.ultravisor.seen.empty());
}

TEST_F(cpu_test, a_doorbell_takes_an_ordinary_guest_to_the_hypervisor) {
    cpu_bench bench;
    interrupt_a_cpu_that_works(bench, false, true, false);
    EXPECT_EQ(kinds_of(bench.hypervisor), (kinds{"hypervisor_doorbell"}));
    EXPECT_TRUE(bench.ultravisor.seen.empty());
}

TEST_F(cpu_test, an_interrupt_that_ends_idling_comes_with_the_return_from_the_call) {
    cpu_bench bench;
    bench.ultravisor.on_hypercall = [](power::registers& state, cpu::trap_context& context) {
        context.ceded = true;
        state.gpr[3] = 0;
    };
    sc_core::sc_spawn([&] {
        sc_core::wait(5 * one_us);
        EXPECT_TRUE(bench.cpu.idle());
        bench.cpu.doorbell();
        bench.cpu.external_interrupt(true);
    });
    bench.run([&](native_cpu& cpu) {
        cpu.on_external_interrupt([](native_cpu& c) { c.external_interrupt(false); });
        bench.enter_secure_mode();
        cpu.wait_for_interrupt();
    });
    EXPECT_EQ(kinds_of(bench.ultravisor), (kinds{"ultracall", "hypercall"}));
    EXPECT_EQ(bench.count("interrupts"), 1U);
}

TEST_F(cpu_test, an_interrupt_after_an_entry_that_brought_none_enters_by_itself) {
    cpu_bench bench({.time_slice = 10 * one_us});
    sc_core::sc_spawn([&bench] {
        sc_core::wait(12 * one_us);
        bench.cpu.external_interrupt(true);
    });
    bench.run([&](native_cpu& cpu) {
        cpu.on_external_interrupt([](native_cpu& c) { c.external_interrupt(false); });
        bench.enter_secure_mode();
        cpu.spend(10 * one_us);
        cpu.synchronize();
        cpu.spend(5 * one_us);
        cpu.synchronize();
    });
    EXPECT_EQ(kinds_of(bench.ultravisor), (kinds{"ultracall", "hypervisor_decrementer", "external"}));
}

TEST_F(cpu_test, the_host_takes_the_cpu_back_once_a_slice_of_the_time_that_it_runs) {
    cpu_bench bench({.time_slice = 10 * one_us});
    bench.hypervisor.on_hypercall = [](power::registers& state, cpu::trap_context& context) {
        context.ceded = true;
        state.gpr[3] = 0;
    };
    bench.run([&](native_cpu& cpu) {
        for (unsigned step = 0; step < 105; ++step) {
            cpu.spend(one_us);
            cpu.synchronize();
        }
        cpu.local_irq_disable();  // it does not ask
        cpu.wait_for_interrupt(500 * one_us);
        cpu.spend(9 * one_us);  // since it runs again
        cpu.synchronize();
    });
    EXPECT_EQ(bench.hypervisor.count("hypervisor_decrementer"), 10);
    EXPECT_EQ(bench.hypervisor.seen[0].simulation_time, 10 * one_us);
}

}  // namespace pefsim::testing
