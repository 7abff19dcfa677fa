// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <set>

#include "trace/violations.h"

namespace pefsim::trace {
namespace {

violation of_kind(violation_kind kind) { return {{}, kind, "cpu0", 0, 0, "", 0, ""}; }

TEST(violation_log, counts_all_and_keeps_the_first) {
    violation_log log;
    for (std::size_t i = 0; i < violation_log::capacity + 5; ++i) {
        log.report({{}, violation_kind::iommu_fault, "virtio-net0", i, 8, "", 0, ""});
    }
    log.report(of_kind(violation_kind::bad_address));
    EXPECT_EQ(log.total(), violation_log::capacity + 6);
    EXPECT_EQ(log.count(violation_kind::iommu_fault), violation_log::capacity + 5);
    EXPECT_EQ(log.count(violation_kind::bad_address), 1U);
    EXPECT_EQ(log.count(violation_kind::call_refused), 0U);
    ASSERT_EQ(log.kept().size(), violation_log::capacity);
    EXPECT_EQ(log.kept().back().address, violation_log::capacity - 1);
}

TEST(violation_log, tells_its_observers_of_those_it_does_not_keep) {
    struct counting final : violation_log::observer {
        std::size_t seen = 0;
        void violated(const violation& /*what*/) override { ++seen; }
    } observer;
    violation_log log;
    log.observe(observer);
    for (std::size_t i = 0; i < violation_log::capacity + 5; ++i) {
        log.report(of_kind(violation_kind::dma_mapping));
    }
    EXPECT_EQ(observer.seen, violation_log::capacity + 5);
}

TEST(violation_log, every_kind_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < violation_kinds; ++i) {
        names.insert(to_name(static_cast<violation_kind>(i)));
    }
    EXPECT_EQ(names.size(), violation_kinds);
    EXPECT_EQ(to_name(violation_kind::guest_terminated), "guest_terminated");
}

}  // namespace
}  // namespace pefsim::trace
