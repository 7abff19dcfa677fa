// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "report/violations.h"

namespace pefsim::report {
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

TEST(violation_log, equal_ones_are_a_group_with_first_time_and_count) {
    const auto at = [](unsigned us) { return sc_core::sc_time(us, sc_core::SC_US); };
    violation_log log;
    for (unsigned i = 0; i < 20'000; ++i) {
        log.report({at(10 + i), violation_kind::iommu_fault, "virtio-net0", 0x1000 * i, 8 + i, "", i,
                    "TCE " + std::to_string(i) + " of LIOBN 0x8000f is not valid"});
    }
    log.report(
        {at(1), violation_kind::iommu_fault, "virtio-net1", 0, 8, "", 0, "TCE 3 of LIOBN 0x2 is not valid"});
    log.report({at(2), violation_kind::iommu_fault, "virtio-net0", 0, 8, "", 0,
                "TCE 3 of LIOBN 0x2 forbids writes"});
    log.report(
        {at(3), violation_kind::bad_address, "virtio-net0", 0, 8, "", 0, "TCE 3 of LIOBN 0x2 is not valid"});
    ASSERT_EQ(log.groups().size(), 4U) << "other initiator, other detail, other kind";
    const violation_group& group = log.groups()[0];
    EXPECT_EQ(group.count, 20'000U) << "those that are not kept are counted, too";
    EXPECT_EQ(group.first.when, at(10));
    EXPECT_EQ(group.last, at(20'009));
    EXPECT_EQ(group.first.detail, "TCE 0 of LIOBN 0x8000f is not valid");
    EXPECT_EQ(log.groups()[1].first.who, "virtio-net1");
    EXPECT_EQ(log.total(), 20'003U);
}

TEST(violation_log, notes_are_no_violations) {
    violation_log log;
    log.report(of_kind(violation_kind::shared_content));
    log.report(of_kind(violation_kind::past_buffer));
    log.report(of_kind(violation_kind::bad_address));
    EXPECT_EQ(log.total(), 1U);
    EXPECT_EQ(log.notes(), 2U);
    EXPECT_EQ(log.groups().size(), 3U);
}

}  // namespace
}  // namespace pefsim::report
