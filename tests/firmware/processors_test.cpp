// SPDX-License-Identifier: Apache-2.0
//
// query-cpu-stopped-state, start-cpu, stop-self.
#include <gtest/gtest.h>

#include "power/registers.h"
#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

using abi::rtas;
using abi::rtas_status;

class processors_test : public testing::simulation_test {
protected:
    static constexpr std::uint32_t none[] = {2, 64, 0x8000'0000, 0xffff'ffff};

    firmware_bench bench;
};

TEST_F(processors_test, a_stopped_processor_starts_in_64_bit_real_mode_big_endian) {
    bench.cpus[1].is_stopped = true;
    EXPECT_EQ(bench.rtas(rtas::query_cpu_stopped_state, {1}).results, (words{0, 0}));
    bench.delay = sc_core::sc_time(3, sc_core::SC_US);
    EXPECT_EQ(bench.rtas(rtas::start_cpu, {1, 0x8000'1000, 0xcafe'0001}).rtas(), rtas_status::success);
    ASSERT_EQ(bench.cpus[1].started.size(), 1U);
    const auto& order = bench.cpus[1].started[0];
    EXPECT_EQ(order.with.nip, 0x8000'1000U);
    EXPECT_EQ(order.with.r3, 0xcafe'0001U);
    EXPECT_EQ(order.with.msr, power::msr_sf | power::msr_me);
    EXPECT_GE(order.when, sc_core::sc_time(3, sc_core::SC_US)) << "not before its caller's own time";
    EXPECT_LE(order.when, bench.delay);
    EXPECT_EQ(bench.rtas(rtas::query_cpu_stopped_state, {1}).results, (words{0, 2}));
}

TEST_F(processors_test, one_that_runs_cannot_be_started) {
    EXPECT_EQ(bench.rtas(rtas::query_cpu_stopped_state, {0}).results, (words{0, 2}));
    EXPECT_EQ(bench.rtas(rtas::start_cpu, {0, 0, 0}).rtas(), rtas_status::hardware_error);
    EXPECT_EQ(bench.rtas(rtas::start_cpu, {1, 0, 0}).rtas(), rtas_status::hardware_error);
    EXPECT_TRUE(bench.cpus[1].started.empty());
}

TEST_F(processors_test, a_number_that_is_no_server_is_a_parameter_error) {
    for (const std::uint32_t number : none) {
        EXPECT_EQ(bench.rtas(rtas::query_cpu_stopped_state, {number}).rtas(), rtas_status::parameter_error);
        EXPECT_EQ(bench.rtas(rtas::start_cpu, {number, 0, 0}).rtas(), rtas_status::parameter_error);
    }
}

TEST_F(processors_test, stop_self_stops_its_caller_and_no_other) {
    EXPECT_EQ(bench.rtas(rtas::stop_self, {}, 1).rtas(), rtas_status::success);
    EXPECT_TRUE(bench.cpus[1].is_stopped);
    EXPECT_FALSE(bench.cpus[0].is_stopped);
    EXPECT_EQ(bench.rtas(rtas::query_cpu_stopped_state, {1}).results, (words{0, 0}));
    EXPECT_EQ(bench.rtas(rtas::stop_self, {}, 1).rtas(), rtas_status::hardware_error) << "it has stopped";
}

}  // namespace
}  // namespace pefsim::firmware
