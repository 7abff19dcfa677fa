// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/mapping_table.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <vector>

namespace pefsim::dma_ops {

namespace {

const dma_device disk{.name = "virtio-blk0"};
const dma_device card{.name = "virtio-net0"};

mapping make(std::uint64_t address, std::size_t size, std::uint32_t number,
             dma_data_direction direction = dma_data_direction::to_device, const dma_device& device = disk) {
    return {.address = dma_addr{address},
            .original = phys_addr{address},
            .size = size,
            .number = number,
            .direction = direction,
            .device = &device};
}

}  // namespace

TEST(mapping_table, prefers_the_mapping_with_this_size_and_direction) {
    mapping_table table;
    table.insert(make(0x1000, 512, 1));
    table.insert(make(0x1000, 4096, 2));
    table.insert(make(0x1000, 512, 3, dma_data_direction::from_device));
    table.insert(make(0x1000, 512, 4, dma_data_direction::to_device, card));
    const auto number = [&](std::size_t size, dma_data_direction direction, const dma_device& device) {
        const mapping* found = table.find(device, dma_addr{0x1000}, size, direction);
        return found == nullptr ? 0 : found->number;
    };
    EXPECT_EQ(number(512, dma_data_direction::to_device, disk), 1U);
    EXPECT_EQ(number(4096, dma_data_direction::to_device, disk), 2U);
    EXPECT_EQ(number(512, dma_data_direction::from_device, disk), 3U);
    EXPECT_EQ(number(512, dma_data_direction::to_device, card), 4U);
    EXPECT_NE(number(99, dma_data_direction::to_device, disk), 0U);  // some mapping of that address
    EXPECT_EQ(table.find(disk, dma_addr{0x1001}, 512, dma_data_direction::to_device), nullptr);
}

TEST(mapping_table, finds_the_mapping_around_a_range) {
    mapping_table table;
    table.insert(make(0x1000, 512, 1));
    table.insert(make(0x2000, 8192, 2));
    const auto number = [&table](std::uint64_t address, std::size_t size, const dma_device& device) {
        const mapping* found = table.containing(device, dma_addr{address}, size);
        return found == nullptr ? 0 : found->number;
    };
    EXPECT_EQ(number(0x1000, 512, disk), 1U);
    EXPECT_EQ(number(0x3000, 4096, disk), 2U);
    EXPECT_EQ(number(0x3000, 4097, disk), 2U);  // its first byte at least
    EXPECT_EQ(number(0x1000, 513, disk), 1U);   // from the mapping's first byte on
    EXPECT_EQ(number(0x11ff, 2, disk), 1U);     // its last byte only
    EXPECT_EQ(number(0x0fff, 2, disk), 0U);
    EXPECT_EQ(number(0x1200, 1, disk), 0U);
    EXPECT_EQ(number(0x1000, 1, card), 0U);
}

// Whichever of the two came first: their place in the table does not decide.
TEST(mapping_table, prefers_the_mapping_that_holds_the_whole_range) {
    const mapping whole = make(0x1000, 512, 1);
    const mapping part = make(0x1000, 400, 2);
    for (const bool whole_first : {true, false}) {
        mapping_table table;
        table.insert(whole_first ? whole : part);
        table.insert(whole_first ? part : whole);
        EXPECT_EQ(table.containing(disk, dma_addr{0x1000}, 512)->number, 1U);
        EXPECT_EQ(table.containing(disk, dma_addr{0x1064}, 512 - 0x64)->number, 1U);
        EXPECT_EQ(table.containing(disk, dma_addr{0x1064}, 401 - 0x64)->number, 1U);
    }
}

RC_GTEST_PROP(mapping_table_property, agrees_with_a_plain_list, ()) {
    mapping_table table;
    std::vector<mapping> plain;
    const auto steps = *rc::gen::inRange(1, 3000);
    for (int step = 0; step < steps; ++step) {
        if (plain.empty() || *rc::gen::weightedElement<bool>({{5, true}, {4, false}})) {
            plain.push_back(make(*rc::gen::inRange<std::uint64_t>(0, 600) * 2048,
                                 *rc::gen::inRange<std::size_t>(1, 9), static_cast<std::uint32_t>(step + 1)));
            table.insert(plain.back());
        } else {
            const auto which = plain.begin() + *rc::gen::inRange<std::ptrdiff_t>(
                                                   0, static_cast<std::ptrdiff_t>(plain.size()));
            const mapping* found = table.find(disk, which->address, which->size, which->direction);
            RC_ASSERT(found != nullptr);
            RC_ASSERT(found->address == which->address);
            RC_ASSERT(found->size == which->size);
            const std::uint32_t number = found->number;  // of equal mappings, any
            table.erase(found);
            std::erase_if(plain, [number](const mapping& each) { return each.number == number; });
        }
        RC_ASSERT(table.size() == plain.size());
    }
    for (const mapping& each : plain) {
        RC_ASSERT(table.find(disk, each.address, each.size, each.direction) != nullptr);
    }
}

}  // namespace pefsim::dma_ops
