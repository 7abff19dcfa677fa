// SPDX-License-Identifier: Apache-2.0
#include "interrupt/interrupt_sources.h"

#include <gtest/gtest.h>

namespace pefsim::interrupt {
namespace {

namespace platform = abi::platform;
constexpr std::uint32_t msi = platform::first_msi_source;
constexpr std::uint32_t lsi = platform::first_lsi_source;

TEST(interrupt_sources_test, firmware_routes_messages_round_robin_and_masks_other_sources) {
    const interrupt_sources sources(3);
    for (std::uint32_t n = 0; n < platform::msi_source_count; ++n) {
        ASSERT_EQ(sources.find(msi + n)->server, n % 3) << n;
        ASSERT_EQ(sources.find(msi + n)->priority, platform::msi_source_priority);
        ASSERT_FALSE(sources.find(msi + n)->level_sensitive);
    }
    for (std::uint32_t n = 0; n < platform::lsi_source_count; ++n) {
        ASSERT_TRUE(sources.find(lsi + n)->level_sensitive);
        ASSERT_EQ(sources.find(lsi + n)->priority, masked_priority);
    }
    EXPECT_FALSE(sources.find(platform::terminal_source)->level_sensitive);
    EXPECT_EQ(sources.find(platform::terminal_source)->priority, masked_priority);
    EXPECT_EQ(sources.find(platform::terminal_source)->server, 0U);
}

TEST(interrupt_sources_test, numbers_outside_the_range_are_no_sources) {
    interrupt_sources sources(1);
    for (const std::uint32_t number : {0U, platform::ipi_source, msi - 1, platform::source_end, ~0U}) {
        EXPECT_EQ(sources.find(number), nullptr) << number;
    }
}

TEST(interrupt_sources_test, a_source_waits_while_it_has_something_to_present) {
    struct row {
        const char* what;
        interrupt_source source;
        bool waits;
    };
    const row rows[] = {
        {"rejected message", {.priority = 5, .rejected = true}, true},
        {"masked message", {.priority = masked_priority, .rejected = true}, false},
        {"idle message", {.priority = 5}, false},
        {"asserted level", {.priority = 5, .level_sensitive = true, .asserted = true}, true},
        {"level in service", {.priority = 5, .level_sensitive = true, .asserted = true, .sent = true}, false},
        {"masked level", {.priority = masked_priority, .level_sensitive = true, .asserted = true}, false},
        {"idle level", {.priority = 5, .level_sensitive = true}, false},
    };
    for (const row& each : rows) {
        interrupt_sources sources(1);
        *sources.find(msi + 70) = each.source;
        sources.note(msi + 70);
        EXPECT_EQ(sources.waiting(msi), each.waits ? msi + 70 : 0) << each.what;
    }
}

TEST(interrupt_sources_test, waiting_sources_are_found_in_order_across_words) {
    interrupt_sources sources(1);
    const std::uint32_t numbers[] = {msi, msi + 63, msi + 64, msi + 255, lsi + 3};
    for (const std::uint32_t number : numbers) {
        interrupt_source& source = *sources.find(number);
        source.priority = 1;
        source.rejected = source.asserted = true;
        sources.note(number);
    }
    std::uint32_t from = msi;
    for (const std::uint32_t number : numbers) {
        EXPECT_EQ(sources.waiting(from), number);
        from = number + 1;
    }
    EXPECT_EQ(sources.waiting(from), 0U);
}

}  // namespace
}  // namespace pefsim::interrupt
