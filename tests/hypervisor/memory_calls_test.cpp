// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

#include "tests/hypervisor/hypervisor_bench.h"

namespace pefsim::hypervisor {
namespace {

using abi::h_status;
using abi::hcall;

constexpr std::uint64_t bit(unsigned n) { return std::uint64_t{1} << (63 - n); }
constexpr std::uint64_t zero = bit(48);
constexpr std::uint64_t copy = bit(49);
constexpr std::uint64_t page = 4096;

class memory_calls_test : public testing::simulation_test {
protected:
    std::byte* at(std::uint64_t address) {
        return bench.bus.ram().write(memory::frame_kind::normal, abi::gfn_of(abi::phys_addr{address})) +
               abi::page_offset(abi::phys_addr{address});
    }
    void fill(std::uint64_t address, std::size_t size, unsigned first) {
        std::byte* const to = at(address);
        for (std::size_t n = 0; n < size; ++n) {
            to[n] = static_cast<std::byte>(first + n);
        }
    }

    hypervisor_bench bench;
};

TEST_F(memory_calls_test, a_page_is_zeroed_or_copied_and_no_other_byte) {
    fill(0x1'0000, 3 * page, 1);
    fill(0x2'0000, page, 77);
    EXPECT_EQ(bench.call(hcall::h_page_init, {zero, 0x1'1000, 0}), h_status::h_success);
    EXPECT_TRUE(
        std::all_of(at(0x1'1000), at(0x1'1000) + page, [](std::byte each) { return each == std::byte{0}; }));
    EXPECT_EQ(at(0x1'0000)[page - 2], std::byte{0xff});
    EXPECT_NE(at(0x1'2000)[1], std::byte{0});
    EXPECT_EQ(bench.call(hcall::h_page_init, {copy, 0x1'1000, 0x2'0000}), h_status::h_success);
    EXPECT_TRUE(std::equal(at(0x1'1000), at(0x1'1000) + page, at(0x2'0000)));
    EXPECT_EQ(bench.call(hcall::h_page_init, {bit(40) | bit(41), 0x1'1000, 0}), h_status::h_success);
    EXPECT_TRUE(std::equal(at(0x1'1000), at(0x1'1000) + page, at(0x2'0000))) << "caches only";
}

TEST_F(memory_calls_test, page_init_checks_its_arguments) {
    struct row {
        const char* what;
        std::uint64_t flags;
        std::uint64_t to;
        std::uint64_t from;
    };
    const row rows[] = {
        {"unknown flag", bit(0) | zero, 0x1'0000, 0},
        {"both", zero | copy, 0x1'0000, 0x2'0000},
        {"not a page", zero, 0x1'0800, 0},
        {"behind RAM", zero, hypervisor_bench::default_ram, 0},
        {"source not a page", copy, 0x1'0000, 0x2'0008},
        {"source behind RAM", copy, 0x1'0000, hypervisor_bench::default_ram},
    };
    for (const row& each : rows) {
        EXPECT_EQ(bench.call(hcall::h_page_init, {each.flags, each.to, each.from}), h_status::h_parameter)
            << each.what;
    }
}

TEST_F(memory_calls_test, memop_copies_and_inverts_elements_of_each_size) {
    for (std::uint64_t log = 0; log < 4; ++log) {
        fill(0x1'0000, 256, 5);
        fill(0x1'1000, 256, 0);
        const std::uint64_t count = 64 >> log;
        EXPECT_EQ(bench.call(hcall::h_logical_memop, {0x1'1000, 0x1'0000, log, count, 0}),
                  h_status::h_success);
        EXPECT_TRUE(std::equal(at(0x1'1000), at(0x1'1000) + 64, at(0x1'0000))) << log;
        EXPECT_EQ(at(0x1'1000)[64], std::byte{64}) << "no byte more";
        EXPECT_EQ(bench.call(hcall::h_logical_memop, {0x1'1000, 0x1'0000, log, count, 1}),
                  h_status::h_success);
        EXPECT_TRUE(std::equal(at(0x1'1000), at(0x1'1000) + 64, at(0x1'0000),
                               [](std::byte one, std::byte other) { return one == ~other; }))
            << log;
    }
}

TEST_F(memory_calls_test, memop_of_ranges_that_overlap_keeps_what_it_still_reads) {
    for (const auto& [to, from] : {std::pair{0x1'0008U, 0x1'0000U}, std::pair{0x1'0000U, 0x1'0008U}}) {
        fill(0x1'0000, 256, 9);
        const std::vector<std::byte> expected(at(from), at(from) + 128);
        EXPECT_EQ(bench.call(hcall::h_logical_memop, {to, from, 3, 16, 0}), h_status::h_success);
        EXPECT_TRUE(std::ranges::equal(expected, std::span(at(to), 128))) << to;
    }
}

TEST_F(memory_calls_test, memop_checks_its_arguments) {
    struct row {
        const char* what;
        std::array<std::uint64_t, 5> arguments;
    };
    const row rows[] = {
        {"size", {0x1'0000, 0x2'0000, 4, 1, 0}},
        {"operation", {0x1'0000, 0x2'0000, 3, 1, 2}},
        {"target not aligned", {0x1'0004, 0x2'0000, 3, 1, 0}},
        {"source not aligned", {0x1'0000, 0x2'0002, 2, 1, 0}},
        {"too many", {0x1'0000, 0x2'0000, 3, std::uint64_t{1} << 40, 0}},
        {"nothing answers", {std::uint64_t{1} << 50, 0x2'0000, 3, 1, 0}},
    };
    for (const row& each : rows) {
        const auto& a = each.arguments;
        EXPECT_EQ(bench.call(hcall::h_logical_memop, {a[0], a[1], a[2], a[3], a[4]}), h_status::h_parameter)
            << each.what;
    }
}

}  // namespace
}  // namespace pefsim::hypervisor
