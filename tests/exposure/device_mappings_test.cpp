// SPDX-License-Identifier: Apache-2.0
//
// Mappings that are learned from what drivers name to devices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "exposure/ledger.h"

namespace pefsim::exposure {
namespace {

constexpr std::uint64_t page_size = abi::page_size;
constexpr abi::phys_addr pool{16 * page_size};
constexpr abi::phys_addr ring{40 * page_size};

struct processor final : caller {
    attribution calls_from() override { return {.initiator = 1}; }
};

class device_mappings_test : public ::testing::Test {
protected:
    device_mappings_test() {
        ledger_.learn_mappings();
        const call_in_progress::scope in(ledger_.call(), "UV_SHARE_PAGE", cpu_);
        for (abi::gfn page = 16; page < 32; ++page) {
            ledger_.page_exposed(page, nullptr, sc_core::SC_ZERO_TIME, "SHARED");
        }
        ledger_.page_exposed(40, nullptr, sc_core::SC_ZERO_TIME, "SHARED");
    }
    void bounce(abi::phys_addr at, std::size_t size) {
        ledger_.wrote(at, size, {.initiator = cpu0_}, sc_core::SC_ZERO_TIME, nullptr);
    }
    [[nodiscard]] naming request(std::uint64_t number, bool writable = false) const {
        return {.device = disk_, .queue = 3, .request = number, .writable = writable};
    }
    [[nodiscard]] const queue_mappings& queue() const { return ledger_.learned().by_queue().at({disk_, 3}); }
    [[nodiscard]] std::uint32_t mapping_at(abi::phys_addr at) const {
        for (const exposed_extent& each : ledger_.extents(abi::gfn_of(at))) {
            if (each.begin <= abi::page_offset(at) && abi::page_offset(at) < each.end) {
                return each.writer.mapping;
            }
        }
        return 0;
    }

