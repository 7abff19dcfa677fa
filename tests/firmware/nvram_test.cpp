// SPDX-License-Identifier: Apache-2.0
//
// nvram-fetch, nvram-store, and what stands there at the beginning: read as PAPR 2.8, 8.4, says, by the way that Linux
// sums headers up (16-bit words, folded twice), which is not how pefsim does it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/firmware/firmware_bench.h"

namespace pefsim::firmware {
namespace {

using abi::rtas;
using abi::rtas_status;

class nvram_test : public testing::simulation_test {
protected:
    static constexpr std::uint32_t buffer = firmware_bench::buffer_at;
    static constexpr std::uint32_t size = nvram::size;

    answer fetch(std::uint32_t index, std::uint32_t to, std::uint32_t length) {
        return bench.rtas(rtas::nvram_fetch, {index, to, length});
    }
    answer store(std::uint32_t index, std::uint32_t from, std::uint32_t length) {
        return bench.rtas(rtas::nvram_store, {index, from, length});
    }
    std::vector<std::byte> all() {
        EXPECT_EQ(fetch(0, buffer, size).results, (words{0, size}));
        return bench.get(buffer, size);
    }

    firmware_bench bench;
};

unsigned sum_of_words(std::span<const std::byte> header) {
    unsigned sum = std::to_integer<unsigned>(header[0]);  // the checksum's own byte is left out
    for (std::size_t at = 2; at < 16; at += 2) {
        sum += std::to_integer<unsigned>(header[at]) << 8 | std::to_integer<unsigned>(header[at + 1]);
    }
    sum = ((sum & 0xffff) + (sum >> 16)) & 0xffff;
    return ((sum + ((sum >> 8) + (sum << 8))) >> 8) & 0xff;
}

TEST_F(nvram_test, begins_with_partitions_that_fill_it) {
    const std::vector<std::byte> bytes = all();
    std::vector<std::pair<unsigned, std::string>> partitions;
    std::size_t at = 0;
    while (at < bytes.size()) {
        const auto header = std::span(bytes).subspan(at, 16);
        const std::size_t blocks = std::to_integer<std::size_t>(header[2]) << 8 |
                                   std::to_integer<std::size_t>(header[3]);
        ASSERT_GT(blocks, 0U);
        EXPECT_EQ(std::to_integer<unsigned>(header[1]), sum_of_words(header)) << at;
        std::string name(reinterpret_cast<const char*>(&header[4]), 12);
        partitions.emplace_back(std::to_integer<unsigned>(header[0]), name.substr(0, name.find('\0')));
        // Variables: texts, behind the last one an empty one.
        EXPECT_EQ(bytes[at + 16], std::byte{0});
        at += 16 * blocks;
    }
    EXPECT_EQ(at, bytes.size());
    ASSERT_EQ(partitions.size(), 2U);
    EXPECT_EQ(partitions[0], std::pair(0x70U, std::string("common")));
    EXPECT_EQ(partitions[1], std::pair(0x7fU, std::string(12, 'w'))) << "free: 8.4.2";
}

TEST_F(nvram_test, keeps_what_is_stored) {
    bench.put(buffer, "what a machine remembers");
    EXPECT_EQ(store(size - 24, buffer, 24).results, (words{0, 24}));
    EXPECT_EQ(fetch(size - 24, buffer + 100, 24).results, (words{0, 24}));
    EXPECT_EQ(bench.get_text(buffer + 100, 24), "what a machine remembers");
    EXPECT_EQ(fetch(size - 19, buffer + 200, 1).results, (words{0, 1}));
    EXPECT_EQ(bench.get_text(buffer + 200, 2), std::string("a\0", 2)) << "no byte more";
    EXPECT_EQ(store(size, 0xffff'ffff, 0).results, (words{0, 0})) << "nothing, from nowhere";
}

TEST_F(nvram_test, nothing_moves_beyond_its_end) {
    const std::vector<std::byte> before = all();
    bench.put(buffer, std::string(64, 'x'));
    const std::vector<std::byte> guests = bench.get(buffer, 64);
    for (const auto& [index, length] :
         std::initializer_list<std::pair<std::uint32_t, std::uint32_t>>{{size - 1, 2},
                                                                        {size, 1},
                                                                        {0, size + 1},
                                                                        {1, size},
                                                                        {0xffff'ffff, 1},
                                                                        {0xffff'ffff, 2},
                                                                        {2, 0xffff'ffff},
                                                                        {size + 1, 0},
                                                                        {0xffff'ffff, 0}}) {
        EXPECT_EQ(fetch(index, buffer, length).results, (words{static_cast<std::uint32_t>(-3), 0})) << index;
        EXPECT_EQ(store(index, buffer, length).results, (words{static_cast<std::uint32_t>(-3), 0})) << index;
    }
    EXPECT_EQ(bench.get(buffer, 64), guests);
    EXPECT_EQ(all(), before);
}

TEST_F(nvram_test, a_buffer_that_is_no_memory_moves_nothing) {
    const std::vector<std::byte> before = all();
    constexpr auto end = static_cast<std::uint32_t>(firmware_bench::default_ram);
    for (const std::uint32_t at : {end - 15, end, 0xffff'fff0U, 0xffff'ffffU}) {
        EXPECT_EQ(fetch(0, at, 16).results, (words{static_cast<std::uint32_t>(-3), 0})) << at;
        EXPECT_EQ(store(0, at, 16).results, (words{static_cast<std::uint32_t>(-3), 0})) << at;
    }
    EXPECT_EQ(fetch(0, end - 16, 16).results, (words{0, 16})) << "to the last byte";
    EXPECT_EQ(all(), before);
}

}  // namespace
}  // namespace pefsim::firmware
