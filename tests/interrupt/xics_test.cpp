// SPDX-License-Identifier: Apache-2.0
#include "interrupt/xics.h"

#include <gtest/gtest.h>

#include "report/metrics.h"
#include "tests/interrupt/xics_bench.h"
#include "tests/support/simulation.h"

namespace pefsim::interrupt {
namespace {

namespace platform = abi::platform;
using sc_core::SC_NS;
using sc_core::sc_time;
using sc_core::SC_US;

constexpr std::uint32_t msi = platform::first_msi_source;
constexpr std::uint32_t lsi = platform::first_lsi_source;
constexpr std::uint32_t ipi = platform::ipi_source;

class xics_test : public testing::simulation_test {};

TEST_F(xics_test, nothing_is_presented_before_the_guest_sets_cppr) {
    xics_bench bench(1);
    EXPECT_TRUE(bench.raise(msi));
    EXPECT_FALSE(bench.lines[0].level);
    bench.cppr(0xff);
    EXPECT_TRUE(bench.lines[0].level);
    EXPECT_EQ(bench.accept(), msi);
}

TEST_F(xics_test, only_a_more_favoured_priority_passes_cppr) {
    struct row {
        std::uint8_t cppr;
        std::uint8_t priority;
        bool presented;
    };
    const row rows[] = {{0xff, 0xfe, true}, {0xff, 0, true}, {5, 4, true},  {5, 5, false},
                        {5, 6, false},      {1, 0, true},    {0, 0, false}, {0xff, 0xff, false}};
    xics_bench bench(1);
    for (const row& each : rows) {
        bench.cppr(each.cppr);
        bench.route(msi, 0, each.priority);
        bench.raise(msi);
        EXPECT_EQ(bench.lines[0].level, each.presented) << int{each.cppr} << ' ' << int{each.priority};
        // Leaves the source idle for the next row.
        bench.route(msi, 0, 1);
        bench.cppr(0xff);
        ASSERT_EQ(bench.accept(), msi);
        bench.eoi(msi);
        ASSERT_FALSE(bench.lines[0].level);
    }
}

TEST_F(xics_test, accepting_raises_the_processor_priority_and_drops_the_line) {
    xics_bench bench(1);
    bench.cppr(0xff);
    bench.raise(msi);
    EXPECT_EQ(bench.controller.xirr(0, xics_bench::now()), 0xff00'0000U | msi);
    EXPECT_FALSE(bench.lines[0].level);
    // CPPR is now the interrupt's priority; a second accept shows it and finds nothing.
    EXPECT_EQ(bench.controller.xirr(0, xics_bench::now()),
              std::uint32_t{platform::msi_source_priority} << 24);
}

TEST_F(xics_test, a_spurious_accept_leaves_cppr_alone_and_is_counted) {
    xics_bench bench(1);
    bench.cppr(7);
    EXPECT_EQ(bench.controller.xirr(0, xics_bench::now()), 0x0700'0000U);
    EXPECT_EQ(bench.controller.xirr(0, xics_bench::now()), 0x0700'0000U);
    EXPECT_EQ(bench.recorder.metrics().find_counter("xics", "interrupts_spurious")->value(), 2U);
}

TEST_F(xics_test, a_more_favoured_interrupt_displaces_the_presented_one_which_comes_again) {
    xics_bench bench(1);
    bench.cppr(0xff);
    bench.route(msi, 0, 6);
    bench.route(msi + 1, 0, 3);
    bench.raise(msi);
    bench.raise(msi + 1);
    EXPECT_EQ(bench.accept(), msi + 1);
    EXPECT_FALSE(bench.lines[0].level);
    bench.eoi(msi + 1);
    EXPECT_EQ(bench.accept(), msi);
    EXPECT_EQ(bench.controller.presented(msi), 2U);
    EXPECT_EQ(bench.controller.presented(msi + 1), 1U);
    EXPECT_EQ(bench.recorder.metrics().find_counter("xics", "interrupts_rejected")->value(), 1U);
}

TEST_F(xics_test, an_equally_favoured_interrupt_waits_for_the_end_of_the_first) {
    xics_bench bench(1);
    bench.cppr(0xff);
    bench.raise(msi + 9);
    bench.raise(msi + 2);
    EXPECT_EQ(bench.accept(), msi + 9);
    EXPECT_FALSE(bench.lines[0].level);
    bench.eoi(msi + 9);
    EXPECT_TRUE(bench.lines[0].level);
    EXPECT_EQ(bench.accept(), msi + 2);
    bench.eoi(msi + 2);
    EXPECT_FALSE(bench.lines[0].level);
}

TEST_F(xics_test, a_more_favoured_cppr_withdraws_and_a_less_favoured_one_presents_again) {
    xics_bench bench(1);
    bench.cppr(0xff);
    bench.raise(msi);
    bench.cppr(platform::msi_source_priority);
    EXPECT_FALSE(bench.lines[0].level);
    EXPECT_EQ(bench.accept(), 0U);
    bench.cppr(platform::msi_source_priority + 1);
    EXPECT_TRUE(bench.lines[0].level);
    EXPECT_EQ(bench.accept(), msi);
}

TEST_F(xics_test, one_edge_is_kept_while_the_interrupt_is_in_service) {
    xics_bench bench(1);
    bench.cppr(0xff);
    bench.raise(msi);
    ASSERT_EQ(bench.accept(), msi);
    bench.raise(msi);
    bench.raise(msi);
    EXPECT_FALSE(bench.lines[0].level);
    bench.eoi(msi);
    EXPECT_EQ(bench.accept(), msi);
    bench.eoi(msi);
    EXPECT_FALSE(bench.lines[0].level);
}

TEST_F(xics_test, a_level_comes_again_while_it_is_asserted_at_the_end_of_interrupt) {
    xics_bench bench(1);
    bench.cppr(0xff);
    ASSERT_TRUE(bench.level(lsi, true));
    EXPECT_FALSE(bench.lines[0].level) << "masked by firmware";
    bench.route(lsi, 0, 4);
    EXPECT_EQ(bench.accept(), lsi);
    EXPECT_FALSE(bench.lines[0].level);
    bench.eoi(lsi);
    EXPECT_EQ(bench.accept(), lsi);
    bench.level(lsi, false);
    bench.eoi(lsi);
    EXPECT_FALSE(bench.lines[0].level);
    bench.level(lsi, true);
    EXPECT_TRUE(bench.lines[0].level);
}

TEST_F(xics_test, a_displaced_level_comes_again) {
    xics_bench bench(1);
    bench.cppr(0xff);
    bench.route(lsi, 0, 6);
    bench.level(lsi, true);
    bench.raise(msi);
    EXPECT_EQ(bench.accept(), msi);
    bench.eoi(msi);
    EXPECT_EQ(bench.accept(), lsi);
}

TEST_F(xics_test, an_interprocessor_interrupt_stays_wanted_until_mfrr_is_withdrawn) {
    xics_bench bench(2);
    bench.cppr(0xff, 1);
    EXPECT_TRUE(bench.controller.ipi(1, 4, xics_bench::now()));
    EXPECT_FALSE(bench.lines[0].level);
    EXPECT_EQ(bench.accept(1), ipi);
    EXPECT_TRUE(bench.eoi(ipi, 0xff, 1));
    EXPECT_EQ(bench.accept(1), ipi) << "MFRR still asks for it";
    bench.controller.ipi(1, 0xff, xics_bench::now());
    bench.eoi(ipi, 0xff, 1);
    EXPECT_FALSE(bench.lines[1].level);
    EXPECT_EQ(bench.controller.presented(ipi), 2U);
    EXPECT_FALSE(bench.controller.ipi(2, 4, xics_bench::now())) << "no such server";
}

TEST_F(xics_test, an_interprocessor_interrupt_and_a_message_displace_each_other_by_priority) {
    xics_bench bench(1);
    bench.cppr(0xff);
    bench.raise(msi);
    bench.controller.ipi(0, platform::msi_source_priority - 1, xics_bench::now());
    EXPECT_EQ(bench.accept(), ipi);
    bench.controller.ipi(0, 0xff, xics_bench::now());
    bench.eoi(ipi);
    EXPECT_EQ(bench.accept(), msi);
    bench.eoi(msi);
    // The other way round: the displaced interprocessor interrupt comes back through MFRR.
    bench.controller.ipi(0, platform::msi_source_priority + 1, xics_bench::now());
    bench.raise(msi);
    EXPECT_EQ(bench.accept(), msi);
    bench.eoi(msi);
    EXPECT_EQ(bench.accept(), ipi);
}

TEST_F(xics_test, an_interrupt_of_a_masked_source_is_kept) {
    xics_bench bench(1);
    bench.cppr(0xff);
    EXPECT_TRUE(bench.controller.int_off(msi, xics_bench::now()));
    EXPECT_TRUE(bench.controller.int_off(msi, xics_bench::now()));
    EXPECT_EQ(bench.controller.get_xive(msi), (source_routing{0, 0xff}));
    bench.raise(msi);
    EXPECT_FALSE(bench.lines[0].level);
    EXPECT_TRUE(bench.controller.int_on(msi, xics_bench::now()));
    EXPECT_EQ(bench.controller.get_xive(msi), (source_routing{0, platform::msi_source_priority}));
    EXPECT_EQ(bench.accept(), msi);
    bench.eoi(msi);
    EXPECT_FALSE(bench.lines[0].level);
    bench.controller.int_off(msi, xics_bench::now());
    bench.controller.int_on(msi, xics_bench::now());
    EXPECT_FALSE(bench.lines[0].level) << "it has been delivered";
}

// What cannot be presented is not tried: each trial would be a rejection on record.
TEST_F(xics_test, what_waits_is_offered_only_to_a_server_that_takes_it) {
    xics_bench bench(2);
    const auto rejections = [&] {
        return bench.recorder.metrics().find_counter("xics", "interrupts_rejected")->value();
    };
    bench.cppr(5, 1);
    bench.route(msi, 1, 5);
    bench.raise(msi);
    EXPECT_EQ(rejections(), 1U);
    bench.cppr(0xff, 0);
    EXPECT_EQ(rejections(), 1U) << "as favoured as the CPPR of its server";
    bench.cppr(6, 1);
    EXPECT_TRUE(bench.lines[1].level);
    const std::uint32_t other = msi + 2;
    bench.route(other, 1, 5);
    bench.raise(other);
    EXPECT_EQ(rejections(), 2U);
    bench.cppr(0xfe, 0);
    EXPECT_EQ(rejections(), 2U) << "as favoured as what its server has been presented";
    EXPECT_EQ(bench.accept(1), msi);
    bench.eoi(msi, 0xff, 1);
    EXPECT_EQ(bench.accept(1), other);
}

TEST_F(xics_test, a_waiting_interrupt_follows_its_source_to_another_server) {
    xics_bench bench(2);
    bench.cppr(0xff, 1);
    bench.raise(msi);
    EXPECT_FALSE(bench.lines[0].level);
    EXPECT_TRUE(bench.route(msi, 1, 5));
    EXPECT_EQ(bench.accept(1), msi);
}

TEST_F(xics_test, what_does_not_exist_is_refused) {
    xics_bench bench(2);
    const sc_time now = xics_bench::now();
    EXPECT_FALSE(bench.route(msi, 2, 5));
    EXPECT_EQ(bench.controller.get_xive(msi), (source_routing{0, platform::msi_source_priority}))
        << "unchanged";
    EXPECT_FALSE(bench.route(msi - 1, 0, 5));
    EXPECT_FALSE(bench.controller.int_off(3, now));
    EXPECT_FALSE(bench.controller.int_on(3, now));
    EXPECT_FALSE(bench.controller.get_xive(3).has_value());
    EXPECT_FALSE(bench.raise(lsi)) << "a message for a level source";
    EXPECT_FALSE(bench.level(msi, true)) << "a level for a message source";
    EXPECT_FALSE(bench.raise(platform::source_end));
    EXPECT_FALSE(bench.eoi(0)) << "end of the spurious interrupt";
    EXPECT_THROW(bench.controller.xirr(2, now), std::logic_error);
}

TEST_F(xics_test, messages_go_to_their_own_servers) {
    xics_bench bench(4);
    for (unsigned server = 0; server < 4; ++server) {
        bench.cppr(0xff, server);
    }
    for (std::uint32_t n = 0; n < 8; ++n) {
        bench.raise(msi + n);
    }
    for (unsigned server = 0; server < 4; ++server) {
        EXPECT_EQ(bench.accept(server), msi + server);
        bench.eoi(msi + server, 0xff, server);
        EXPECT_EQ(bench.accept(server), msi + server + 4);
    }
    const report::tally& by_server = *bench.recorder.metrics().find_tally("xics", "interrupts_presented");
    for (unsigned server = 0; server < 4; ++server) {
        EXPECT_EQ(by_server.count(server), 2U);
    }
}

TEST_F(xics_test, an_interrupt_of_a_later_local_time_is_presented_then) {
    xics_bench bench(1);
    bench.cppr(0xff);
    bench.controller.raise(msi, sc_time(3, SC_US));
    bench.controller.raise(msi + 1, sc_time(1, SC_US));
    run(sc_time(999, SC_NS));
    EXPECT_FALSE(bench.lines[0].level);
    run(sc_time(2, SC_NS));
    EXPECT_TRUE(bench.lines[0].level);
    EXPECT_EQ(bench.accept(), msi + 1);
    bench.eoi(msi + 1);
    EXPECT_FALSE(bench.lines[0].level);
    run(sc_time(5, SC_US));
    ASSERT_EQ(bench.lines[0].changes.size(), 3U);
    EXPECT_EQ(bench.lines[0].changes[2], (std::pair{sc_time(3, SC_US), true}));
}

TEST_F(xics_test, a_call_at_a_later_local_time_sees_what_was_raised_before_it) {
    xics_bench bench(1);
    bench.cppr(0xff);
    bench.controller.raise(msi, sc_time(2, SC_US));
    EXPECT_EQ(bench.controller.xirr(0, sc_time(1, SC_US)) & 0xff'ffff, 0U);
    EXPECT_EQ(bench.controller.xirr(0, sc_time(2, SC_US)) & 0xff'ffff, msi);
    run(sc_time(5, SC_US));
    EXPECT_EQ(bench.controller.presented(msi), 1U) << "it happened once";
}

TEST_F(xics_test, level_changes_of_one_moment_keep_their_order) {
    xics_bench bench(1);
    bench.cppr(0xff);
    bench.route(lsi, 0, 4);
    bench.controller.set_level(lsi, true, sc_time(1, SC_US));
    bench.controller.set_level(lsi, false, sc_time(1, SC_US));
    run(sc_time(2, SC_US));
    ASSERT_EQ(bench.accept(), lsi);
    bench.eoi(lsi);
    EXPECT_FALSE(bench.lines[0].level) << "the last change was to inactive";
}

TEST_F(xics_test, it_needs_servers_and_a_line_for_each) {
    trace::recorder recorder;
    EXPECT_THROW(xics("no_servers", recorder, {.servers = 0}), std::invalid_argument);
    xics controller("two_servers", recorder, {.servers = 2});
    recorded_line line;
    controller.lines(line);
    EXPECT_THROW(run(sc_core::SC_ZERO_TIME), std::logic_error);
}

}  // namespace
}  // namespace pefsim::interrupt
