// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pefsim::dma_ops {

/// Which entries of a DMA window's TCE table are in use: iommu_range_alloc() and __iommu_free() of Linux's
/// arch/powerpc/kernel/iommu.c.
///
/// A bitmap in pools: four for small requests (one when the window has less than 1 GiB), chosen by CPU, and the top
/// quarter for requests of more than 15 pages. Each pool is searched from its hint; a small pool's hint moves on to the
/// next block of 16 entries. When the own pool is full, the others are tried. Entry 0 is never given out.
///
/// Plain bookkeeping, as io_tlb_pool is.
class tce_allocator {
public:
    static constexpr std::size_t large_pages = 16;  ///< a request of as many pages is large
    static constexpr std::size_t block = 16;

    /// \param entries TCEs of the window, at least 8
    explicit tce_allocator(std::size_t entries);

    /// \returns the first entry of the range; nothing when no run of free entries is left
    /// \param last the last entry that the device can address  \param align_order log2 of the first entry's alignment
    std::optional<std::size_t> allocate(std::size_t pages, unsigned cpu, std::uint64_t last,
                                        unsigned align_order);
    void free(std::size_t first, std::size_t pages);

    [[nodiscard]] bool is_used(std::size_t entry) const {
        return ((bits_[entry / 64] >> (entry % 64)) & 1) != 0;
    }
    [[nodiscard]] std::size_t entries() const { return entries_; }
    [[nodiscard]] std::size_t used() const { return used_; }  ///< without entry 0
    [[nodiscard]] unsigned pools() const { return small_pools_ + 1; }
    /// The pool that a request's search begins in; the last one is the large pool.
    [[nodiscard]] unsigned home_pool(std::size_t pages, unsigned cpu) const;
    [[nodiscard]] unsigned pool_of(std::size_t entry) const;

private:
    struct pool {
        std::size_t start = 0;
        std::size_t end = 0;
        std::size_t hint = 0;
    };
    static constexpr unsigned max_small_pools = 4;

    [[nodiscard]] unsigned small_pool(unsigned cpu) const;
    [[nodiscard]] std::optional<std::size_t> find_free(std::size_t start, std::size_t limit,
                                                       std::size_t pages, std::size_t align_mask) const;
    [[nodiscard]] std::size_t next(bool used, std::size_t from, std::size_t limit) const;
    void mark(std::size_t first, std::size_t pages, bool used);

    std::size_t entries_;
    unsigned small_pools_;
    std::array<pool, max_small_pools + 1> pools_{};
    std::vector<std::uint64_t> bits_;
    std::size_t used_ = 0;
};

}  // namespace pefsim::dma_ops
