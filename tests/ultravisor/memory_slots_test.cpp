// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/memory_slots.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <set>
#include <utility>
#include <vector>

namespace pefsim::ultravisor {

TEST(memory_slots, ranges_over_adjoining_slots) {
    memory_slots slots;
    slots.add({.id = 7, .first = 16, .pages = 8});
    slots.add({.id = 3, .first = 0, .pages = 16});
    slots.add({.id = 5, .first = 30, .pages = 2});
    EXPECT_TRUE(slots.contains(0, 24));
    EXPECT_TRUE(slots.contains(15, 2));
    EXPECT_FALSE(slots.contains(15, 10));
    EXPECT_FALSE(slots.contains(23, 8)) << "a hole between";
    EXPECT_TRUE(slots.contains(30, 2));
    EXPECT_FALSE(slots.contains(30, 3));
    EXPECT_FALSE(slots.contains(0, 0));
    EXPECT_FALSE(slots.contains(1, ~std::uint64_t{0})) << "wraps around";
    EXPECT_TRUE(slots.overlaps(23, 1));
    EXPECT_FALSE(slots.overlaps(24, 6));
    EXPECT_EQ(slots.find(5)->first, 30U);
    EXPECT_FALSE(slots.find(4));
    slots.remove(7);
    EXPECT_FALSE(slots.contains(16));
    EXPECT_TRUE(slots.contains(15));
}

RC_GTEST_PROP(memory_slots, agrees_with_a_set_of_pages, ()) {
    memory_slots slots;
    std::set<abi::gfn> pages;
    std::uint64_t id = 0;
    const auto candidates = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 60), rc::gen::inRange(1, 9)));
    for (const auto& [first, count] : candidates) {
        bool taken = false;
        for (int i = 0; i < count; ++i) {
            taken |= pages.contains(first + i);
        }
        RC_ASSERT(slots.overlaps(first, count) == taken);
        if (!taken && id < memory_slots::max_slots) {
            slots.add({.id = id++,
                       .first = static_cast<abi::gfn>(first),
                       .pages = static_cast<std::uint64_t>(count)});
            for (int i = 0; i < count; ++i) {
                pages.insert(first + i);
            }
        }
    }
    const int first = *rc::gen::inRange(0, 70);
    const int count = *rc::gen::inRange(1, 20);
    bool all = true;
    for (int i = 0; i < count; ++i) {
        all &= pages.contains(first + i);
        RC_ASSERT(slots.contains(first + i) == pages.contains(first + i));
    }
    RC_ASSERT(slots.contains(first, count) == all);
}

}  // namespace pefsim::ultravisor
