// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/tce_allocator.h"

#include <algorithm>
#include <bit>

#include "abi/platform.h"

namespace pefsim::dma_ops {

namespace {

constexpr std::size_t entries_of_1_gib = (std::size_t{1} << 30) >> abi::platform::tce_page_shift;

// hash_32(cpu, 2) of Linux: spreads neighbouring CPUs over the pools.
constexpr unsigned hash_bits = 2;
constexpr std::uint32_t golden_ratio_32 = 0x61c8'8647;

}  // namespace

tce_allocator::tce_allocator(std::size_t entries)
    : entries_(entries),
      small_pools_(entries >= entries_of_1_gib ? max_small_pools : 1),
      bits_((entries + 63) / 64) {
    const std::size_t pool_size = entries * 3 / 4 / small_pools_;
    for (unsigned i = 0; i < small_pools_; ++i) {
        pools_[i] = {.start = i * pool_size, .end = (i + 1) * pool_size, .hint = i * pool_size};
    }
    const std::size_t large = small_pools_ * pool_size;
    pools_[small_pools_] = {.start = large, .end = entries, .hint = large};
    bits_[0] = 1;  // drivers may take bus address 0 for none
}

unsigned tce_allocator::small_pool(unsigned cpu) const {
    return ((cpu * golden_ratio_32) >> (32 - hash_bits)) & (small_pools_ - 1);
}

unsigned tce_allocator::home_pool(std::size_t pages, unsigned cpu) const {
    return pages >= large_pages ? small_pools_ : small_pool(cpu);
}

unsigned tce_allocator::pool_of(std::size_t entry) const {
    return entry >= pools_[small_pools_].start ? small_pools_ : static_cast<unsigned>(entry / pools_[0].end);
}

std::optional<std::size_t> tce_allocator::allocate(std::size_t pages, unsigned cpu, std::uint64_t last,
                                                   unsigned align_order) {
    if (pages == 0) {
        return std::nullopt;
    }
    const std::size_t align_mask = (std::size_t{1} << align_order) - 1;
    const unsigned home = home_pool(pages, cpu);

    // The home pool from its hint, the home pool from its start, each small pool, the large pool.
    for (unsigned pass = 0; pass <= small_pools_ + 2; ++pass) {
        unsigned number = home;
        if (pass == small_pools_ + 2) {
            number = small_pools_;
        } else if (pass >= 2) {
            number = (small_pool(cpu) + pass - 1) % small_pools_;
        }
        if (pass > 0) {
            pools_[number].hint = pools_[number].start;
        }
        std::size_t start = pools_[number].hint < pools_[number].end ? pools_[number].hint
                                                                     : pools_[number].start;
        std::size_t limit = pools_[number].end;
        if (limit > last) {  // a device that cannot address the whole window
            limit = static_cast<std::size_t>(last) + 1;
            if (start >= limit || pass > 0) {
                number = 0;
                start = pools_[0].start;
            }
        }
        if (const auto found = find_free(start, limit, pages, align_mask); found) {
            mark(*found, pages, true);
            const std::size_t end = *found + pages;
            pools_[number].hint = pages >= large_pages ? end : (end + block - 1) / block * block;
            return found;
        }
    }
    return std::nullopt;
}

void tce_allocator::free(std::size_t first, std::size_t pages) { mark(first, pages, false); }

std::optional<std::size_t> tce_allocator::find_free(std::size_t start, std::size_t limit, std::size_t pages,
                                                    std::size_t align_mask) const {
    while (true) {
        const std::size_t first = (next(false, start, limit) + align_mask) & ~align_mask;
        if (first + pages > limit) {
            return std::nullopt;
        }
        const std::size_t taken = next(true, first, first + pages);
        if (taken == first + pages) {
            return first;
        }
        start = taken + 1;
    }
}

/// The first entry from `from` on that is used, or free; `limit` when there is none before it.
std::size_t tce_allocator::next(bool used, std::size_t from, std::size_t limit) const {
    for (std::size_t word = from / 64; word * 64 < limit; ++word) {
        std::uint64_t candidates = used ? bits_[word] : ~bits_[word];
        if (word == from / 64) {
            candidates &= ~std::uint64_t{0} << (from % 64);
        }
        if (candidates != 0) {
            return std::min(limit, word * 64 + static_cast<std::size_t>(std::countr_zero(candidates)));
        }
    }
    return limit;
}

void tce_allocator::mark(std::size_t first, std::size_t pages, bool used) {
    for (std::size_t entry = first; entry < first + pages; ++entry) {
        const std::uint64_t bit = std::uint64_t{1} << (entry % 64);
        bits_[entry / 64] = used ? bits_[entry / 64] | bit : bits_[entry / 64] & ~bit;
    }
    used_ = used ? used_ + pages : used_ - pages;
}

}  // namespace pefsim::dma_ops
