// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/tce_allocator.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <set>
#include <vector>

namespace pefsim::dma_ops {

namespace {

constexpr std::size_t one_gib = 262'144;  // entries of 4 KiB
constexpr std::uint64_t no_limit = ~std::uint64_t{0};

}  // namespace

TEST(tce_allocator, never_gives_out_entry_0) {
    tce_allocator table(64);
    std::set<std::size_t> seen;
    while (const auto first = table.allocate(1, 0, no_limit, 0)) {
        EXPECT_TRUE(seen.insert(*first).second);
    }
    EXPECT_EQ(seen.size(), 63U);
    EXPECT_EQ(*seen.begin(), 1U);
    EXPECT_EQ(table.used(), 63U);
}

TEST(tce_allocator, small_requests_go_to_a_pool_by_cpu_and_large_ones_to_the_top) {
    tce_allocator table(one_gib);
    EXPECT_EQ(table.pools(), 5U);
    const std::size_t pool_size = one_gib * 3 / 4 / 4;
    constexpr std::array homes{0U, 1U, 3U, 0U};  // hash_32(cpu, 2)
    for (unsigned cpu = 0; cpu < 4; ++cpu) {
        const unsigned home = homes.at(cpu);
        EXPECT_EQ(table.home_pool(1, cpu), home);
        const auto first = table.allocate(1, cpu, no_limit, 0);
        EXPECT_EQ(*first / pool_size, home);
        EXPECT_EQ(table.pool_of(*first), home);
    }
    EXPECT_EQ(*table.allocate(16, 0, no_limit, 0), 4 * pool_size);
    EXPECT_EQ(*table.allocate(16, 3, no_limit, 0), 4 * pool_size + 16);
    EXPECT_LT(*table.allocate(15, 0, no_limit, 0), 4 * pool_size);
    EXPECT_EQ(tce_allocator(one_gib - 1).pools(), 2U);
}

TEST(tce_allocator, hint_moves_on_to_the_next_block) {
    tce_allocator table(1024);
    EXPECT_EQ(*table.allocate(1, 0, no_limit, 0), 1U);
    EXPECT_EQ(*table.allocate(3, 0, no_limit, 0), 16U);
    EXPECT_EQ(*table.allocate(15, 0, no_limit, 0), 32U);
    table.free(16, 3);
    EXPECT_EQ(*table.allocate(1, 0, no_limit, 0), 48U);  // not back into what was freed
}

TEST(tce_allocator, falls_back_to_other_pools) {
    tce_allocator table(1024);  // small: 0 .. 767, large: 768 .. 1023
    std::vector<std::size_t> taken;
    while (const auto first = table.allocate(32, 0, no_limit, 0)) {
        taken.push_back(*first);
    }
    EXPECT_EQ(taken.size(), 8U + 23);  // entry 0 spoils one
    EXPECT_GE(taken[7], 768U);
    EXPECT_LT(taken[8], 768U);
    while (table.allocate(1, 0, no_limit, 0)) {
    }
    EXPECT_EQ(table.used(), 1023U);
}

TEST(tce_allocator, respects_what_a_device_can_address) {
    tce_allocator table(one_gib);
    for (unsigned cpu = 0; cpu < 8; ++cpu) {
        for (const std::size_t pages : {1U, 20U}) {
            const auto first = table.allocate(pages, cpu, 255, 0);
            ASSERT_TRUE(first);
            EXPECT_LE(*first + pages - 1, 255U);
        }
    }
    EXPECT_FALSE(table.allocate(300, 0, 255, 0));
}

// iommu_range_alloc(): a device that cannot address the rest of its pool begins again in pool 0, not in its own.
TEST(tce_allocator, a_device_of_short_reach_begins_again_in_pool_0) {
    constexpr std::size_t pool_1 = one_gib * 3 / 4 / 4;
    tce_allocator table(one_gib);
    for (std::size_t entry = pool_1; entry < pool_1 + 64; entry += 16) {
        EXPECT_EQ(table.allocate(1, 1, pool_1 + 78, 0), entry);
    }
    EXPECT_EQ(table.allocate(15, 1, pool_1 + 77, 0), 1U) << "one entry too few is left";
    EXPECT_EQ(table.allocate(15, 1, pool_1 + 78, 0), pool_1 + 1) << "the second pass had its hint go back";
    EXPECT_EQ(table.allocate(1, 1, pool_1 + 15, 0), 16U) << "its hint lies behind what it can address";
}

// The same, "in case the previous allocation was at the very end": but from the start of its own pool.
TEST(tce_allocator, a_hint_at_the_end_of_its_pool_goes_back_to_the_pools_start) {
    constexpr std::size_t pool_1 = one_gib * 3 / 4 / 4;
    tce_allocator table(one_gib);
    for (std::size_t entry = pool_1; entry < 2 * pool_1; entry += tce_allocator::block) {
        ASSERT_EQ(table.allocate(1, 1, no_limit, 0), entry);
    }
    EXPECT_EQ(table.allocate(1, 1, pool_1 + 78, 0), pool_1 + 1)
        << "within the reach of a device of short reach";
    EXPECT_EQ(table.allocate(1, 1, no_limit, 0), pool_1 + 17);
}

RC_GTEST_PROP(tce_allocator_property, agrees_with_a_naive_model, ()) {
    const auto entries = *rc::gen::element<std::size_t>(64, 200, 1000, one_gib);
    tce_allocator table(entries);
    std::vector<bool> used(entries);
    used[0] = true;
    struct live {
        std::size_t first;
        std::size_t pages;
    };
    std::vector<live> alive;
    const auto steps = *rc::gen::inRange(1, 200);
    for (int step = 0; step < steps; ++step) {
        if (alive.empty() || *rc::gen::weightedElement<bool>({{3, true}, {2, false}})) {
            const auto pages = *rc::gen::inRange<std::size_t>(1, 40);
            const auto order = *rc::gen::weightedElement<unsigned>({{3, 0}, {1, 4}});
            const auto last = *rc::gen::weightedOneOf<std::uint64_t>(
                {{3, rc::gen::just(no_limit)}, {1, rc::gen::inRange<std::uint64_t>(40, entries)}});
            const auto first = table.allocate(pages, *rc::gen::inRange(0U, 8U), last, order);
            const auto is_free = [&](std::size_t at) {
                return std::none_of(used.begin() + static_cast<std::ptrdiff_t>(at),
                                    used.begin() + static_cast<std::ptrdiff_t>(at + pages),
                                    [](bool b) { return b; });
            };
            if (first) {
                RC_ASSERT(*first + pages <= entries);
                RC_ASSERT(*first + pages - 1 <= last);
                RC_ASSERT(*first % (std::size_t{1} << order) == 0U);
                RC_ASSERT(is_free(*first));
                std::fill_n(used.begin() + static_cast<std::ptrdiff_t>(*first), pages, true);
                alive.push_back({*first, pages});
            } else {
                // Full: no pool by itself has room (a range never lies in two).
                const std::size_t large = entries < one_gib ? entries * 3 / 4 : one_gib * 3 / 4;
                for (std::size_t at = 0;
                     at + pages <= std::min<std::size_t>(large, last + 1) && entries < one_gib;
                     at += std::size_t{1} << order) {
                    RC_ASSERT(!is_free(at));
                }
            }
        } else {
            const auto which = *rc::gen::inRange<std::size_t>(0, alive.size());
            table.free(alive[which].first, alive[which].pages);
            std::fill_n(used.begin() + static_cast<std::ptrdiff_t>(alive[which].first), alive[which].pages,
                        false);
            alive.erase(alive.begin() + static_cast<std::ptrdiff_t>(which));
        }
    }
    std::size_t total = 0;
    for (const live& each : alive) {
        total += each.pages;
    }
    RC_ASSERT(table.used() == total);
    for (std::size_t i = 0; i < std::min<std::size_t>(entries, 2000); ++i) {
        RC_ASSERT(table.is_used(i) == used[i]);
    }
}

}  // namespace pefsim::dma_ops
