// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "abi/address.h"

namespace pefsim::dma_ops {

using abi::phys_addr;

/// The slots of a SWIOTLB pool: which are taken, and for what. Linux's struct io_tlb_pool (kernel/dma/swiotlb.c, 6.10).
///
/// A pool is cut into slots of 2 KiB, 128 slots make a set of 256 KiB, and an allocation never leaves its set. Sets are
/// dealt to areas, one per CPU, rounded up to a power of two; each area is searched round robin from where its last
/// allocation ended. Linux's count for each slot, how many are free from it to the end of its set without a gap, is
/// read off a bit map here: free_from().
///
/// Plain bookkeeping: touches no memory, knows no time and takes no locks.
class io_tlb_pool {
public:
    static constexpr unsigned slot_shift = 11;
    static constexpr std::size_t slot_size = std::size_t{1} << slot_shift;
    static constexpr std::size_t set_slots = 128;
    static constexpr std::size_t set_size = set_slots * slot_size;

    /// How large a pool Linux makes of a request for `size` bytes: at least a set for each area; slots are rounded up
    /// to a power of two.
    struct geometry {
        std::size_t slots;
        unsigned areas;
    };
    static geometry geometry_for(std::size_t size, unsigned cpus);
    /// What is left when memory for so many slots cannot be had: half of them, and areas of at least a set.
    static geometry halved(geometry too_large);

    struct slot {
        phys_addr original =
            no_original;  ///< address that the slot's first byte, minus the kept offset, bounces for
        std::int64_t alloc_size = 0;  ///< bytes from there to the end of the allocation
        std::uint32_t pad_slots = 0;  ///< slots before this one that belong to its allocation
    };
    static constexpr phys_addr no_original{std::numeric_limits<std::uint64_t>::max()};

    struct request {
        phys_addr original;
        std::size_t size = 0;              ///< bytes
        std::uint64_t min_align_mask = 0;  ///< low bits of `original` that the bounce address keeps
        std::uint64_t alloc_align_mask =
            0;  ///< alignment of the allocation itself; padded in front as needed
        std::uint64_t segment_boundary = 0xffff'ffff;  ///< a multiple of this + 1 is never crossed
    };
    struct allocation {
        phys_addr address;  ///< bounce address of the request's first byte
        std::size_t slots;  ///< slots taken, padding included
    };
    struct released {
        std::size_t slots;
        std::size_t visited;  ///< slots looked at or changed
    };

    /// \param start aligned to 64 KiB  \param slots a multiple of set_slots * areas  \param areas a power of two
    io_tlb_pool(phys_addr start, std::size_t slots, unsigned areas);

    /// Takes slots from one area; nothing when the area has no run of free slots that suits.
    /// \param visited out: slots looked at or changed
    std::optional<allocation> allocate(unsigned area, const request& wanted, std::size_t& visited);
    /// \param address as allocate() gave it  \param min_align_mask as in the request
    released release(phys_addr address, std::uint64_t min_align_mask);

    /// For an address within an allocation: the byte that it bounces for, and the bytes from there to the allocation's
    /// end; nothing when its slot is free or padding.
    struct location {
        phys_addr original;
        std::size_t left;
    };
    [[nodiscard]] std::optional<location> locate(phys_addr address, std::uint64_t min_align_mask) const;

    [[nodiscard]] phys_addr start() const { return start_; }
    [[nodiscard]] std::size_t size() const { return slots_.size() << slot_shift; }
    [[nodiscard]] bool contains(phys_addr at) const { return at >= start_ && at - start_ < size(); }
    [[nodiscard]] const std::vector<slot>& slots() const { return slots_; }
    /// Free slots without a gap from `index` to the end of its set (Linux's io_tlb_slot::list); 0 while it is taken.
    [[nodiscard]] std::size_t free_from(std::size_t index) const;
    [[nodiscard]] unsigned areas() const { return static_cast<unsigned>(areas_.size()); }
    [[nodiscard]] std::size_t area_slots() const { return area_slots_; }
    [[nodiscard]] unsigned area_of(phys_addr address) const {
        return static_cast<unsigned>(index_of(address) / area_slots_);
    }
    [[nodiscard]] std::size_t used() const { return used_; }
    [[nodiscard]] std::size_t used(unsigned area) const { return areas_[area].used; }

    /// swiotlb_max_mapping_size(): a set, less what keeping the offset may cost.
    static std::size_t max_mapping_size(std::uint64_t min_align_mask);

private:
    struct area_state {
        std::size_t used = 0;
        std::size_t hint = 0;  ///< slot of the area where the next search begins
    };
    struct search;

    [[nodiscard]] std::size_t index_of(phys_addr address) const { return (address - start_) >> slot_shift; }
    [[nodiscard]] phys_addr address_of(std::size_t index) const { return start_ + (index << slot_shift); }
    /// Free slots without a gap right before `index`, in its set.
    [[nodiscard]] std::size_t free_before(std::size_t index) const;
    void mark(std::size_t first, std::size_t count, bool free);
    [[nodiscard]] std::optional<std::size_t> find(unsigned area, const search& run,
                                                  std::size_t& visited) const;
    [[nodiscard]] bool suits(std::size_t index, const search& run) const;

    phys_addr start_;
    std::size_t area_slots_;
    std::vector<slot> slots_;
    std::vector<std::uint64_t> free_;  // a bit for each slot; two words make a set
    std::vector<area_state> areas_;
    std::size_t used_ = 0;
};

}  // namespace pefsim::dma_ops
