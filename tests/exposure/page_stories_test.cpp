// SPDX-License-Identifier: Apache-2.0
#include "exposure/page_stories.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pefsim::exposure {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;

sc_core::sc_time at(std::uint64_t ticks) { return sc_core::sc_time::from_value(ticks); }

constexpr std::uint64_t page_size = abi::page_size;
constexpr attribution copy{.initiator = 1, .origin = 0x100};
constexpr attribution copy_further_on{.initiator = 1, .origin = 0x104};
constexpr attribution ring{.initiator = 1, .origin = 0x200};
constexpr attribution device{.initiator = 2};

struct processor final : caller {
    attribution calls_from() override { return ring; }
};

class page_stories_test : public ::testing::Test {
protected:
    call_in_progress call_;
    page_stories stories_{[](std::uint64_t origin) {
                              return origin == 0      ? std::string()
                                     : origin < 0x200 ? std::string("memcpy")
                                                      : std::string("add_buffer");
                          },
                          call_};
    std::vector<story_line> lines() { return stories_.all().at(0).lines; }
};

TEST_F(page_stories_test, nothing_is_watched_unless_asked_for) {
    EXPECT_FALSE(stories_.any());
    EXPECT_FALSE(stories_.watched(0));
    stories_.watch(abi::phys_addr{3 * page_size + 100}, page_size, "NORMAL");
    EXPECT_FALSE(stories_.watched(2));
    EXPECT_TRUE(stories_.watched(3));
    EXPECT_TRUE(stories_.watched(4));
    EXPECT_FALSE(stories_.watched(5));
    EXPECT_EQ(stories_.all().size(), 2U);
    EXPECT_EQ(stories_.all()[0].state, "NORMAL");
}

TEST_F(page_stories_test, equal_events_are_one_line) {
    stories_.watch(abi::phys_addr{0}, page_size, "NORMAL");
    for (std::uint64_t i = 0; i < 1'000'000; ++i) {
        stories_.wrote(abi::phys_addr{8 * (i % 100)}, 8, i % 2 == 0 ? copy : copy_further_on, at(10 + i));
        if (i % 1000 == 0) {
            stories_.read(abi::phys_addr{0x40}, 16, device, at(10 + i));
        }
    }
    ASSERT_EQ(lines().size(), 2U);
    const story_line write = lines()[0];
    EXPECT_EQ(write.what, page_act::written);
    EXPECT_EQ(write.function, "memcpy");
    EXPECT_EQ(write.count, 1'000'000U);
    EXPECT_EQ(write.bytes, 8'000'000U);
    EXPECT_EQ(write.first, at(10));
    EXPECT_EQ(write.last, at(10 + 999'999));
    EXPECT_EQ(write.begin, 0U);
    EXPECT_EQ(write.end, 800U);
    EXPECT_THAT(write.places, ElementsAre(0x100U, 0x104U));
    EXPECT_EQ(lines()[1].what, page_act::read);
    EXPECT_EQ(lines()[1].count, 1000U);
}

TEST_F(page_stories_test, a_state_begins_a_chapter) {
    stories_.watch(abi::phys_addr{0}, page_size, "NORMAL");
    stories_.wrote(abi::phys_addr{0}, 8, copy, at(1));
    {
        processor cpu;
        const call_in_progress::scope in(call_, "UV_SHARE_PAGE", cpu);
        stories_.became(0, "SECURE", "SHARED", at(2));
    }
    stories_.wrote(abi::phys_addr{0}, 8, copy, at(3));
    stories_.became(0, "SHARED", "SHARED_INV", at(4));
    EXPECT_THAT(lines(), ElementsAre(Field(&story_line::what, page_act::written),
                                     Field(&story_line::detail, "SECURE -> SHARED in UV_SHARE_PAGE"),
                                     Field(&story_line::what, page_act::written),
                                     Field(&story_line::detail, "SHARED -> SHARED_INV")));
    EXPECT_EQ(lines()[1].function, "add_buffer");
    EXPECT_EQ(lines()[3].initiator, 0);
    EXPECT_EQ(stories_.all()[0].state, "SHARED_INV");
}

TEST_F(page_stories_test, writers_and_outcomes_are_kept_apart) {
    stories_.watch(abi::phys_addr{0}, page_size, "SECURE");
    stories_.wrote(abi::phys_addr{0}, 8, copy, at(1));
    stories_.wrote(abi::phys_addr{0}, 8, ring, at(2));
    stories_.wrote(abi::phys_addr{0}, 8, device, at(3));
    stories_.refused(abi::phys_addr{0}, 8, device, "bus error", at(4));
    stories_.refused(abi::phys_addr{0}, 8, device, "reads ciphertext", at(5));
    stories_.named(abi::phys_addr{0}, 8, device, "a buffer", at(6));
    EXPECT_EQ(lines().size(), 6U);
}

TEST_F(page_stories_test, only_the_watched_part_of_an_access_is_told) {
    stories_.watch(abi::phys_addr{page_size - 16}, 32, "NORMAL");
    stories_.wrote(abi::phys_addr{page_size - 32}, 16, copy, at(1));  // ends before it
    stories_.wrote(abi::phys_addr{page_size - 20}, 12, copy, at(2));
    stories_.read(abi::phys_addr{page_size + 8}, 100, device, at(3));
    const auto all = stories_.all();
    ASSERT_EQ(all.size(), 2U);
    ASSERT_EQ(all[0].lines.size(), 1U);
    EXPECT_EQ(all[0].lines[0].begin, page_size - 16);
    EXPECT_EQ(all[0].lines[0].end, page_size - 8);
    ASSERT_EQ(all[1].lines.size(), 1U);
    EXPECT_EQ(all[1].lines[0].begin, 8U);
    EXPECT_EQ(all[1].lines[0].bytes, 8U);
}

TEST_F(page_stories_test, what_is_watched_twice_is_told_once) {
    stories_.watch(abi::phys_addr{0x100}, 0x10, "NORMAL");
    stories_.watch(abi::phys_addr{0x200}, 0x10, "NORMAL");
    stories_.watch(abi::phys_addr{0x80}, 0x200, "NORMAL");
    stories_.wrote(abi::phys_addr{0x100}, 8, copy, at(1));
    stories_.wrote(abi::phys_addr{0x208}, 8, copy, at(2));
    ASSERT_EQ(lines().size(), 1U);
    EXPECT_EQ(lines()[0].count, 2U);
    EXPECT_EQ(lines()[0].bytes, 16U);
}

TEST_F(page_stories_test, what_runs_ahead_is_told_in_time) {
    stories_.watch(abi::phys_addr{0}, page_size, "NORMAL");
    stories_.wrote(abi::phys_addr{0}, 8, copy, at(9));
    stories_.wrote(abi::phys_addr{0}, 8, copy, at(5));
    EXPECT_EQ(lines()[0].first, at(5));
    EXPECT_EQ(lines()[0].last, at(9));
}

TEST_F(page_stories_test, a_story_has_an_end) {
    stories_.watch(abi::phys_addr{0}, page_size, "SHARED");
    for (std::uint64_t i = 0; i < page_stories::most_lines; ++i) {
        stories_.became(0, "SHARED", "SHARED_INV", at(2 * i));
        stories_.became(0, "SHARED_INV", "SHARED", at(2 * i + 1));
    }
    EXPECT_EQ(lines().size(), page_stories::most_lines);
    EXPECT_EQ(stories_.all()[0].untold, page_stories::most_lines);
}

}  // namespace
}  // namespace pefsim::exposure
