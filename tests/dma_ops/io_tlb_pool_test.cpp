// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/io_tlb_pool.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <rapidcheck/gtest.h>
#include <vector>

namespace pefsim::dma_ops {

namespace {

constexpr std::size_t kib = 1024;
constexpr phys_addr start{0x20'0000};

/// Allocates as swiotlb_pool_find_slots() does: from one area, then from the others.
std::optional<io_tlb_pool::allocation> allocate(io_tlb_pool& pool, unsigned cpu,
                                                const io_tlb_pool::request& wanted) {
    for (unsigned i = 0; i < pool.areas(); ++i) {
        std::size_t visited = 0;
        if (auto found = pool.allocate((cpu + i) % pool.areas(), wanted, visited)) {
            return found;
        }
    }
    return std::nullopt;
}

phys_addr slot_address(std::size_t index) { return start + index * io_tlb_pool::slot_size; }

/// What the property tests keep beside the pool: who has which slot, and nothing else.
class naive_pool {
public:
    explicit naive_pool(std::size_t slots) : owner_(slots, 0) {}

    void take(std::size_t first, std::size_t count, unsigned who) {
        for (std::size_t i = first; i < first + count; ++i) {
            RC_ASSERT(owner_.at(i) == 0U);
            owner_[i] = who;
        }
    }
    void give(unsigned who) { std::ranges::replace(owner_, who, 0U); }
    [[nodiscard]] std::size_t used() const {
        return owner_.size() - static_cast<std::size_t>(std::ranges::count(owner_, 0U));
    }
    /// Free slots from `index` on without a gap, to the end of the set at most.
    [[nodiscard]] std::size_t free_from(std::size_t index) const {
        const std::size_t end = (index / io_tlb_pool::set_slots + 1) * io_tlb_pool::set_slots;
        std::size_t i = index;
        while (i < end && owner_[i] == 0) {
            ++i;
        }
        return i - index;
    }
    /// Free slots right before `index` without a gap, from the beginning of the set at most.
    [[nodiscard]] std::size_t free_before(std::size_t index) const {
        std::size_t i = index;
        while (i % io_tlb_pool::set_slots != 0 && owner_[i - 1] == 0) {
            --i;
        }
        return index - i;
    }
    /// Whether any run of free slots in any set would suit: the definition of "full".
    [[nodiscard]] bool has_run(const io_tlb_pool::request& wanted, std::size_t slots) const {
        for (std::size_t i = 0; i < owner_.size(); ++i) {
            const std::uint64_t differs = slot_address(i).value() ^ wanted.original.value();
            const bool page_aligned = wanted.min_align_mask != 0 || wanted.size < abi::page_size ||
                                      abi::page_offset(slot_address(i)) == 0;
            if (free_from(i) >= slots && (differs & wanted.min_align_mask & ~std::uint64_t{2047}) == 0 &&
                page_aligned) {
                return true;
            }
        }
        return false;
    }

private:
    std::vector<unsigned> owner_;
};

}  // namespace

// --- documented examples

TEST(io_tlb_pool, largest_mapping) {
    EXPECT_EQ(io_tlb_pool::max_mapping_size(0), 256 * kib);
    EXPECT_EQ(io_tlb_pool::max_mapping_size(0xfff), 252 * kib);
    EXPECT_EQ(io_tlb_pool::max_mapping_size(511), 254 * kib);
}

TEST(io_tlb_pool, geometry) {
    struct row {
        std::size_t size;
        unsigned cpus;
        std::size_t slots;
        unsigned areas;
    };
    for (const row& r :
         {row{64 << 20, 1, 32768, 1}, row{64 << 20, 3, 32768, 4}, row{1, 1, 128, 1},
          row{256 * kib + 1, 1, 256, 1}, row{3 << 20, 1, 2048, 1}, row{256 * kib, 8, 1024, 8}}) {
        const auto got = io_tlb_pool::geometry_for(r.size, r.cpus);
        EXPECT_EQ(got.slots, r.slots) << r.size;
        EXPECT_EQ(got.areas, r.areas) << r.size;
    }
    const auto half = io_tlb_pool::halved({.slots = 1024, .areas = 8});
    EXPECT_EQ(half.slots, 512U);
    EXPECT_EQ(half.areas, 4U);
}

TEST(io_tlb_pool, whole_set_and_not_a_byte_more) {
    io_tlb_pool pool(start, 256, 1);
    const auto whole = allocate(pool, 0, {.original = phys_addr{0x1000}, .size = 256 * kib});
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->address, start);
    EXPECT_EQ(whole->slots, 128U);
    EXPECT_FALSE(allocate(pool, 0, {.original = phys_addr{0x1000}, .size = 256 * kib + 1}));
    EXPECT_FALSE(allocate(pool, 0, {.original = phys_addr{0x1000}, .size = ~std::size_t{0}}));
    EXPECT_EQ(allocate(pool, 0, {.original = phys_addr{0x1000}, .size = 256 * kib})->address,
              slot_address(128));
    EXPECT_FALSE(allocate(pool, 0, {.original = phys_addr{0x1000}, .size = 1}));
}

TEST(io_tlb_pool, largest_mapping_with_a_4_kib_mask_fits_wherever_the_buffer_lies) {
    for (std::uint64_t offset = 0; offset < 0x1000; offset += 64) {
        io_tlb_pool pool(start, 128, 1);
        const io_tlb_pool::request wanted{
            .original = phys_addr{0x10'0000 + offset}, .size = 252 * kib, .min_align_mask = 0xfff};
        const auto found = allocate(pool, 0, wanted);
        ASSERT_TRUE(found) << offset;
        EXPECT_EQ(found->address.value() & 0xfff, offset);
        pool.release(found->address, 0xfff);
        EXPECT_EQ(pool.used(), 0U);
    }
}

TEST(io_tlb_pool, no_mask_and_a_page_or_more_is_page_aligned) {
    io_tlb_pool pool(start, 256, 1);
    ASSERT_TRUE(allocate(pool, 0, {.original = phys_addr{0x1000}, .size = 1}));
    const auto page = allocate(pool, 0, {.original = phys_addr{0x1234}, .size = 64 * kib});
    EXPECT_EQ(page->address, start + 64 * kib);
    const auto less = allocate(pool, 0, {.original = phys_addr{0x1234}, .size = 64 * kib - 1});
    EXPECT_EQ(less->address, start + 128 * kib);  // right behind: no alignment wanted
    const auto kept = allocate(pool, 0,
                               {.original = phys_addr{0x1234}, .size = 32 * kib, .min_align_mask = 0xfff});
    EXPECT_EQ(kept->address.value() & 0xfff, 0x234U);
}

TEST(io_tlb_pool, alloc_align_mask_pads_in_front) {
    io_tlb_pool pool(start, 128, 1);
    const io_tlb_pool::request wanted{
        .original = phys_addr{0x5'1c10}, .size = 100, .min_align_mask = 0xffff, .alloc_align_mask = 0xffff};
    const auto found = allocate(pool, 0, wanted);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->slots, 32U);  // 64 KiB, of which 3.5 slots before the buffer are padding
    EXPECT_EQ(found->address, start + 0x1c10);
    EXPECT_EQ(pool.slots()[3].pad_slots, 3U);
    EXPECT_FALSE(pool.locate(start, 0xffff));  // padding bounces for nothing
    EXPECT_EQ(pool.locate(found->address, 0xffff)->original, wanted.original);
    EXPECT_EQ(pool.release(found->address, 0xffff).slots, 32U);
    EXPECT_EQ(pool.used(), 0U);
    EXPECT_EQ(pool.free_from(0), 128U);
    EXPECT_EQ(pool.slots()[3].pad_slots, 0U);
}

TEST(io_tlb_pool, hint_goes_round) {
    io_tlb_pool pool(start, 128, 1);
    const io_tlb_pool::request two{.original = phys_addr{0x1000}, .size = 4096};
    std::vector<phys_addr> taken;
    for (std::size_t i = 0; i < 64; ++i) {
        const auto found = allocate(pool, 0, two);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->address, slot_address(2 * i));
        // Freed at once, and yet the next search begins behind it.
        if (i % 2 == 0) {
            pool.release(found->address, 0);
        } else {
            taken.push_back(found->address);
        }
    }
    EXPECT_EQ(allocate(pool, 0, two)->address, slot_address(0));  // wrapped around
    EXPECT_EQ(allocate(pool, 0, two)->address, slot_address(4));
}

TEST(io_tlb_pool, freed_slots_merge_with_both_neighbours) {
    io_tlb_pool pool(start, 256, 1);
    const io_tlb_pool::request ten{.original = phys_addr{0x1000}, .size = 10 * 2048};
    std::vector<phys_addr> at;
    for (int i = 0; i < 12; ++i) {
        at.push_back(allocate(pool, 0, ten)->address);
    }
    EXPECT_EQ(pool.free_from(120), 8U);
    pool.release(at[3], 0);
    pool.release(at[5], 0);
    EXPECT_EQ(pool.free_from(30), 10U);
    pool.release(at[4], 0);
    EXPECT_EQ(pool.free_from(30), 30U);
    EXPECT_EQ(pool.free_from(59), 1U);
    pool.release(at[11], 0);
    EXPECT_EQ(pool.free_from(110), 18U);
    EXPECT_EQ(pool.free_from(127), 1U);  // not merged into the next set
    EXPECT_EQ(pool.free_from(128), 128U);
}

// What Linux's search costs: the slots that it looks at, those that it takes or gives back, and the counts of the free
// ones right before them in their set.
TEST(io_tlb_pool, counts_the_slots_that_it_visits) {
    io_tlb_pool pool(start, 256, 1);
    struct taken {
        phys_addr at;
        std::size_t visited;
    };
    const auto take = [&pool](std::size_t slots) {
        std::size_t visited = 0;
        const auto found = pool.allocate(
            0, {.original = phys_addr{0x1000}, .size = slots * 2 * kib, .min_align_mask = 1}, visited);
        return taken{found->address, visited};
    };
    const auto visited_by_release_of = [&pool](const taken& what) {
        return pool.release(what.at, 1).visited;
    };

    const taken a = take(10);  // 0 .. 9
    const taken b = take(4);   // 10 .. 13
    const taken c = take(50);  // 14 .. 63
    EXPECT_EQ(a.visited, 1U + 10);
    EXPECT_EQ(b.visited, 1U + 4);
    EXPECT_EQ(c.visited, 1U + 50);
    EXPECT_EQ(visited_by_release_of(a), 10U);
    EXPECT_EQ(visited_by_release_of(c), 50U) << "a taken slot stands between it and the free ones";
    const taken d = take(6);  // 64 .. 69
    EXPECT_EQ(d.visited, 1U + 6 + 50);
    EXPECT_EQ(visited_by_release_of(b), 4U + 10);
    const taken e = take(1);  // 70
    EXPECT_EQ(e.visited, 1U + 1);
    EXPECT_EQ(visited_by_release_of(d), 6U + 64);
    const taken f = take(57);  // 71 .. 127
    EXPECT_EQ(visited_by_release_of(e), 1U + 70);
    EXPECT_EQ(visited_by_release_of(f), 57U + 71);
    const taken g = take(1);  // 128, of the next set
    EXPECT_EQ(g.visited, 1U + 1) << "a set is not merged with the one before";
    EXPECT_EQ(visited_by_release_of(g), 1U);

    std::size_t visited = 0;
    const auto page = pool.allocate(0, {.original = phys_addr{0x1000}, .size = 64 * kib}, visited);
    EXPECT_EQ(page->address, slot_address(160));
    EXPECT_EQ(visited, 32U + 32 + 32) << "from 129 to the next page, the page, and those before it";
}

TEST(io_tlb_pool, never_crosses_a_segment_boundary) {
    const phys_addr high{0xffff'0000};  // 64 KiB below 4 GiB
    io_tlb_pool pool(high, 128, 1);
    std::size_t visited = 0;
    const auto found = pool.allocate(
        0, {.original = phys_addr{0x1000}, .size = 63 * kib, .min_align_mask = 1}, visited);
    EXPECT_EQ(found->address, high + 0);
    const auto next = pool.allocate(0, {.original = phys_addr{0x1000}, .size = 4 * kib}, visited);
    EXPECT_EQ(next->address.value(), 0x1'0000'0000U);
}

TEST(io_tlb_pool, ends_at_a_segment_boundary) {
    const phys_addr high{0xffff'0000};
    io_tlb_pool pool(high, 128, 1);
    std::size_t visited = 0;
    const auto found = pool.allocate(
        0, {.original = phys_addr{0x1000}, .size = 64 * kib, .min_align_mask = 1}, visited);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->address, high) << "its last byte is the last one before the boundary";
    const io_tlb_pool::request page{
        .original = phys_addr{0x1000}, .size = 4 * kib, .min_align_mask = 1, .segment_boundary = 4 * kib - 1};
    ASSERT_TRUE(
        pool.allocate(0, {.original = phys_addr{0x1000}, .size = 2 * kib, .min_align_mask = 1}, visited));
    for (const std::uint64_t distance : {68 * kib, 72 * kib}) {
        EXPECT_EQ(pool.allocate(0, page, visited)->address, high + distance)
            << "from one boundary to the next";
    }
}

TEST(io_tlb_pool, areas_are_searched_one_by_one) {
    io_tlb_pool pool(start, 512, 4);
    const io_tlb_pool::request set{.original = phys_addr{0x1000}, .size = 256 * kib};
    std::size_t visited = 0;
    EXPECT_EQ(pool.allocate(2, set, visited)->address, slot_address(256));
    EXPECT_FALSE(pool.allocate(2, set, visited));
    EXPECT_EQ(visited, 0U);  // known to be full without a search
    EXPECT_EQ(allocate(pool, 2, set)->address, slot_address(384));
    EXPECT_EQ(allocate(pool, 2, set)->address, slot_address(0));
    EXPECT_EQ(pool.used(1), 0U);
    EXPECT_EQ(pool.used(2), 128U);
    EXPECT_EQ(pool.area_of(slot_address(300)), 2U);
}

TEST(io_tlb_pool, locates_every_byte_of_a_mapping) {
    for (const std::uint64_t mask : {std::uint64_t{0}, std::uint64_t{0x1ff}, std::uint64_t{0xfff}}) {
        io_tlb_pool pool(start, 128, 1);
        const io_tlb_pool::request wanted{
            .original = phys_addr{0x7'0e35}, .size = 9000, .min_align_mask = mask};
        const auto found = allocate(pool, 0, wanted);
        for (std::size_t offset = 0; offset < wanted.size; ++offset) {
            const auto place = pool.locate(found->address + offset, mask);
            ASSERT_TRUE(place);
            ASSERT_EQ(place->original, wanted.original + offset) << mask << " " << offset;
            ASSERT_EQ(place->left, wanted.size - offset);
        }
        EXPECT_FALSE(pool.locate(found->address + wanted.size + 4096, mask));
    }
}

// swiotlb_area_find_slots() counts a full stride also where it wraps around, and so may miss the slot before its hint.
TEST(io_tlb_pool, search_misses_a_slot_behind_the_wrap_as_in_linux) {
    io_tlb_pool pool(start, 128, 1);
    const io_tlb_pool::request odd{.original = phys_addr{0x1800}, .size = 2048, .min_align_mask = 0xfff};
    const io_tlb_pool::request any{.original = phys_addr{0x1800}, .size = 2048};
    std::vector<phys_addr> taken;
    for (int i = 0; i < 128; ++i) {
        taken.push_back(allocate(pool, 0, any)->address);
    }
    ASSERT_FALSE(allocate(pool, 0, any));
    pool.release(taken[9], 0);
    EXPECT_EQ(allocate(pool, 0, odd)->address, slot_address(9));  // the hint is slot 10 now
    pool.release(taken[9], 0xfff);
    std::size_t visited = 0;
    EXPECT_FALSE(pool.allocate(0, odd, visited));
    EXPECT_TRUE(pool.allocate(0, any, visited));
}

// --- against the naive model

RC_GTEST_PROP(io_tlb_pool_property, agrees_with_a_naive_model, ()) {
    const auto areas = *rc::gen::element(1U, 2U, 4U);
    const auto slots = io_tlb_pool::set_slots * areas * *rc::gen::element<std::size_t>(1, 2, 3);
    io_tlb_pool pool(start, slots, areas);
    naive_pool model(slots);
    struct live {
        io_tlb_pool::allocation what;
        io_tlb_pool::request wanted;
    };
    std::map<unsigned, live> alive;
    unsigned next = 1;

    const auto steps = *rc::gen::inRange(1, 200);
    for (int step = 0; step < steps; ++step) {
        if (alive.empty() || *rc::gen::weightedElement<bool>({{3, true}, {2, false}})) {
            const io_tlb_pool::request wanted{
                .original = phys_addr{*rc::gen::inRange<std::uint64_t>(1, 1 << 24)},
                .size = *rc::gen::weightedOneOf<std::size_t>(
                    {{4, rc::gen::inRange<std::size_t>(1, 10'000)},
                     {1, rc::gen::inRange<std::size_t>(1, 256 * kib)}}),
                .min_align_mask = *rc::gen::element<std::uint64_t>(0, 0x1ff, 0xfff, 0x3fff)};
            const std::uint64_t kept = wanted.original.value() & wanted.min_align_mask & 2047;
            const std::size_t expected_slots = (wanted.size + kept + 2047) / 2048;
            const auto found = allocate(pool, *rc::gen::inRange(0U, areas), wanted);
            if (!found) {
                // When bits of the slot number are to be kept, the search may end one candidate early, as Linux's does.
                const bool search_is_complete = wanted.min_align_mask < io_tlb_pool::slot_size;
                RC_ASSERT(!search_is_complete || !model.has_run(wanted, expected_slots));
                continue;
            }
            RC_ASSERT(found->slots == expected_slots);
            // The offset is kept, and the buffer lies in its slots, in one set.
            RC_ASSERT(((found->address.value() ^ wanted.original.value()) & wanted.min_align_mask) == 0U);
            const std::size_t first = (found->address - start) / 2048;
            RC_ASSERT((found->address - start) % 2048 == kept);
            RC_ASSERT(first / io_tlb_pool::set_slots == (first + found->slots - 1) / io_tlb_pool::set_slots);
            if (wanted.min_align_mask == 0 && wanted.size >= abi::page_size) {
                RC_ASSERT(abi::page_offset(found->address) == 0U);
            }
            model.take(first, found->slots, next);
            alive.emplace(next++, live{*found, wanted});
        } else {
            const auto which = std::next(alive.begin(), *rc::gen::inRange<std::ptrdiff_t>(
                                                            0, static_cast<std::ptrdiff_t>(alive.size())));
            const auto released = pool.release(which->second.what.address,
                                               which->second.wanted.min_align_mask);
            RC_ASSERT(released.slots == which->second.what.slots);
            model.give(which->first);
            const std::size_t first = (which->second.what.address - start) / io_tlb_pool::slot_size;
            RC_ASSERT(released.visited == released.slots + model.free_before(first));
            alive.erase(which);
        }
        RC_ASSERT(pool.used() == model.used());
        for (std::size_t i = 0; i < slots; ++i) {
            RC_ASSERT(pool.free_from(i) == model.free_from(i));
        }
    }
    for (const auto& [who, each] : alive) {
        const auto place = pool.locate(each.what.address, each.wanted.min_align_mask);
        RC_ASSERT(place->original == each.wanted.original);
        RC_ASSERT(place->left == each.wanted.size);
        pool.release(each.what.address, each.wanted.min_align_mask);
    }
    for (std::size_t i = 0; i < slots; ++i) {
        RC_ASSERT(pool.free_from(i) == io_tlb_pool::set_slots - i % io_tlb_pool::set_slots);
        RC_ASSERT(pool.slots()[i].original == io_tlb_pool::no_original);
    }
}

}  // namespace pefsim::dma_ops
