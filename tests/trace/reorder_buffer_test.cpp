// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <vector>

#include "trace/reorder_buffer.h"

namespace pefsim::trace {
namespace {

using change = value_change;

struct arrival {
    std::uint64_t time;
    std::uint32_t number;
    friend bool operator==(const arrival&, const arrival&) = default;
};
std::ostream& operator<<(std::ostream& to, const arrival& a) {
    return to << '#' << a.number << " at " << a.time;
}

/// Lets changes arrive in order of `ahead`, simulation time advancing by `step` each time; some releases in between.
std::vector<arrival> through_buffer(const std::vector<std::pair<unsigned, bool>>& arrivals,
                                    std::uint64_t& now, std::vector<arrival>& arrived) {
    reorder_buffer buffer;
    std::vector<arrival> released;
    const auto take = [&](const change& c) {
        EXPECT_EQ(c.number, c.id);
        released.push_back({c.time, c.id});
    };
    for (const auto& [ahead, release] : arrivals) {
        const arrival next{now + ahead, static_cast<std::uint32_t>(arrived.size())};
        arrived.push_back(next);
        buffer.add(change::of_number(next.time, next.number, next.number));
        if (release) {
            std::ranges::for_each(buffer.release(now), take);
            for (const arrival& r : released) {
                EXPECT_LE(r.time, now);
            }
            now += 3;
        }
    }
    std::ranges::for_each(buffer.release(~std::uint64_t{0}), take);
    return released;
}

TEST(reorder_buffer, is_a_stable_sort_by_time_whenever_it_releases) {
    EXPECT_TRUE(rc::check([](const std::vector<std::pair<std::uint8_t, bool>>& steps) {
        std::vector<std::pair<unsigned, bool>> arrivals;
        for (const auto& [ahead, release] : steps) {
            arrivals.emplace_back(ahead % 20, release);
        }
        std::uint64_t now = 0;
        std::vector<arrival> expected;
        const std::vector<arrival> released = through_buffer(arrivals, now, expected);
        std::ranges::stable_sort(expected, {}, &arrival::time);
        RC_ASSERT(released == expected);
    }));
}

TEST(reorder_buffer, merges_many_long_runs) {
    reorder_buffer buffer;
    std::vector<arrival> expected;
    std::uint32_t number = 0;
    for (std::uint64_t process = 0; process < 37; ++process) {
        for (std::uint64_t step = 0; step < 1 + process * 29; ++step) {
            const std::uint64_t time = 1000 + step * 3 + process % 5;
            buffer.add(change::of_number(time, number, 0));
            expected.push_back({time, number++});
        }
    }
    EXPECT_TRUE(buffer.full());
    std::ranges::stable_sort(expected, {}, &arrival::time);
    std::vector<arrival> released;
    for (std::uint64_t now = 0; now < 5000; now += 100) {
        for (const change& c : buffer.release(now)) {
            released.push_back({c.time, c.id});
        }
    }
    EXPECT_EQ(released, expected);
}

TEST(reorder_buffer, sorts_changes_that_lie_as_far_apart_as_time_goes) {
    reorder_buffer buffer;
    std::vector<arrival> expected;
    std::uint32_t number = 0;
    for (unsigned bits = 64; bits-- > 0;) {
        for (const std::uint64_t below : {0, 1, 0}) {
            const std::uint64_t time = (~std::uint64_t{0} >> bits) - below;
            buffer.add(change::of_number(time, number, 0));
            expected.push_back({time, number++});
        }
        std::vector<arrival> sorted = expected;
        std::ranges::stable_sort(sorted, {}, &arrival::time);
        reorder_buffer copy = buffer;
        std::vector<arrival> released;
        for (const change& c : copy.release(~std::uint64_t{0})) {
            released.push_back({c.time, c.id});
        }
        ASSERT_EQ(released, sorted);
    }
}

TEST(reorder_buffer, keeps_texts) {
    reorder_buffer buffer;
    buffer.add(change::of_text(2, 1, "second"));
    buffer.add(change::of_text(1, 0, "first"));
    std::string seen;
    for (const change& c : buffer.release(10)) {
        seen += std::string(c.characters()) + ' ';
    }
    EXPECT_EQ(seen, "first second ");
}

TEST(reorder_buffer, does_not_ask_for_release_after_each_change_when_much_is_held_back) {
    reorder_buffer buffer;
    std::size_t releases = 0;
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        buffer.add(change::of_number(1'000'000 + i, i, i));
        if (buffer.full()) {
            ASSERT_TRUE(buffer.release(0).empty());
            ++releases;
        }
    }
    EXPECT_LT(releases, 10U);
}

}  // namespace
}  // namespace pefsim::trace
