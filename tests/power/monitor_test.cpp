// SPDX-License-Identifier: Apache-2.0
#include "power/debug/monitor.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "debug_machine.h"

namespace pefsim::power::debug {
namespace {

using reason = stop_cause::reason;

class monitor_of_sums : public ::testing::Test {
protected:
    monitor_of_sums() { sums::put(machine); }

    debug_machine machine;
    core& c = machine.core();
    monitor tools{c};
};

TEST_F(monitor_of_sums, breakpoint_stops_before_its_instruction_each_time) {
    tools.add_breakpoint(sums::store);
    for (std::uint64_t round = 1; round <= 5; ++round) {
        ASSERT_EQ(c.run(1000), exit_reason::observed);
        ASSERT_TRUE(tools.stopped());
        EXPECT_EQ(tools.stopped()->why, reason::breakpoint);
        EXPECT_EQ(tools.stopped()->ea, sums::store);
        EXPECT_EQ(c.state.nip, sums::store);
        EXPECT_EQ(c.state.gpr[3], 7 * round);
        EXPECT_EQ(machine.doubleword(sums::data), 7 * (round - 1));
    }
    EXPECT_EQ(c.run(1000), exit_reason::paused);
    EXPECT_FALSE(tools.stopped());
}

TEST_F(monitor_of_sums, removed_breakpoint_does_not_stop) {
    tools.add_breakpoint(sums::store);
    tools.add_breakpoint(sums::store);
    EXPECT_TRUE(tools.remove_breakpoint(sums::store));
    EXPECT_FALSE(tools.remove_breakpoint(sums::store));
    EXPECT_EQ(c.run(1000), exit_reason::paused);
    EXPECT_EQ(c.state.nip, sums::end);
}

TEST_F(monitor_of_sums, breakpoint_can_be_set_into_code_that_has_been_decoded) {
    c.run(1000);
    c.state.nip = sums::begin;
    tools.add_breakpoint(sums::load);
    EXPECT_EQ(c.run(1000), exit_reason::observed);
    EXPECT_EQ(c.state.nip, sums::load);
}

TEST_F(monitor_of_sums, breakpoint_is_met_again_when_nip_is_set_to_another_one) {
    tools.add_breakpoint(sums::store);
    tools.add_breakpoint(sums::load);
    ASSERT_EQ(c.run(1000), exit_reason::observed);
    c.state.nip = sums::load;
    EXPECT_EQ(c.run(1000), exit_reason::observed);
    EXPECT_EQ(c.state.nip, sums::load);
    EXPECT_EQ(c.state.gpr[6], 0U);
}

TEST_F(monitor_of_sums, steps_are_single_instructions) {
    const std::uint64_t expected[] = {0x1004, 0x1008, 0x100c, 0x1010, 0x1014, 0x1018, 0x100c, 0x1010};
    for (const std::uint64_t nip : expected) {
        tools.step();
        ASSERT_EQ(c.run(1000), exit_reason::observed);
        ASSERT_TRUE(tools.stopped());
        EXPECT_EQ(tools.stopped()->why, reason::step);
        EXPECT_EQ(c.state.nip, nip);
    }
    EXPECT_EQ(c.instructions(), 8U);
}

TEST_F(monitor_of_sums, step_from_a_breakpoint_goes_on) {
    tools.add_breakpoint(sums::store);
    ASSERT_EQ(c.run(1000), exit_reason::observed);
    tools.step();
    ASSERT_EQ(c.run(1000), exit_reason::observed);
    EXPECT_EQ(tools.stopped()->why, reason::step);
    EXPECT_EQ(c.state.nip, sums::load);
}

TEST_F(monitor_of_sums, exact_budget_is_exact_for_every_size) {
    tools.exact(true);
    std::uint64_t number = 0;
    for (std::int64_t budget = 1; budget < 12; ++budget) {
        EXPECT_EQ(c.run(budget), exit_reason::paused);
        number += static_cast<std::uint64_t>(budget);
        EXPECT_EQ(c.instructions(), number);
    }
    tools.exact(false);
    c.run(1);  // straight code goes on to a branch
    EXPECT_GE(c.instructions(), number + 1);
}

TEST_F(monitor_of_sums, exact_budget_without_it_is_not) {
    c.run(1);
    EXPECT_EQ(c.instructions(), 7U);  // as far as the first bdnz
}

TEST_F(monitor_of_sums, write_watchpoint_stops_before_the_store) {
    tools.add_watchpoint({.where = {sums::data + 2, sums::data + 2}, .kind = watch_kind::write});
    for (std::uint64_t round = 1; round <= 5; ++round) {
        ASSERT_EQ(c.run(1000), exit_reason::observed);
        EXPECT_EQ(tools.stopped()->why, reason::watchpoint);
        EXPECT_EQ(tools.stopped()->ea, sums::data + 2);
        EXPECT_EQ(c.state.nip, sums::store);
        EXPECT_EQ(machine.doubleword(sums::data), 7 * (round - 1));
    }
    EXPECT_EQ(c.run(1000), exit_reason::paused);
    EXPECT_EQ(machine.doubleword(sums::data), 35U);
}

TEST_F(monitor_of_sums, kinds_of_watchpoints) {
    tools.add_watchpoint({.where = {sums::data, sums::data + 7}, .kind = watch_kind::read});
    ASSERT_EQ(c.run(1000), exit_reason::observed);
    EXPECT_EQ(c.state.nip, sums::load);
    tools.remove_all_points();
    tools.add_watchpoint({.where = {sums::data, sums::data + 7}, .kind = watch_kind::access});
    ASSERT_EQ(c.run(1000), exit_reason::observed);
    EXPECT_EQ(c.state.nip, sums::store);
    ASSERT_EQ(c.run(1000), exit_reason::observed);
    EXPECT_EQ(c.state.nip, sums::load);
}

TEST_F(monitor_of_sums, watchpoint_beside_the_access_does_not_stop) {
    c.run(1000);  // the TLBs know the small page
    c.state.nip = sums::begin;
    tools.add_watchpoint({.where = {sums::data + 8, sums::data + 15}, .kind = watch_kind::access});
    EXPECT_EQ(c.run(1000), exit_reason::paused);
    EXPECT_EQ(machine.doubleword(sums::data), 35U);
}

TEST_F(monitor_of_sums, stores_into_observed_code_are_noticed) {
    tools.exact(true);
    EXPECT_EQ(c.run(10), exit_reason::paused);
    machine.put(sums::loop, {0x38630064});  // addi r3,r3,100
    c.forget_real(sums::loop);
    c.run(100);
    EXPECT_EQ(c.state.gpr[3], 7 * 2 + 100 * 3U);
}

TEST_F(monitor_of_sums, coverage_counts_rows_and_classes) {
    coverage counts;
    tools.exact(true);
    tools.count(&counts);
    c.run(sums::length);
    const auto of = [&](const char* mnemonic) { return counts.of_row(isa::index_of(*isa::find(mnemonic))); };
    EXPECT_EQ(of("addi"), 7U);
    EXPECT_EQ(of("std"), 5U);
    EXPECT_EQ(of("ld"), 5U);
    EXPECT_EQ(of("bc"), 5U);
    EXPECT_EQ(of("mtspr"), 1U);
    EXPECT_EQ(counts.total(), sums::length);
    EXPECT_EQ(counts.rows_covered(), 5U);
    EXPECT_EQ(counts.undefined(), 0U);
    std::uint64_t loads = 0;
    for (const coverage::class_count& each : counts.by_class()) {
        loads += each.kind == isa::instruction_class::load ? each.executed : 0;
    }
    EXPECT_EQ(loads, 5U);
    EXPECT_NE(counts.table().find("load"), std::string::npos);
}

TEST_F(monitor_of_sums, undefined_words_are_counted_as_such) {
    coverage counts;
    machine.put(sums::begin, {0});
    tools.count(&counts);
    EXPECT_EQ(c.run(10), exit_reason::interrupt);
    EXPECT_EQ(counts.undefined(), 1U);
}

TEST_F(monitor_of_sums, profile_of_every_instruction_is_the_execution) {
    profile samples(1);
    tools.sample(&samples);
    for (int i = 0; i < 40; ++i) {
        c.run(1);
    }
    for (const std::uint64_t ea : {sums::loop, sums::store, sums::load, sums::load + 4}) {
        EXPECT_EQ(samples.samples_at(ea), 5U) << std::hex << ea;
    }
    EXPECT_EQ(samples.samples_at(sums::begin), 1U);
    EXPECT_EQ(samples.samples(), c.instructions());
}

TEST_F(monitor_of_sums, profile_takes_every_nth_instruction) {
    profile samples(4);  // instructions 3, 7, 11 ... : with 4 in a round, always the same
    tools.sample(&samples);
    while (c.instructions() < sums::length) {
        c.run(100);
    }
    EXPECT_EQ(samples.samples_at(sums::loop), 5U);
    EXPECT_EQ(samples.samples_at(sums::store), 0U);
}

TEST(profile, reports_by_symbol) {
    symbol_table symbols;
    symbols.add(0x1000, 0x10, "start");
    symbols.add(0x1010, 0x10, "work");
    profile samples(100);
    samples.sample(0x1004);
    samples.sample(0x1014, 2);
    samples.sample(0x101c);
    samples.sample(0x5008);
    EXPECT_EQ(samples.collapsed(symbols), "[0x5000] 1\nstart 1\nwork 3\n");
    const std::string table = samples.table(symbols);
    EXPECT_NE(table.find("60.00%          3  work"), std::string::npos) << table;
    EXPECT_LT(table.find("work"), table.find("start"));
    EXPECT_THROW(profile(0), std::invalid_argument);
}

TEST_F(monitor_of_sums, counters_of_the_engine) {
    c.run(1000);
    const engine_counters& counters = c.counters();
    EXPECT_EQ(counters.decoded, 8U);
    EXPECT_EQ(counters.fetch_misses, 1U);
    EXPECT_EQ(counters.slow_loads, 1U);
    EXPECT_EQ(counters.slow_stores, 1U);
    EXPECT_EQ(counters.interrupts, 0U);
}

TEST(monitor, end_of_it_leaves_the_core_alone) {
    debug_machine machine;
    sums::put(machine);
    {
        monitor tools(machine.core());
        tools.add_breakpoint(sums::loop);
        EXPECT_EQ(machine.core().run(100), exit_reason::observed);
    }
    EXPECT_EQ(machine.core().run(100), exit_reason::paused);
    EXPECT_EQ(machine.core().state.nip, sums::end);
}

TEST(monitor, stops_before_the_interrupts_that_it_is_told) {
    debug_machine machine;
    core& c = machine.core();
    c.interrupts_leave(false);
    monitor tools(c);
    constexpr std::uint32_t trap = 0x7fe0'0008;
    constexpr std::uint32_t illegal = 0;
    machine.put(0x1000, {0x3860'0001, trap, illegal});
    machine.put(0x700, {0x7c9a'02a6, 0x3884'0004, 0x7c9a'03a6, 0x4c00'0024});  // SRR0 += 4; rfid
    const auto run = [&](interrupt_kinds which) {
        tools.stop_before(which);
        c.state.msr = (c.state.msr | msr_le) & ~msr_ee;
        c.state[spr::lpcr] |= lpcr::ile;
        c.state.nip = 0x1000;
        c.msr_changed();
        return c.run(1000);
    };
    EXPECT_EQ(run({.trap = true}), exit_reason::observed);
    EXPECT_EQ(tools.stopped()->why, reason::interrupt);
    EXPECT_EQ(c.state.nip, 0x1004U);
    EXPECT_EQ(c.state.gpr[3], 1U);
    EXPECT_EQ(c.state[spr::srr0], 0U) << "the interrupt has not been taken";
    EXPECT_EQ(run({.illegal = true}), exit_reason::observed);
    EXPECT_EQ(c.state.nip, 0x1008U);
    EXPECT_EQ(tools.stopped()->ea, 0x1008U);
    EXPECT_EQ(c.state[spr::srr0], 0x1008U) << "of the trap, that was taken, and served";
    EXPECT_EQ(c.run(1000), exit_reason::observed) << "the same instruction again";
    EXPECT_EQ(c.state.nip, 0x1008U);
    EXPECT_EQ(run({}), exit_reason::paused);
    EXPECT_FALSE(tools.stopped());
}

}  // namespace
}  // namespace pefsim::power::debug
