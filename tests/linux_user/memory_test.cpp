// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <random>
#include <string>

#include "linux_user/address_space.h"
#include "linux_user/free_ranges.h"
#include "linux_user/linux_abi.h"

namespace pefsim::linux_user {
namespace {

constexpr std::uint64_t page = 4096;
constexpr unsigned usual = linux_abi::prot_read | linux_abi::prot_write;

TEST(FreeRanges, AgreeWithABitForEachPage) {
    constexpr std::uint64_t low = 16;
    constexpr std::uint64_t high = 300;
    std::mt19937_64 random(1);
    free_ranges ranges(low, high);
    std::vector<bool> is_free(400, false);
    std::fill(is_free.begin() + low, is_free.begin() + high, true);
    for (int i = 0; i < 20000; ++i) {
        const std::uint64_t start = random() % 320;
        const std::uint64_t end = start + random() % (random() % 8 == 0 ? 80 : 12);
        const bool gives = random() % 2 == 0;
        gives ? ranges.give(start, end) : ranges.take(start, end);
        for (std::uint64_t at = std::max(start, low); at < std::min(end, high); ++at) {
            is_free[at] = gives;
        }
        const std::uint64_t size = 1 + random() % 20;
        std::optional<std::uint64_t> expected;
        for (std::uint64_t at = low, run = 0; at < high; ++at) {
            run = is_free[at] ? run + 1 : 0;
            if (run >= size) {
                expected = at + 1 - size;
            }
        }
        ASSERT_EQ(ranges.highest(size), expected);
    }
}

TEST(FreeRanges, LookAtFewNodesAmongMany) {
    constexpr std::uint64_t count = 200'000;
    free_ranges ranges(0, 4 * count + 8);
    for (std::uint64_t i = 0; i < count; ++i) {  // holes of three, and one of eight at the bottom
        ranges.take(4 * i + 8, 4 * i + 9);
    }
    ASSERT_EQ(ranges.count(), count + 1);
    const std::uint64_t before = ranges.visited();
    EXPECT_EQ(ranges.highest(4), 4);
    EXPECT_EQ(ranges.highest(9), std::nullopt);
    EXPECT_EQ(ranges.highest(3), 4 * count + 5);
    EXPECT_LE(ranges.visited() - before, 3 * 2 * std::bit_width(count));
}

/// Work is counted, not timed: a search through all mappings would be 20'000'000'000 steps.
TEST(AddressSpace, TwoHundredThousandMappings) {
    constexpr std::uint64_t count = 200'000;
    constexpr std::uint64_t most_steps = 64;  // of a call
    address_space memory({.page_size = page, .bytes = std::uint64_t{8} << 30});
    memory.set_mapping_top(std::uint64_t{1} << 40);
    std::uint64_t lowest = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t before = memory.work();
        const auto at = memory.find_free(page);
        ASSERT_TRUE(at);
        ASSERT_EQ(memory.map(*at, page, usual, {}), 0);
        ASSERT_LE(memory.work() - before, most_steps);
        lowest = *at;
    }
    ASSERT_EQ(lowest, (std::uint64_t{1} << 40) - count * page);
    for (std::uint64_t i = 0; i < 1000; ++i) {  // holes, and what finds them
        const std::uint64_t before = memory.work();
        const std::uint64_t hole = lowest + (2 * i + 1) * page;
        ASSERT_EQ(memory.unmap(hole, page), 0);
        ASSERT_EQ(memory.find_free(page), hole);
        ASSERT_EQ(memory.find_free(2 * page), lowest - 2 * page);
        ASSERT_EQ(memory.map(hole, page, usual, {}), 0);
        ASSERT_LE(memory.work() - before, 3 * most_steps);
    }
}

TEST(AddressSpace, WhatIsStoredStays) {
    address_space memory({.page_size = page, .bytes = std::uint64_t{64} << 20});
    memory.set_mapping_top(std::uint64_t{1} << 32);
    std::map<std::uint64_t, std::uint64_t> stored;
    std::mt19937_64 random(1);
    for (int i = 0; i < 2000; ++i) {
        const std::uint64_t at = (1 + random() % 64) * 16 * page;
        const std::uint64_t size = (1 + random() % 40) * page;
        if (random() % 3 != 0) {
            ASSERT_EQ(memory.map(at, size, usual, {}), 0);
            for (std::uint64_t each = at; each < at + size; each += page) {
                stored[each] = 0;
            }
            stored[at] = random();
            ASSERT_TRUE(memory.put(at, stored[at]));
        } else {
            ASSERT_EQ(memory.unmap(at, size), 0);
            stored.erase(stored.lower_bound(at), stored.lower_bound(at + size));
        }
        ASSERT_EQ(memory.is_free(at, size), stored.lower_bound(at) == stored.lower_bound(at + size));
        const std::uint64_t look = (1 + random() % 1200) * page;
        std::uint64_t value = 0;
        const auto expected = stored.find(look);
        ASSERT_EQ(memory.get(look, value), expected != stored.end());
        if (expected != stored.end()) {
            ASSERT_EQ(value, expected->second);
        }
    }
}

}  // namespace
}  // namespace pefsim::linux_user
