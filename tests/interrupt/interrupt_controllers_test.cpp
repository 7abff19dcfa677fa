// SPDX-License-Identifier: Apache-2.0
#include "interrupt/interrupt_controllers.h"

#include <gtest/gtest.h>

#include "tests/interrupt/xive_bench.h"

namespace pefsim::interrupt {
namespace {

using sc_core::sc_time;
using sc_core::SC_US;

constexpr std::uint32_t msi = abi::platform::first_msi_source;
constexpr std::uint32_t lsi = abi::platform::first_lsi_source;

/// Both controllers on the same line, the guest not having chosen yet.
struct both {
    both() { bench.controller.enable(false, xive_bench::now()); }

    bool choose(controller_kind kind) { return subject.choose(kind, xive_bench::now()); }
    bool raise(std::uint32_t source, const sc_time& delay = {}) { return subject.raise(source, delay); }
    bool level(std::uint32_t source, bool asserted) {
        return subject.set_level(source, asserted, sc_core::SC_ZERO_TIME);
    }
    bool line() {
        xive_bench::settle();
        return bench.lines[0].level;
    }
    std::uint32_t accept() { return xics_controller.xirr(0, xive_bench::now()) & 0xff'ffff; }

    trace::recorder recorder;
    xics xics_controller{"xics", recorder, {.servers = 1}};
    xive_bench bench{1, &xics_controller};
    interrupt_controllers subject{xics_controller, &bench.controller};
};

class interrupt_controllers_test : public testing::simulation_test {
protected:
    both both_;
};

TEST_F(interrupt_controllers_test, sources_reach_the_one_that_is_chosen) {
    EXPECT_EQ(both_.subject.active(), controller_kind::xics);
    EXPECT_EQ(both_.subject.exploited(), nullptr);
    both_.xics_controller.cppr(0, 0xff, xive_bench::now());
    EXPECT_TRUE(both_.raise(msi));
    EXPECT_EQ(both_.accept(), msi);
    ASSERT_TRUE(both_.choose(controller_kind::xive));
    EXPECT_EQ(both_.subject.active(), controller_kind::xive);
    EXPECT_EQ(both_.subject.exploited(), &both_.bench.controller);
    both_.bench.open(msi);
    EXPECT_TRUE(both_.raise(msi));
    EXPECT_TRUE(both_.line());
    EXPECT_EQ(both_.bench.acknowledge(), 0x8000 | xive_bench::priority);
    EXPECT_EQ(both_.xics_controller.presented(msi), 0U) << "its counts are gone with the choice";
    EXPECT_TRUE(both_.raise(0)) << "XIVE's own";
    EXPECT_FALSE(both_.raise(lsi));
    EXPECT_FALSE(both_.level(msi, true));
    ASSERT_TRUE(both_.choose(controller_kind::xics));
    EXPECT_FALSE(both_.raise(0));
}

TEST_F(interrupt_controllers_test, what_is_pending_or_under_way_is_lost_with_the_choice) {
    both_.xics_controller.cppr(0, 0xff, xive_bench::now());
    both_.raise(msi);
    ASSERT_TRUE(both_.line());
    both_.raise(msi + 1, sc_time(5, SC_US));
    ASSERT_TRUE(both_.choose(controller_kind::xive));
    EXPECT_FALSE(both_.line());
    run(sc_time(10, SC_US));
    EXPECT_FALSE(both_.line());
    both_.bench.open(msi);
    both_.raise(msi);
    ASSERT_TRUE(both_.line());
    ASSERT_TRUE(both_.choose(controller_kind::xics));
    EXPECT_FALSE(both_.line());
    both_.xics_controller.cppr(0, 0xff, xive_bench::now());
    EXPECT_FALSE(both_.line());
    both_.raise(msi);
    EXPECT_TRUE(both_.line());
    ASSERT_TRUE(both_.choose(controller_kind::xics)) << "again";
    EXPECT_TRUE(both_.line()) << "no choice, no change";
}

TEST_F(interrupt_controllers_test, wires_keep_their_level) {
    both_.level(lsi, true);
    both_.level(lsi + 1, true);
    both_.level(lsi + 1, false);
    both_.choose(controller_kind::xive);
    both_.bench.open(lsi + 1);
    EXPECT_FALSE(both_.line());
    both_.bench.open(lsi);
    EXPECT_TRUE(both_.line());
    both_.level(lsi, false);
    both_.level(lsi + 1, true);
    both_.choose(controller_kind::xics);
    both_.xics_controller.cppr(0, 0xff, xive_bench::now());
    EXPECT_FALSE(both_.line()) << "level sources are masked at the begin";
    both_.xics_controller.set_xive(lsi, {0, 5}, xive_bench::now());
    EXPECT_FALSE(both_.line());
    both_.xics_controller.set_xive(lsi + 1, {0, 5}, xive_bench::now());
    EXPECT_TRUE(both_.line());
    EXPECT_EQ(both_.accept(), lsi + 1);
}

// A CPU that chooses is ahead of the simulation: the wires are not seen before its time, as they are seen behind it.
TEST_F(interrupt_controllers_test, wires_are_seen_when_the_choice_is_made) {
    both_.level(lsi, true);
    run(sc_time(1, SC_US));
    ASSERT_TRUE(both_.subject.choose(controller_kind::xive, xive_bench::now() + sc_time(5, SC_US)));
    both_.bench.open(lsi);
    EXPECT_FALSE(both_.line());
    run(sc_time(4, SC_US));
    EXPECT_FALSE(both_.line());
    run(sc_time(1, SC_US));
    EXPECT_TRUE(both_.line());
    ASSERT_TRUE(both_.subject.choose(controller_kind::xics, xive_bench::now() - sc_time(2, SC_US)));
    both_.xics_controller.cppr(0, 0xff, xive_bench::now());
    both_.xics_controller.set_xive(lsi, {0, 5}, xive_bench::now());
    EXPECT_TRUE(both_.line()) << "a choice of the past is made now";
}

TEST_F(interrupt_controllers_test, a_machine_without_xive_stays_with_xics) {
    interrupt_controllers alone(both_.xics_controller);
    EXPECT_FALSE(alone.has_xive());
    EXPECT_FALSE(alone.choose(controller_kind::xive, xive_bench::now()));
    EXPECT_EQ(alone.active(), controller_kind::xics);
    EXPECT_TRUE(alone.choose(controller_kind::xics, xive_bench::now()));
    EXPECT_TRUE(alone.raise(msi, sc_core::SC_ZERO_TIME));
}

}  // namespace
}  // namespace pefsim::interrupt
