// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "abi/address.h"
#include "dma_ops/dma_ops_if.h"
#include "report/metrics.h"
#include "trace/recorder.h"

namespace pefsim::guest {

using abi::phys_addr;

/// Free pages of guest RAM, in units of 64 KiB: what dma_ops, the slab allocator and the workloads take memory from.
///
/// First fit from the lowest address, neighbours merge when they are freed: the same sequence of calls gives the same
/// addresses in every run. Memory is not cleared.
///
/// Giving back what is not taken, or a size or alignment that makes no sense, is a bug of the caller: std::logic_error.
class page_allocator : public dma_ops::page_allocator_if {
public:
    /// \param ram_size bytes of RAM from address 0, all of it free; a multiple of 64 KiB
    page_allocator(trace::recorder& recorder, std::string_view scope, std::uint64_t ram_size);

    /// Takes the pages that hold these bytes out of circulation for ever (firmware, kernel image, device tree).
    void reserve(phys_addr at, std::size_t size);

    /// \param size bytes, rounded up to whole pages  \param alignment bytes, a power of two
    std::optional<phys_addr> alloc_pages(std::size_t size, std::size_t alignment) override;
    /// \param size bytes as given to alloc_pages
    void free_pages(phys_addr at, std::size_t size) override;

    [[nodiscard]] std::uint64_t ram_size() const { return ram_size_; }
    [[nodiscard]] std::uint64_t free_bytes() const { return free_pages_ << abi::page_shift; }
    /// Runs of free pages; 1 when nothing is fragmented.
    [[nodiscard]] std::size_t free_runs() const { return runs_.size(); }

private:
    struct run {
        abi::gfn first;
        abi::gfn count;
        [[nodiscard]] abi::gfn end() const { return first + count; }
    };
    using position = std::vector<run>::iterator;

    void take(position from, abi::gfn first, abi::gfn count);

    std::uint64_t ram_size_;
    std::vector<run> runs_;      // by address, no two touch
    std::vector<run> reserved_;  // never free
    abi::gfn free_pages_;
    report::level pages_in_use_;
};

}  // namespace pefsim::guest
