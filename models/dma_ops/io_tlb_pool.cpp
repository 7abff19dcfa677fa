// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/io_tlb_pool.h"

#include <algorithm>
#include <bit>

namespace pefsim::dma_ops {

namespace {

constexpr std::size_t word_slots = 64;  // of the bit map
constexpr std::uint64_t in_slot_mask = io_tlb_pool::slot_size - 1;

std::size_t slots_for(std::uint64_t bytes) { return (bytes + in_slot_mask) >> io_tlb_pool::slot_shift; }

std::size_t in_set(std::size_t index) { return index % io_tlb_pool::set_slots; }

std::uint64_t rounded_up(std::uint64_t value, std::uint64_t mask) { return (value + mask) & ~mask; }

}  // namespace

/// A request in units of slots.
struct io_tlb_pool::search {
    std::size_t slots;
    std::uint64_t original;
    std::uint64_t aligned_bits;    // these bits of the slot's address are zero
    std::uint64_t preserved_bits;  // these are the original's
    std::uint64_t segment_boundary;
    std::size_t stride;  // from a slot with the right alignment to the next one
};

io_tlb_pool::geometry io_tlb_pool::geometry_for(std::size_t size, unsigned cpus) {
    const unsigned areas = std::bit_ceil(std::max(cpus, 1U));
    const std::size_t slots = rounded_up(slots_for(size), set_slots - 1);
    return {.slots = std::bit_ceil(std::max(slots, set_slots * areas)), .areas = areas};
}

io_tlb_pool::geometry io_tlb_pool::halved(geometry too_large) {
    const std::size_t slots = rounded_up(too_large.slots / 2, set_slots - 1);
    return {.slots = slots,
            .areas = static_cast<unsigned>(std::min<std::size_t>(too_large.areas, slots / set_slots))};
}

std::size_t io_tlb_pool::max_mapping_size(std::uint64_t min_align_mask) {
    return set_size - rounded_up(min_align_mask, in_slot_mask);
}

io_tlb_pool::io_tlb_pool(phys_addr start, std::size_t slots, unsigned areas)
    : start_(start),
      area_slots_(slots / areas),
      slots_(slots),
      free_(slots / word_slots, ~std::uint64_t{0}),
      areas_(areas) {}

std::size_t io_tlb_pool::free_from(std::size_t index) const {
    const std::size_t word = index / word_slots;
    const std::size_t bit = index % word_slots;
    const auto free = static_cast<std::size_t>(std::countr_one(free_[word] >> bit));
    const bool next_word = bit + free == word_slots && in_set(index) < word_slots;
    return free + (next_word ? static_cast<std::size_t>(std::countr_one(free_[word + 1])) : 0);
}

std::size_t io_tlb_pool::free_before(std::size_t index) const {
    const std::size_t word = index / word_slots;
    const std::size_t bit = index % word_slots;
    const auto free = bit == 0 ? 0
                               : static_cast<std::size_t>(std::countl_one(free_[word] << (word_slots - bit)));
    const bool word_before = free == bit && in_set(index) >= word_slots;
    return free + (word_before ? static_cast<std::size_t>(std::countl_one(free_[word - 1])) : 0);
}

void io_tlb_pool::mark(std::size_t first, std::size_t count, bool free) {
    for (const std::size_t end = first + count; first != end;) {
        const std::size_t bit = first % word_slots;
        const std::size_t part = std::min(end - first, word_slots - bit);
        const std::uint64_t bits = (~std::uint64_t{0} >> (word_slots - part)) << bit;
        std::uint64_t& word = free_[first / word_slots];
        word = free ? word | bits : word & ~bits;
        first += part;
    }
}

std::optional<io_tlb_pool::allocation> io_tlb_pool::allocate(unsigned area, const request& wanted,
                                                             std::size_t& visited) {
    visited = 0;
    if (wanted.size > set_size) {
        return std::nullopt;
    }
    // The offset that is kept: within a slot, and with alloc_align_mask beyond it, in padding slots.
    const std::uint64_t original = wanted.original.value();
    const std::uint64_t kept = original & wanted.min_align_mask & (wanted.alloc_align_mask | in_slot_mask);
    const std::uint64_t in_slot = kept & in_slot_mask;
    const std::uint64_t total = rounded_up(wanted.size + kept, wanted.alloc_align_mask);

    std::uint64_t aligned_bits = wanted.alloc_align_mask;
    if (aligned_bits == 0 && wanted.min_align_mask == 0 && total >= abi::page_size) {
        aligned_bits = abi::page_size - 1;
    }
    aligned_bits |= in_slot_mask;
    const std::uint64_t preserved_bits = wanted.min_align_mask & ~aligned_bits;
    const search run{.slots = slots_for(total),
                     .original = original,
                     .aligned_bits = aligned_bits,
                     .preserved_bits = preserved_bits,
                     .segment_boundary = wanted.segment_boundary,
                     .stride = (std::max(aligned_bits, preserved_bits) >> slot_shift) + 1};

    const std::optional<std::size_t> found = find(area, run, visited);
    if (!found) {
        return std::nullopt;
    }

    const std::size_t padding = kept >> slot_shift;
    for (std::size_t i = 0; i < run.slots; ++i) {
        slot& taken = slots_[*found + i];
        taken.alloc_size = static_cast<std::int64_t>(total) -
                           static_cast<std::int64_t>(in_slot + (i << slot_shift));
        taken.original = i < padding ? no_original : wanted.original + ((i - padding) << slot_shift);
    }
    slots_[*found + padding].pad_slots = static_cast<std::uint32_t>(padding);
    mark(*found, run.slots, false);
    visited += run.slots + free_before(*found);

    areas_[area].hint = (*found - area * area_slots_ + run.slots) % area_slots_;
    areas_[area].used += run.slots;
    used_ += run.slots;
    return allocation{.address = address_of(*found + padding) + in_slot, .slots = run.slots};
}

std::optional<std::size_t> io_tlb_pool::find(unsigned area, const search& run, std::size_t& visited) const {
    if (run.slots > area_slots_ - areas_[area].used) {
        return std::nullopt;
    }
    const std::size_t base = area * area_slots_;
    std::size_t offset = areas_[area].hint;
    for (std::size_t checked = 0; checked < area_slots_;) {
        ++visited;
        const std::size_t index = base + offset;
        const std::uint64_t address = address_of(index).value();
        const bool aligned = (address & run.aligned_bits) == 0 &&
                             ((address ^ run.original) & run.preserved_bits) == 0;
        if (aligned && suits(index, run)) {
            return index;
        }
        const std::size_t step = aligned ? run.stride : 1;
        offset = offset + step >= area_slots_ ? 0 : offset + step;
        checked += step;
    }
    return std::nullopt;
}

bool io_tlb_pool::suits(std::size_t index, const search& run) const {
    const std::uint64_t first = address_of(index).value();
    const std::uint64_t last = first + (run.slots << slot_shift) - 1;
    const bool crosses = ((first ^ last) & ~run.segment_boundary) != 0;
    return !crosses && free_from(index) >= run.slots;
}

io_tlb_pool::released io_tlb_pool::release(phys_addr address, std::uint64_t min_align_mask) {
    const std::uint64_t in_slot = address.value() & min_align_mask & in_slot_mask;
    std::size_t index = index_of(address - in_slot);
    const std::size_t padding = slots_[index].pad_slots;
    slots_[index].pad_slots = 0;
    index -= padding;
    const std::size_t count = slots_for(static_cast<std::uint64_t>(slots_[index].alloc_size) + in_slot);

    std::fill_n(slots_.begin() + static_cast<std::ptrdiff_t>(index), count, slot{});
    mark(index, count, true);
    // Linux counts on: the slots before it that are free, too, get new counts.
    const std::size_t merged = free_before(index);

    areas_[index / area_slots_].used -= count;
    used_ -= count;
    return {.slots = count, .visited = count + merged};
}

std::optional<io_tlb_pool::location> io_tlb_pool::locate(phys_addr address,
                                                         std::uint64_t min_align_mask) const {
    const slot& at = slots_[index_of(address)];
    if (at.original == no_original) {
        return std::nullopt;
    }
    // Negative in the first bytes of a slot that is not the allocation's first: they belong to the slot before.
    const auto kept = static_cast<std::int64_t>(at.original.value() & min_align_mask & in_slot_mask);
    const std::int64_t offset = static_cast<std::int64_t>(address.value() & in_slot_mask) - kept;
    return location{.original = phys_addr{at.original.value() + static_cast<std::uint64_t>(offset)},
                    .left = static_cast<std::size_t>(std::max<std::int64_t>(at.alloc_size - offset, 0))};
}

}  // namespace pefsim::dma_ops
