// SPDX-License-Identifier: Apache-2.0
#include "platform/quantity.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace pefsim::platform {
namespace {

using sc_core::sc_time;

TEST(quantity, sizes_are_powers_of_1024) {
    EXPECT_EQ(parse_size("4096"), 4096U);
    EXPECT_EQ(parse_size("4KiB"), 4096U);
    EXPECT_EQ(parse_size("1.5 MiB"), 1572864U);
    EXPECT_EQ(parse_size("64GiB"), std::uint64_t{64} << 30);
    EXPECT_EQ(parse_size("0"), 0U);
}

TEST(quantity, sizes_of_disks_are_powers_of_1000) {
    EXPECT_EQ(parse_size("1GB"), 1'000'000'000U);
    EXPECT_EQ(parse_size("1 GB"), 1'000'000'000U);
    EXPECT_EQ(parse_size("0.5kB"), 500U);
    EXPECT_EQ(parse_size("1.5TB"), 1'500'000'000'000U);
    EXPECT_EQ(format_size(1'000'000'000), "1GB");
    EXPECT_EQ(format_size(1'500'000'000), "1500MB");
    EXPECT_EQ(format_size(1'000), "1000B");
    EXPECT_EQ(format_size(1'024'000'000), "1000000KiB");
}

TEST(quantity, what_is_not_a_size_is_named) {
    for (const char* text : {"", "KiB", "-1", "4KB", "4gb", "1.5", "1.5B", "9.3EB", "10000000TB", "4 K iB",
                             "1e30", "nan", "inf", "0.1KiB"}) {
        EXPECT_THROW(parse_size(text), std::invalid_argument) << text;
    }
    try {
        parse_size("4KB");
        FAIL();
    } catch (const std::invalid_argument& error) {
        EXPECT_STREQ(error.what(), "'4KB' is not a size; units: B, KiB, MiB, GiB, TiB, kB, MB, GB, TB");
    }
}

TEST(quantity, durations_need_a_unit) {
    EXPECT_EQ(parse_duration("10us"), sc_time(10, sc_core::SC_US));
    EXPECT_EQ(parse_duration("1.5 ms"), sc_time(1500, sc_core::SC_US));
    EXPECT_EQ(parse_duration("0"), sc_core::SC_ZERO_TIME);
    EXPECT_THROW(parse_duration("10"), std::invalid_argument);
    EXPECT_THROW(parse_duration("10 min"), std::invalid_argument);
    EXPECT_THROW(parse_duration("-1us"), std::invalid_argument);
    EXPECT_THROW(parse_duration("1e30s"), std::invalid_argument);
}

TEST(quantity, what_is_formatted_reads_back) {
    for (const std::uint64_t bytes : {0ULL, 1ULL, 512ULL, 4096ULL, 65537ULL, 1ULL << 20, 3ULL << 29,
                                      1ULL << 40, 1'000'000'000ULL, 123'000'000ULL, (1ULL << 53) - 1}) {
        EXPECT_EQ(parse_size(format_size(bytes)), bytes);
    }
    for (const char* text : {"0ps", "1ps", "999ps", "1.001ns", "250ns", "10us", "34.087595ms", "1.5ms",
                             "100s", "12345.678901234567s", "2305843.009213693951s"}) {
        EXPECT_EQ(format_duration(parse_duration(text)), text);
    }
}

}  // namespace
}  // namespace pefsim::platform
