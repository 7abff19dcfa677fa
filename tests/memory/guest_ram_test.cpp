// SPDX-License-Identifier: Apache-2.0
#include "memory/guest_ram.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <span>
#include <stdexcept>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace pefsim::memory {

namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30;

bool is_zero(const std::byte* page) {
    return std::ranges::all_of(std::span(page, abi::page_size),
                               [](std::byte b) { return b == std::byte{0}; });
}

long peak_memory_kib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/// Bytes of address space that this process has reserved.
std::uint64_t address_space() {
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST(guest_ram, sizes_that_it_takes) {
    for (const std::uint64_t size :
         {std::uint64_t{0}, abi::page_size - 1, abi::page_size + 4096, 64 * gibibyte + abi::page_size}) {
        EXPECT_THROW(guest_ram{size}, std::invalid_argument) << size;
    }
    EXPECT_EQ(guest_ram{abi::page_size}.pages(), 1U);
    EXPECT_EQ(guest_ram{64 * gibibyte}.pages(), 1U << 20);
}

TEST(guest_ram, contains) {
    const guest_ram ram(mebibyte);
    EXPECT_TRUE(ram.contains(abi::phys_addr{0}, mebibyte));
    EXPECT_TRUE(ram.contains(abi::phys_addr{mebibyte - 1}, 1));
    EXPECT_FALSE(ram.contains(abi::phys_addr{mebibyte}, 0));
    EXPECT_FALSE(ram.contains(abi::phys_addr{mebibyte - 1}, 2));
    EXPECT_FALSE(ram.contains(abi::phys_addr{8}, ~std::uint64_t{0}));
    EXPECT_FALSE(ram.contains(abi::phys_addr{~std::uint64_t{0}}, 1));
}

TEST(guest_ram, frames_of_both_kinds_are_different_memory) {
    guest_ram ram(mebibyte);
    ram.write(frame_kind::normal, 3)[5] = std::byte{1};
    ram.write(frame_kind::secure, 3)[5] = std::byte{2};
    EXPECT_EQ(ram.read(frame_kind::normal, 3)[5], std::byte{1});
    EXPECT_EQ(ram.read(frame_kind::secure, 3)[5], std::byte{2});
    EXPECT_TRUE(is_zero(ram.read(frame_kind::normal, 4)));
    EXPECT_TRUE(ram.touched(frame_kind::secure, 3));
    EXPECT_FALSE(ram.touched(frame_kind::secure, 4));
    EXPECT_EQ(ram.resident(), 2 * abi::page_size);
}

TEST(guest_ram, a_discarded_frame_reads_as_zero_in_the_same_place) {
    guest_ram ram(mebibyte);
    const std::byte* const before = ram.read(frame_kind::secure, 0);
    std::fill_n(ram.write(frame_kind::secure, 0), abi::page_size, std::byte{0xee});
    ASSERT_EQ(before[77], std::byte{0xee});
    ram.discard(frame_kind::secure, 0);
    EXPECT_EQ(ram.read(frame_kind::secure, 0), before);
    EXPECT_TRUE(is_zero(before));
    EXPECT_FALSE(ram.touched(frame_kind::secure, 0));
    EXPECT_EQ(ram.resident(), 0U);
    ram.discard(frame_kind::secure, 0);
    EXPECT_EQ(ram.resident(), 0U);
}

TEST(guest_ram, only_touched_frames_take_host_memory) {
    const long before = peak_memory_kib();
    guest_ram ram(64 * gibibyte);
    for (abi::gfn page = 0; page < ram.pages(); page += ram.pages() / 16) {
        ram.write(frame_kind::normal, page)[0] = std::byte{1};
        EXPECT_TRUE(is_zero(ram.read(frame_kind::secure, page)));
    }
    EXPECT_EQ(ram.resident(), 16 * abi::page_size);
    // 16 frames, two tables of one byte a page, and some slack for page tables.
    EXPECT_LT(peak_memory_kib() - before, 16 * 1024);
}

TEST(guest_ram, gives_its_address_space_back) {
    const std::uint64_t before = address_space();
    for (const std::uint64_t size : {abi::page_size, 12 * mebibyte}) {
        for (unsigned i = 0; i != 200; ++i) {
            const guest_ram ram(size);
        }
    }
    EXPECT_LT(address_space(), before + 64 * mebibyte);
}

TEST(guest_ram, what_is_used_a_lot_stays_what_it_is) {
    guest_ram ram(12 * mebibyte);  // a region, and half of one
    for (const frame_kind kind : {frame_kind::normal, frame_kind::secure}) {
        for (abi::gfn page = 0; page != ram.pages(); ++page) {
            std::fill_n(ram.write(kind, page), abi::page_size, static_cast<std::byte>(page + 1));
        }
        ram.discard(kind, 40);
        ram.discard(kind, ram.pages() - 1);
        for (abi::gfn page = 0; page != ram.pages(); ++page) {
            const auto expected = ram.touched(kind, page) ? static_cast<std::byte>(page + 1) : std::byte{0};
            EXPECT_TRUE(std::all_of(ram.read(kind, page), ram.read(kind, page) + abi::page_size,
                                    [&](std::byte each) { return each == expected; }))
                << page;
        }
    }
    EXPECT_EQ(ram.resident(), 24 * mebibyte - 4 * abi::page_size);
}

TEST(guest_ram, a_frame_that_comes_and_goes_makes_no_region_dense) {
    const long before = peak_memory_kib();
    guest_ram ram(64 * gibibyte);
    for (abi::gfn page = 0; page < ram.pages(); page += ram.pages() / 16) {
        for (unsigned i = 0; i != 1000; ++i) {
            ram.write(frame_kind::normal, page)[0] = std::byte{1};
            ram.discard(frame_kind::normal, page);
        }
        ram.write(frame_kind::normal, page)[0] = std::byte{1};
    }
    EXPECT_LT(peak_memory_kib() - before, 16 * 1024);
}

}  // namespace pefsim::memory
