// SPDX-License-Identifier: Apache-2.0
#include "cpu/time_base.h"

#include <gtest/gtest.h>

#include "tests/support/simulation.h"

namespace pefsim::testing {

class time_base_test : public simulation_test {};

TEST_F(time_base_test, ticks_are_exact_in_small_and_large) {
    const cpu::time_base ticks;
    EXPECT_EQ(ticks.ticks_at(sc_core::SC_ZERO_TIME), 0U);
    EXPECT_EQ(ticks.ticks_at(sc_core::sc_time(1, sc_core::SC_US)), 512U);
    EXPECT_EQ(ticks.ticks_at(sc_core::sc_time(1, sc_core::SC_SEC)), cpu::time_base::frequency);
    // A tick is 1.953125 ns: 1953 ps are none, 1954 ps are one.
    EXPECT_EQ(ticks.ticks_at(sc_core::sc_time(1953, sc_core::SC_PS)), 0U);
    EXPECT_EQ(ticks.ticks_at(sc_core::sc_time(1954, sc_core::SC_PS)), 1U);
    // Ten weeks and a tick: more than a double holds to the unit.
    const std::uint64_t weeks = 10ULL * 7 * 24 * 3600 * cpu::time_base::frequency + 1;
    const auto units = static_cast<std::uint64_t>(ticks.units_of(weeks));
    EXPECT_EQ(ticks.ticks_at(units), weeks);
    EXPECT_EQ(ticks.ticks_at(units - 1), weeks - 1);
}

TEST_F(time_base_test, the_first_unit_of_a_tick_is_found) {
    const cpu::time_base ticks;
    for (std::uint64_t tick = 1; tick < 100'000; tick += 7) {
        const auto units = static_cast<std::uint64_t>(ticks.units_of(tick));
        ASSERT_EQ(ticks.ticks_at(units), tick);
        ASSERT_EQ(ticks.ticks_at(units - 1), tick - 1);
    }
}

}  // namespace pefsim::testing