    processor cpu_;
    ledger ledger_;
    std::uint16_t cpu0_ = ledger_.name_initiator("cpu0");
    std::uint16_t disk_ = ledger_.name_initiator("disk");
};

TEST_F(device_mappings_test, a_pool_is_many_pages_of_one_call) {
    EXPECT_TRUE(ledger_.in_pool(16));
    EXPECT_TRUE(ledger_.in_pool(31));
    EXPECT_FALSE(ledger_.in_pool(32));
    EXPECT_FALSE(ledger_.in_pool(40));
}

TEST_F(device_mappings_test, bytes_belong_to_what_a_descriptor_names) {
    bounce(pool, 4096);
    ledger_.named(pool + 512, 1024, request(7));
    const std::uint32_t mapping = mapping_at(pool + 512);
    ASSERT_NE(mapping, 0U);
    EXPECT_EQ(mapping_at(pool + 511), 0U);
    EXPECT_EQ(mapping_at(pool + 1535), mapping);
    EXPECT_EQ(mapping_at(pool + 1536), 0U);
    const device_mapping* const found = ledger_.learned().find(mapping);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->how.device, disk_);
    EXPECT_EQ(found->how.queue, 3U);
    EXPECT_EQ(found->how.request, 7U);
    EXPECT_EQ(queue().buffers, 1U);
    EXPECT_EQ(queue().readable_bytes, 1024U);
    EXPECT_EQ(queue().guest_bytes, 1024U);
}

TEST_F(device_mappings_test, across_the_edge_of_a_page) {
    const abi::phys_addr edge = pool + page_size;
    bounce(edge - 100, 100);
    bounce(edge, 100);
    ledger_.named(edge - 50, 100, request(1));
    EXPECT_NE(mapping_at(edge - 1), 0U);
    EXPECT_EQ(mapping_at(edge - 1), mapping_at(edge));
    EXPECT_EQ(queue().guest_bytes, 100U);
}

TEST_F(device_mappings_test, a_mapping_lives_until_the_device_has_returned_it) {
    bounce(pool, 512);
    ledger_.named(pool, 512, request(1));
    ledger_.named(pool + 2048, 4096, request(1, true));
    EXPECT_EQ(queue().alive_bytes, 4608U);
    EXPECT_EQ(ledger_.summary().bytes_left_by_mappings, 0U);
    ledger_.returned(disk_, 1);
    EXPECT_EQ(queue().alive_bytes, 0U);
    EXPECT_EQ(queue().most_alive_bytes, 4608U);
    EXPECT_EQ(queue().writable_bytes, 4096U);
    EXPECT_EQ(ledger_.summary().bytes_left_by_mappings, 512U);
    EXPECT_EQ(ledger_.summary().bytes_left_standing, 512U);
    ledger_.returned(disk_, 1);  // twice, or never named: nothing
    ledger_.returned(disk_, 99);
    EXPECT_EQ(queue().alive_bytes, 0U);
}

TEST_F(device_mappings_test, a_table_belongs_to_the_request_that_is_read_with_it) {
    bounce(pool, 48);
    ledger_.named(pool, 48, {.device = disk_});
    ledger_.named(pool + 2048, 16, request(5));
    EXPECT_EQ(queue().tables, 1U);
    EXPECT_EQ(queue().table_bytes, 48U);
    EXPECT_EQ(queue().buffers, 1U);
    const device_mapping* const table = ledger_.learned().find(mapping_at(pool));
    ASSERT_NE(table, nullptr);
    EXPECT_TRUE(table->table);
    EXPECT_EQ(table->how.request, 5U);
    EXPECT_EQ(table->how.queue, 3U);
    ledger_.returned(disk_, 5);
    EXPECT_EQ(queue().alive_bytes, 0U);
}

TEST_F(device_mappings_test, a_virtqueue_is_none) {
    ledger_.named(ring, 4096, {.device = disk_, .queue = 3});
    EXPECT_EQ(queue().buffers, 0U);
    ASSERT_EQ(queue().rings.size(), 1U);
    EXPECT_EQ(queue().rings[0].at, ring);
}

TEST_F(device_mappings_test, what_is_put_back_and_named_again_counts_once) {
    ledger_.named(pool, 512, request(1));
    ledger_.named(pool, 512, request(1));
    EXPECT_EQ(queue().buffers, 1U);
    ledger_.returned(disk_, 1);
    ledger_.named(pool, 512, request(2));
    EXPECT_EQ(queue().buffers, 2U);
}

TEST_F(device_mappings_test, what_has_ended_and_stands_nowhere_is_forgotten) {
    bounce(pool, 512);
    ledger_.named(pool, 512, request(1));
    ledger_.named(pool + 8192, 512, request(2, true));  // and not returned
    const std::uint32_t first = mapping_at(pool);
    std::size_t most = 0;
    constexpr std::uint64_t requests = 100'000;
    for (std::uint64_t i = 3; i < 3 + requests; ++i) {
        bounce(pool + 4096, 512);
        ledger_.named(pool + 4096, 512, request(i));
        ledger_.returned(disk_, i);
        most = std::max(most, ledger_.learned().kept());
    }
    ledger_.returned(disk_, 1);
    EXPECT_LT(most, requests / 10);
    EXPECT_EQ(queue().buffers, requests + 2);
    EXPECT_EQ(queue().alive_bytes, 512U);
    ASSERT_NE(ledger_.learned().find(first), nullptr) << "its bytes are in place";
    EXPECT_EQ(ledger_.learned().find(first)->how.request, 1U);
    ASSERT_NE(ledger_.learned().find(first + 1), nullptr) << "it lives";
    ASSERT_NE(ledger_.learned().find(mapping_at(pool + 4096)), nullptr);
    EXPECT_EQ(ledger_.learned().find(mapping_at(pool + 4096))->how.request, requests + 2);
    EXPECT_EQ(ledger_.learned().find(first + 2), nullptr);
}

TEST_F(device_mappings_test, a_guest_that_tells_its_mappings_is_believed) {
    ledger telling;
    telling.page_exposed(16);
    telling.wrote(pool, 16, {.initiator = 1, .mapping = telling.new_mapping()}, sc_core::SC_ZERO_TIME,
                  nullptr);
    telling.named(pool, 16, request(1));
    EXPECT_EQ(telling.extents(16).at(0).writer.mapping, 1U);
    EXPECT_TRUE(telling.learned().by_queue().empty());
}

}  // namespace
}  // namespace pefsim::exposure
