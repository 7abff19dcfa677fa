// SPDX-License-Identifier: Apache-2.0
#include "platform/progress.h"

#include <gtest/gtest.h>

#include <limits>

#include "guest/block_workload.h"
#include "platform/native/native_machine.h"
#include "tests/support/simulation.h"

namespace pefsim::platform {
namespace {

using sc_core::sc_time;

TEST(progress_line, tells_share_rate_and_time_left_where_the_end_is_known) {
    const sc_time now(34'087'595, sc_core::SC_NS);
    EXPECT_EQ(progress_line("blk", now, {.done = 1'000, .unit = "requests", .of = 4'000}, 10),
              "blk: 25 %, 34.1 ms simulated, 1,000 requests, 100 requests/s, 30 s left");
    EXPECT_EQ(progress_line("blk", now, {.done = 1'000, .unit = "requests"}, 10),
              "blk: 34.1 ms simulated, 1,000 requests, 100 requests/s");
    EXPECT_EQ(progress_line("blk", now, {.done = 0, .unit = "requests", .of = 4'000}, 10),
              "blk: 0 %, 34.1 ms simulated, 0 requests");
    EXPECT_EQ(progress_line("blk", now, {.done = 5'000, .unit = "requests", .of = 4'000}, 10),
              "blk: 100 %, 34.1 ms simulated, 5,000 requests, 500 requests/s");
    EXPECT_EQ(progress_line("cpu", now, {.done = 1, .unit = "instructions", .of = 1'000'000'000'000}, 0.001),
              "cpu: 0 %, 34.1 ms simulated, 1 instructions, 1.00 k instructions/s, 277777.8 h left");
}

/// What a workload says that it is going to do is what it has done in the end.
class expected_requests : public testing::simulation_test, public ::testing::WithParamInterface<unsigned> {};

TEST_P(expected_requests, are_those_that_a_workload_makes) {
    native_machine_config config;
    config.cpus = GetParam();
    config.disks = {{.size = 1U << 20}, {.size = 1U << 20}};
    native_machine subject("machine", config, 1);
    subject.load([](guest::kernel& kernel, cpu::native::native_cpu& cpu) {
        guest::copy_disk(kernel, cpu, kernel.block(0), kernel.block(1), {.chunk = 12'288});
        guest::run_block_workload_on_every_cpu(kernel, cpu, kernel.block(0),
                                               {.total_bytes = 1U << 18, .read_back = true});
    });
    std::uint64_t last = 0;
    subject.run([&last](const machine& running) {
        EXPECT_GE(running.how_far().done, last);
        last = running.how_far().done;
    });
    ASSERT_TRUE(subject.finished());
    EXPECT_GT(subject.how_far().done, 2U * 86 + 64);
    EXPECT_EQ(subject.how_far().done, subject.how_far().of.value() + 1) << "but for the flush";
}

INSTANTIATE_TEST_SUITE_P(cpus, expected_requests, ::testing::Values(1, 3));

}  // namespace
}  // namespace pefsim::platform
