// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/cpu/power_cpu_bench.h"

/// What takes a POWER CPU out of its guest, and who hears of it first.
namespace pefsim::testing {

namespace {

const sc_time one_us(1, sc_core::SC_US);
constexpr std::uint64_t handler = 0x500;

power_cpu::config nanosecond_instructions() {
    power_cpu::config parameters;
    parameters.costs.cpu_cycle_ns = 1;
    return parameters;
}

/// Becomes secure if so, lets interrupts in, and counts to `n`, a nanosecond each.
program count_to(std::uint64_t n, bool secure) {
    program code;
    code.load_immediate(5, n);
    if (secure) {
        code("sc", {2});
    }
    return code("mtspr", {spr_number::ctr, 5})
        .load_immediate(6, power::msr_ee | power::msr_ri)("mtmsrd", {6, 1})("bc", {16, 0, 0})("attn");
}

/// An interrupt at 20 us, presented by the hypervisor or by hardware.
void interrupt_a_cpu_that_works(power_cpu_bench& bench, bool secure, bool by_hypervisor) {
    bench.secure_at_ultracall();
    bench.state()[power::spr::lpcr] |= power::lpcr::ile;
    bench.put(handler, program()("attn"));
    sc_core::sc_spawn([&bench, by_hypervisor] {
        sc_core::wait(20 * one_us);
        if (by_hypervisor) {
            bench.cpu().doorbell();
        }
        bench.cpu().external_interrupt(true);
    });
    bench.run(count_to(100'000, secure));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::attention);
    EXPECT_EQ(bench.state().nip, handler);
}

}  // namespace

TEST_F(power_cpu_test, an_interrupt_of_xive_enters_the_ultravisor_and_nobody_else) {
    power_cpu_bench bench(nanosecond_instructions());
    interrupt_a_cpu_that_works(bench, true, false);
    EXPECT_EQ(bench.ultravisor.count("external"), 1);
    EXPECT_EQ(bench.ultravisor.seen.size(), 2U);  // and the ultracall
    EXPECT_TRUE(bench.hypervisor.seen.empty());
}

TEST_F(power_cpu_test, an_interrupt_of_xics_is_brought_by_the_hypervisors_doorbell) {
    power_cpu_bench bench(nanosecond_instructions());
    interrupt_a_cpu_that_works(bench, true, true);
    EXPECT_EQ(bench.ultravisor.count("hypervisor_doorbell"), 1);
    EXPECT_EQ(bench.ultravisor.seen.size(), 2U);
}

TEST_F(power_cpu_test, an_ordinary_guest_takes_its_interrupts_itself) {
    power_cpu_bench bench(nanosecond_instructions());
    interrupt_a_cpu_that_works(bench, false, false);
    EXPECT_TRUE(bench.hypervisor.seen.empty());
    EXPECT_TRUE(bench.ultravisor.seen.empty());
}

TEST_F(power_cpu_test, an_interrupt_after_an_entry_that_brought_none_enters_by_itself) {
    power_cpu::config parameters = nanosecond_instructions();
    parameters.time_slice = 15 * one_us;
    power_cpu_bench bench(parameters);
    interrupt_a_cpu_that_works(bench, true, false);
    EXPECT_EQ(bench.ultravisor.count("hypervisor_decrementer"), 1);
    EXPECT_EQ(bench.ultravisor.count("external"), 1);
}

TEST_F(power_cpu_test, the_host_takes_the_cpu_back_once_a_slice) {
    for (const bool secure : {false, true}) {
        sc_core::sc_get_curr_simcontext()->reset();
        power_cpu::config parameters = nanosecond_instructions();
        parameters.time_slice = 25 * one_us;
        power_cpu_bench bench(parameters);
        bench.secure_at_ultracall();
        bench.run(count_to(1'000'000, secure));  // 1 ms
        EXPECT_EQ(bench.state().nip, bench.code + (secure ? 14 : 13) * 4);
        EXPECT_EQ(bench.hypervisor.count("hypervisor_decrementer"), secure ? 0 : 40);
        EXPECT_EQ(bench.ultravisor.count("hypervisor_decrementer"), secure ? 40 : 0);
    }
    sc_core::sc_get_curr_simcontext()->reset();
}

TEST_F(power_cpu_test, what_is_no_instruction_enters_the_ultravisor_before_the_guests_program_interrupt) {
    power_cpu_bench bench(nanosecond_instructions());
    bench.secure_at_ultracall();
    bench.state()[power::spr::lpcr] |= power::lpcr::ile;
    bench.put(0x700, program()("b", {4})("attn"));
    bench.run(program()("sc", {2}).word(0));
    EXPECT_EQ(bench.state().nip, 0x704U);
    EXPECT_EQ(bench.ultravisor.count("emulation_assistance"), 1);
}

TEST_F(power_cpu_test, a_guest_that_the_supervisor_ends_at_an_interrupt_executes_nothing_more) {
    power_cpu_bench bench(nanosecond_instructions());
    bench.ultravisor.on_interrupt = [](power::registers&, cpu::trap_context& context) {
        context.terminated = true;
    };
    bench.secure_at_ultracall();
    bench.state()[power::spr::lpcr] |= power::lpcr::ile;
    bench.put(0x700, program()("sc", {1})("attn"));
    bench.run(program()("sc", {2}).word(0));
    EXPECT_EQ(bench.cpu().ended(), power_cpu::ending::terminated);
    EXPECT_EQ(bench.ultravisor.count("hypercall"), 0);
}

}  // namespace pefsim::testing
