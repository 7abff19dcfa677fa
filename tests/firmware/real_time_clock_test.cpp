// SPDX-License-Identifier: Apache-2.0
//
// get-time-of-day, set-time-of-day.
#include <gtest/gtest.h>

#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

using abi::rtas;
using abi::rtas_status;
using sc_core::sc_time;

class real_time_clock_test : public testing::simulation_test {
protected:
    /// Year, month, day, hour, minute, second, nanosecond.
    words time() {
        words got = bench.rtas(rtas::get_time_of_day, {}).results;
        EXPECT_EQ(got[0], 0U);
        got.erase(got.begin());
        return got;
    }
    rtas_status set(const words& to) { return bench.rtas(rtas::set_time_of_day, to).rtas(); }
    /// The caller's own time, to which the calls' own cost comes.
    void at(const sc_time& when) { bench.delay = when; }

    firmware_bench bench;
};

TEST_F(real_time_clock_test, begins_at_the_operators_date_and_goes_with_simulated_time) {
    at(sc_core::SC_ZERO_TIME);
    words now = time();
    EXPECT_EQ(words(now.begin(), now.begin() + 6), (words{2018, 7, 20, 0, 0, 0}));
    EXPECT_LT(now[6], 100'000U);
    at(sc_time(86'400 + 3661, sc_core::SC_SEC));
    now = time();
    EXPECT_EQ(words(now.begin(), now.begin() + 6), (words{2018, 7, 21, 1, 1, 1}));
    at(sc_time(500, sc_core::SC_MS));
    EXPECT_EQ(time()[6] / 1'000'000, 500U);
}

TEST_F(real_time_clock_test, goes_on_from_what_it_was_set_to) {
    at(sc_time(1000, sc_core::SC_SEC));
    EXPECT_EQ(set({2024, 2, 28, 23, 59, 59, 999'000'000}), rtas_status::success);
    at(sc_time(1001, sc_core::SC_SEC));
    words now = time();
    EXPECT_EQ(words(now.begin(), now.begin() + 6), (words{2024, 2, 29, 0, 0, 0})) << "a leap year";
    EXPECT_EQ(set({2023, 2, 28, 23, 59, 59, 500'000'000}), rtas_status::success);
    at(sc_time(1002, sc_core::SC_SEC));
    now = time();
    EXPECT_EQ(words(now.begin(), now.begin() + 6), (words{2023, 3, 1, 0, 0, 0}));
}

TEST_F(real_time_clock_test, a_date_that_does_not_exist_is_refused_and_changes_nothing) {
    const words right{2020, 2, 29, 23, 59, 59, 999'999'999};
    ASSERT_EQ(set(right), rtas_status::success);
    const words wrong[] = {{1969, 12, 31, 0, 0, 0, 0},      {2261, 1, 1, 0, 0, 0, 0},
                           {0xffff'ffff, 1, 1, 0, 0, 0, 0}, {0x8000'07e4, 1, 1, 0, 0, 0, 0},
                           {2020, 0, 1, 0, 0, 0, 0},        {2020, 13, 1, 0, 0, 0, 0},
                           {2020, 0x101, 1, 0, 0, 0, 0},  // not what its last byte says
                           {2020, 1, 0, 0, 0, 0, 0},        {2020, 1, 32, 0, 0, 0, 0},
                           {2020, 1, 0x101, 0, 0, 0, 0},    {2020, 4, 31, 0, 0, 0, 0},
                           {2019, 2, 29, 0, 0, 0, 0},       {2100, 2, 29, 0, 0, 0, 0},
                           {2020, 1, 1, 24, 0, 0, 0},       {2020, 1, 1, 0, 60, 0, 0},
                           {2020, 1, 1, 0, 0, 60, 0},       {2020, 1, 1, 0, 0, 0, 1'000'000'000}};
    for (const words& each : wrong) {
        EXPECT_EQ(set(each), rtas_status::parameter_error) << each[0] << '-' << each[1] << '-' << each[2];
    }
    EXPECT_EQ(time()[0], 2020U);
    EXPECT_EQ(time()[1], 3U) << "the day after";
    for (const words& each : {words{1970, 1, 1, 0, 0, 0, 0}, words{2000, 2, 29, 0, 0, 0, 0},
                              words{2260, 12, 31, 23, 59, 59, 999'999'999}}) {
        EXPECT_EQ(set(each), rtas_status::success) << each[0];
    }
}

TEST_F(real_time_clock_test, has_no_end_within_simulated_time) {
    at(sc_core::SC_ZERO_TIME);
    ASSERT_EQ(set({2260, 12, 31, 23, 59, 59, 999'999'999}), rtas_status::success);
    at(sc_time::from_value(sc_core::sc_max_time().value() - 10'000'000));  // 213 days
    EXPECT_EQ(time()[0], 2261U);
}

}  // namespace
}  // namespace pefsim::firmware
