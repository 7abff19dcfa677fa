// SPDX-License-Identifier: Apache-2.0
//
// Page and slab allocators against a bitmap that marks every page.
#include "guest/page_allocator.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <set>

#include "guest/slab_allocator.h"
#include "report/metrics.h"

namespace pefsim::testing {

namespace {

using abi::phys_addr;

constexpr std::uint64_t ram_pages = 64;
constexpr std::uint64_t ram = ram_pages << abi::page_shift;

struct allocation {
    phys_addr at;
    std::size_t size;
};

/// Marks the pages of an allocation in `map`; false when one is marked already or lies outside RAM.
bool mark(std::vector<bool>& map, const allocation& what, bool used) {
    const abi::gfn end = abi::gfn_of(what.at + (std::max<std::size_t>(what.size, 1) - 1)) + 1;
    for (abi::gfn page = abi::gfn_of(what.at); page < end; ++page) {
        if (page >= map.size() || map[page] == used) {
            return false;
        }
        map[page] = used;
    }
    return true;
}

/// Length of the longest aligned run of free pages, by looking at all of them.
bool fits(const std::vector<bool>& map, std::size_t pages, std::size_t step) {
    for (std::size_t first = 0; first + pages <= map.size(); first += step) {
        bool free = true;
        for (std::size_t i = 0; free && i < pages; ++i) {
            free = !map[first + i];
        }
        if (free) {
            return true;
        }
    }
    return false;
}

std::size_t free_runs(const std::vector<bool>& map) {
    std::size_t runs = 0;
    for (std::size_t i = 0; i < map.size(); ++i) {
        runs += !map[i] && (i == 0 || map[i - 1]) ? 1 : 0;
    }
    return runs;
}

}  // namespace

RC_GTEST_PROP(page_allocator, never_gives_a_page_twice_and_finds_what_is_there, ()) {
    trace::recorder recorder;
    guest::page_allocator pages(recorder, "kernel", ram);
    std::vector<bool> map(ram_pages);
    std::vector<allocation> live;
    const auto steps = *rc::gen::inRange(1, 120);
    for (int i = 0; i < steps; ++i) {
        if (live.empty() || *rc::gen::inRange(0, 3) != 0) {
            const auto size = *rc::gen::inRange<std::size_t>(0, 6 << abi::page_shift);
            const std::size_t alignment = std::size_t{1} << *rc::gen::inRange(0, 20);
            const std::size_t count = std::max<std::size_t>(1,
                                                            (size + abi::page_size - 1) >> abi::page_shift);
            const std::size_t step = std::max<std::size_t>(1, alignment >> abi::page_shift);
            const auto at = pages.alloc_pages(size, alignment);
            RC_ASSERT(at.has_value() == fits(map, count, step));
            if (at) {
                RC_ASSERT(at->value() % alignment == 0);
                RC_ASSERT(abi::page_offset(*at) == 0);
                live.push_back({*at, size});
                RC_ASSERT(mark(map, live.back(), true));
            }
        } else {
            const auto which = *rc::gen::inRange<std::size_t>(0, live.size());
            pages.free_pages(live[which].at, live[which].size);
            RC_ASSERT(mark(map, live[which], false));
            live.erase(live.begin() + static_cast<std::ptrdiff_t>(which));
        }
        RC_ASSERT(pages.free_bytes() >> abi::page_shift ==
                  static_cast<std::uint64_t>(std::count(map.begin(), map.end(), false)));
        RC_ASSERT(pages.free_runs() == free_runs(map));
        RC_ASSERT(recorder.metrics().find_level("kernel", "pages_in_use")->value() ==
                  static_cast<std::uint64_t>(std::count(map.begin(), map.end(), true)));
    }
    for (const allocation& each : live) {
        pages.free_pages(each.at, each.size);
    }
    RC_ASSERT(pages.free_runs() == 1U);
    RC_ASSERT(pages.free_bytes() == ram);
}

TEST(page_allocator_rules, reserved_pages_are_never_given_or_taken_back) {
    trace::recorder recorder;
    guest::page_allocator pages(recorder, "kernel", ram);
    pages.reserve(phys_addr{0}, 3 << abi::page_shift);
    pages.reserve(phys_addr{0x10'0000}, 1);
    std::set<std::uint64_t> given;
    while (const auto at = pages.alloc_pages(1, 1)) {
        given.insert(at->value());
    }
    EXPECT_EQ(given.size(), ram_pages - 4);
    EXPECT_EQ(*given.begin(), 0x3'0000U);
    EXPECT_FALSE(given.contains(0x10'0000));
    EXPECT_THROW(pages.free_pages(phys_addr{0x10'0000}, 1), std::logic_error);
    EXPECT_THROW(pages.reserve(phys_addr{0x3'0000}, 1), std::logic_error);
}

TEST(page_allocator_rules, misuse_is_an_error_of_the_caller) {
    trace::recorder recorder;
    guest::page_allocator pages(recorder, "kernel", ram);
    const auto at = pages.alloc_pages(3 << abi::page_shift, 1);
    EXPECT_THROW(pages.alloc_pages(1, 3), std::logic_error);
    EXPECT_THROW(pages.free_pages(*at + 0x8000, 1), std::logic_error) << "not the start of a page";
    EXPECT_THROW(pages.free_pages(*at, 4 << abi::page_shift), std::logic_error) << "more than was taken";
    EXPECT_THROW(pages.free_pages(phys_addr{ram}, 1), std::logic_error);
    pages.free_pages(*at, 3 << abi::page_shift);
    EXPECT_THROW(pages.free_pages(*at, 1), std::logic_error) << "a second time";
}

TEST(page_allocator_rules, memory_is_a_number_of_pages) {
    for (const std::uint64_t size : {std::uint64_t{0}, abi::page_size - 1, abi::page_size + 1}) {
        trace::recorder recorder;
        EXPECT_THROW(guest::page_allocator(recorder, "kernel", size), std::logic_error) << size;
    }
    trace::recorder recorder;
    guest::page_allocator one(recorder, "kernel", abi::page_size);
    EXPECT_EQ(one.alloc_pages(1, 1), phys_addr{0});
    EXPECT_EQ(one.free_runs(), 0U);
}

TEST(page_allocator_rules, a_part_may_be_given_back) {
    trace::recorder recorder;
    guest::page_allocator pages(recorder, "kernel", ram);
    const auto at = pages.alloc_pages(3 << abi::page_shift, 1);
    pages.free_pages(*at + abi::page_size, abi::page_size);
    EXPECT_EQ(pages.alloc_pages(1, 1), *at + abi::page_size);
}

TEST(slab_allocator, objects_are_aligned_and_do_not_overlap) {
    trace::recorder recorder;
    guest::page_allocator pages(recorder, "kernel", ram);
    guest::slab_allocator slab(pages);
    for (const std::size_t size : {1UL, 31UL, 32UL, 33UL, 512UL, 2048UL, 2049UL, 32768UL, 32769UL}) {
        const std::size_t alignment = std::min<std::size_t>(std::bit_ceil(std::max<std::size_t>(size, 32)),
                                                            abi::page_size);
        std::vector<std::uint64_t> given;
        for (int i = 0; i < 5; ++i) {
            const auto at = slab.alloc(size);
            ASSERT_TRUE(at);
            EXPECT_EQ(at->value() % alignment, 0U) << size;
            given.push_back(at->value());
        }
        std::sort(given.begin(), given.end());
        for (std::size_t i = 1; i < given.size(); ++i) {
            EXPECT_GE(given[i] - given[i - 1], size);
        }
        for (const std::uint64_t at : given) {
            slab.free(phys_addr{at}, size);
        }
    }
}

TEST(slab_allocator, gives_the_same_addresses_every_time_and_notices_misuse) {
    trace::recorder recorder;
    guest::page_allocator pages(recorder, "kernel", ram);
    guest::slab_allocator slab(pages);
    const auto first = slab.alloc(100);
    const auto second = slab.alloc(128);
    EXPECT_EQ(*second - *first, 128U);
    slab.free(*first, 100);
    EXPECT_EQ(slab.alloc(70), first) << "what was freed last is taken first";
    EXPECT_THROW(slab.free(*first + 4, 128), std::logic_error);
    EXPECT_THROW(slab.free(*first, 64), std::logic_error) << "of a size that nobody has";
}

TEST(slab_allocator, a_buffer_is_found_from_its_first_to_its_last_byte) {
    trace::recorder recorder;
    guest::page_allocator pages(recorder, "kernel", ram);
    guest::slab_allocator slab(pages);
    EXPECT_FALSE(slab.buffer_at(phys_addr{0x1000}));
    slab.note_buffer({phys_addr{0x1000}, 100});
    slab.note_buffer({phys_addr{0x1080}, 100});
    EXPECT_FALSE(slab.buffer_at(phys_addr{0xfff}));
    for (const std::uint64_t at : {0x1000, 0x1063}) {
        ASSERT_TRUE(slab.buffer_at(phys_addr{at})) << at;
        EXPECT_EQ(slab.buffer_at(phys_addr{at})->at, phys_addr{0x1000});
        EXPECT_EQ(slab.buffer_at(phys_addr{at})->size, 100U);
    }
    EXPECT_FALSE(slab.buffer_at(phys_addr{0x1064}));
    EXPECT_FALSE(slab.buffer_at(phys_addr{0x10e4}));
    slab.forget_buffer(phys_addr{0x1000});
    EXPECT_FALSE(slab.buffer_at(phys_addr{0x1000}));
    EXPECT_TRUE(slab.buffer_at(phys_addr{0x1080}));
}

TEST(slab_allocator, runs_out) {
    trace::recorder recorder;
    guest::page_allocator pages(recorder, "kernel", ram);
    guest::slab_allocator slab(pages);
    std::size_t given = 0;
    while (slab.alloc(32768)) {
        ++given;
    }
    EXPECT_EQ(given, 2 * ram_pages);
    EXPECT_FALSE(slab.alloc(32));
    EXPECT_FALSE(slab.alloc(1 << 20));
}

}  // namespace pefsim::testing
