// SPDX-License-Identifier: Apache-2.0
#include "cpu/power_cpu/range_set.h"

#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <vector>

namespace pefsim::cpu {
namespace {

using range = range_set::range;

std::vector<range> content(const range_set& of) { return {of.ranges().begin(), of.ranges().end()}; }

TEST(range_set, keeps_what_is_apart_and_joins_what_touches) {
    range_set set;
    EXPECT_TRUE(set.empty());
    set.add(100, 199);
    set.add(0, 9);
    set.add(300, 399);
    EXPECT_EQ(content(set), (std::vector<range>{{0, 9}, {100, 199}, {300, 399}}));
    set.add(200, 250);
    set.add(10, 10);
    set.add(0, 5);
    EXPECT_EQ(content(set), (std::vector<range>{{0, 10}, {100, 250}, {300, 399}}));
    set.add(50, 350);
    EXPECT_EQ(content(set), (std::vector<range>{{0, 10}, {50, 399}}));
    set.add(8, ~std::uint64_t{0});
    EXPECT_EQ(content(set), (std::vector<range>{{0, ~std::uint64_t{0}}}));
    set.clear();
    EXPECT_TRUE(set.empty());
}

TEST(range_set, joins_the_nearest_when_there_are_too_many) {
    range_set set;
    for (std::uint64_t n = 0; n < range_set::most; ++n) {
        set.add(1000 * n, 1000 * n + 9);
    }
    set.add(5500, 5509);
    ASSERT_EQ(set.ranges().size(), range_set::most);
    const std::vector<range> found = content(set);
    EXPECT_NE(std::ranges::find(found, range{5000, 5509}), found.end());
}

TEST(range_set, holds_all_that_was_added) {
    std::uint64_t state = 1;
    for (int round = 0; round < 200; ++round) {
        range_set set;
        std::vector<range> added;
        for (int n = 0; n < 40; ++n) {
            state = state * 6364136223846793005 + 1442695040888963407;
            const std::uint64_t first = state >> 52;
            added.push_back({first, first + (state >> 40 & 0x3f)});
            set.add(added.back().first, added.back().last);
        }
        std::uint64_t behind = 0;
        for (const range& each : set.ranges()) {
            EXPECT_TRUE(behind == 0 || each.first > behind);  // in order, apart
            EXPECT_LE(each.first, each.last);
            behind = each.last + 1;
        }
        for (const range& wanted : added) {
            EXPECT_TRUE(std::ranges::any_of(set.ranges(), [&wanted](const range& each) {
                return each.first <= wanted.first && wanted.last <= each.last;
            }));
        }
    }
}

}  // namespace
}  // namespace pefsim::cpu
