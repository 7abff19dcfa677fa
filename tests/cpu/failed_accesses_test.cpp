// SPDX-License-Identifier: Apache-2.0
#include "cpu/failed_accesses.h"

#include "report/violations.h"
#include "tests/cpu/cpu_bench.h"

namespace pefsim::testing {

TEST_F(cpu_test, each_failed_access_is_a_violation_that_says_why) {
    using cpu::access_failure;
    struct failure_case {
        memory::access_kind kind;
        access_failure why;
        std::string_view detail;
    };
    constexpr failure_case cases[] = {
        {memory::access_kind::read, access_failure::no_answer, "read: nothing answers at this address"},
        {memory::access_kind::write, access_failure::page_missing,
         "write: the page is still not there after 8 storage interrupts"},
        {memory::access_kind::read, access_failure::bus_error, "read: the page fault ended in a bus error"},
        {memory::access_kind::fetch, access_failure::no_code, "fetch: no memory to execute"},
        {memory::access_kind::write, access_failure::mmio_no_answer, "write: MMIO: nothing answers"},
        {memory::access_kind::read, access_failure::mmio_unfinished,
         "read: MMIO: not done after 8 storage interrupts"},
    };
    cpu_bench bench;
    cpu::failed_accesses failed(bench.recorder, "cpu3", 8);
    const sc_time when(70, sc_core::SC_NS);
    for (const failure_case& each : cases) {
        failed.report({.at = phys_addr{0x1230}, .kind = each.kind, .size = 4}, each.why, when);
    }
    const auto kept = bench.recorder.violations().kept();
    ASSERT_EQ(kept.size(), std::size(cases));
    for (std::size_t i = 0; i < kept.size(); ++i) {
        EXPECT_EQ(kept[i].kind, report::violation_kind::bad_address);
        EXPECT_EQ(kept[i].who, "cpu3");
        EXPECT_EQ(kept[i].address, 0x1230U);
        EXPECT_EQ(kept[i].size, 4U);
        EXPECT_EQ(kept[i].when, when);
        EXPECT_EQ(kept[i].detail, cases[i].detail);
    }
}

}  // namespace pefsim::testing
