// SPDX-License-Identifier: Apache-2.0
#include "cpu/dmi_table.h"

#include <array>
#include <gtest/gtest.h>

namespace pefsim::cpu {

namespace {

using abi::page_size;
using abi::phys_addr;

constexpr std::uint64_t quarter_gib = std::uint64_t{1} << 28;

struct dmi_table_test : ::testing::Test {
    std::array<std::byte, page_size> page{};
    std::array<std::byte, page_size> other{};
    dmi_table table;
};

}  // namespace

TEST_F(dmi_table_test, is_empty_at_first) {
    EXPECT_EQ(table.readable(phys_addr{0}, 1), nullptr);
    EXPECT_EQ(table.writable(phys_addr{0}, 1), nullptr);
}

TEST_F(dmi_table_test, grants_bytes_within_the_page_only) {
    table.grant(3, page.data(), true, true, false);
    const phys_addr base = abi::page_base(3);
    EXPECT_EQ(table.readable(base, page_size), page.data());
    EXPECT_EQ(table.readable(base + (page_size - 8), 8), page.data() + page_size - 8);
    EXPECT_EQ(table.readable(base + (page_size - 7), 8), nullptr);
    EXPECT_EQ(table.writable(base + (page_size - 7), 8), nullptr);
    EXPECT_EQ(table.readable(base - 1, 1), nullptr);
    EXPECT_EQ(table.readable(base + page_size, 1), nullptr);
    EXPECT_EQ(table.readable(base + quarter_gib, 1), nullptr);
    EXPECT_EQ(table.readable(phys_addr{~std::uint64_t{0}}, 1), nullptr);
}

TEST_F(dmi_table_test, keeps_reading_and_writing_apart) {
    table.grant(3, page.data(), true, false, false);
    EXPECT_NE(table.readable(abi::page_base(3), 1), nullptr);
    EXPECT_EQ(table.writable(abi::page_base(3), 1), nullptr);
    table.grant(3, page.data(), false, true, false);  // adds to the grant
    EXPECT_NE(table.readable(abi::page_base(3), 1), nullptr);
    EXPECT_NE(table.writable(abi::page_base(3), 1), nullptr);
    table.grant(3, other.data(), false, true, false);  // the page stands elsewhere now
    EXPECT_EQ(table.readable(abi::page_base(3), 1), nullptr);
    EXPECT_EQ(table.writable(abi::page_base(3), 1)->bytes, other.data());
}

TEST_F(dmi_table_test, no_page_displaces_another) {
    constexpr abi::gfn distances[] = {1, 1 << 10, 1 << 12, 1 << 16, (1 << 20) - 4};
    table.grant(3, page.data(), true, true, true);
    for (const abi::gfn distance : distances) {
        table.grant(3 + distance, other.data(), true, true, false);
    }
    EXPECT_EQ(table.readable(abi::page_base(3), 1), page.data());
    EXPECT_EQ(table.writable(abi::page_base(3), 1)->exposed, true);
    for (const abi::gfn distance : distances) {
        EXPECT_EQ(table.readable(abi::page_base(3 + distance), 1), other.data());
        EXPECT_EQ(table.writable(abi::page_base(3 + distance), 1)->exposed, false);
    }
    table.invalidate_all();
    EXPECT_EQ(table.readable(abi::page_base(3), 1), nullptr);
}

TEST_F(dmi_table_test, invalidates_what_overlaps) {
    const auto fill = [this] {
        for (abi::gfn frame = 1; frame <= 4; ++frame) {
            table.grant(frame, page.data(), true, true, false);
        }
    };
    fill();
    table.invalidate(abi::page_base(2) + (page_size - 1), abi::page_base(3));
    EXPECT_NE(table.readable(abi::page_base(1), 1), nullptr);
    EXPECT_EQ(table.readable(abi::page_base(2), 1), nullptr);
    EXPECT_EQ(table.writable(abi::page_base(3), 1), nullptr);
    EXPECT_NE(table.readable(abi::page_base(4), 1), nullptr);

    fill();
    table.invalidate(abi::page_base(2) + quarter_gib, abi::page_base(2) + quarter_gib);
    EXPECT_NE(table.readable(abi::page_base(2), 1), nullptr);
    table.grant(5000, page.data(), true, true, false);
    table.invalidate(abi::page_base(4), abi::page_base(5000) - 1);
    EXPECT_EQ(table.readable(abi::page_base(4), 1), nullptr);
    EXPECT_NE(table.readable(abi::page_base(5000), 1), nullptr);

    table.invalidate(phys_addr{0}, phys_addr{~std::uint64_t{0}});
    EXPECT_EQ(table.readable(abi::page_base(1), 1), nullptr);
}

}  // namespace pefsim::cpu
