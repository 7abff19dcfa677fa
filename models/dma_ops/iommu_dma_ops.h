// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "abi/hcall.h"
#include "abi/platform.h"
#include "dma_ops/mapped_dma_ops.h"
#include "dma_ops/rate_limit.h"
#include "dma_ops/tce_allocator.h"
#include "dma_ops/timed_spinlock.h"
#include "report/metrics.h"

namespace pefsim::dma_ops {

/// `iommu`: a mapping is a range of the device's DMA window, translated by TCEs of 4 KiB that the hypervisor keeps.
/// Linux's dma_iommu_ops on pseries (arch/powerpc/kernel/iommu.c, platforms/pseries/iommu.c).
///
/// A map takes entries of the window (tce_allocator) and has them set: by H_PUT_TCE for one page; by H_PUT_TCE_INDIRECT
/// for several, 512 at most at a time, with big-endian TCEs in a page of the CPU's own. A secure guest uses H_PUT_TCE
/// for each page, since the host could not read the list. unmap clears by H_STUFF_TCE. A TCE allows reads, and writes
/// unless the mapping is TO_DEVICE. The offset into the page is kept. A call that fails is undone and fails the map;
/// Linux does so for H_RESOURCE only and goes on without a translation after other errors.
///
/// Firmware hands the window over with no TCE set; each device's window is taken over with its first mapping. Nothing
/// is shared: a secure guest's TCEs lead to secure pages.
///
/// Signals besides those of mapped_dma_ops: tces_in_use. Metrics: tces_in_use, tce_failures, lock_contended, lock_wait.
class iommu_dma_ops : public mapped_dma_ops {
public:
    struct config {
        std::uint64_t window_size = abi::platform::dma_window_size;  ///< bytes, from bus address 0 on
        timing::timing costs{};
    };

    /// \throws std::invalid_argument when window_size is not a multiple of 4 KiB or below 64 KiB
    iommu_dma_ops(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters);

    [[nodiscard]] std::string_view operations() const override { return "iommu"; }
    [[nodiscard]] bool physical_addresses() const override { return false; }
    [[nodiscard]] std::size_t max_mapping_size(const dma_device& device) const override;

private:
    struct window {
        window(std::uint64_t number, std::size_t entries) : liobn(number), entries_in_use(entries) {}
        std::uint64_t liobn;
        tce_allocator entries_in_use;
        std::vector<timed_spinlock> locks{entries_in_use.pools()};
    };
    /// Where bytes of memory lie in TCE pages.
    struct tce_pages {
        phys_addr first;     ///< address of the first page
        std::size_t offset;  ///< of the first byte in it
        std::size_t count;
    };

    dma_addr map(native_cpu& cpu, const mapping& what) override;
    void unmap(native_cpu& cpu, const mapping& what, unsigned attributes) override;
    std::optional<dma_addr> share_coherent(native_cpu& cpu, dma_device& device, phys_addr at,
                                           std::size_t size) override;
    void unshare_coherent(native_cpu& cpu, dma_device& device, const coherent_buffer& buffer,
                          std::size_t size) override;

    static tce_pages pages_of(std::uint64_t address, std::size_t size);
    window& window_of(const dma_device& device);
    std::optional<dma_addr> map_pages(native_cpu& cpu, const dma_device& device, const tce_pages& memory,
                                      std::uint64_t permission, unsigned align_order);
    void unmap_pages(native_cpu& cpu, const dma_device& device, dma_addr address, std::size_t size);
    std::optional<std::size_t> take_entries(native_cpu& cpu, window& of, const dma_device& device,
                                            std::size_t count, unsigned align_order);
    void give_back_entries(native_cpu& cpu, window& of, std::size_t first, std::size_t count);
    bool put_tces(native_cpu& cpu, const window& of, std::size_t first, const tce_pages& memory,
                  std::uint64_t permission);
    bool put_tces_indirect(native_cpu& cpu, const window& of, std::size_t first, const tce_pages& memory,
                           std::uint64_t permission, phys_addr list);
    void stuff_tces(native_cpu& cpu, const window& of, std::size_t first, std::size_t count);
    std::optional<phys_addr> list_page(native_cpu& cpu);
    bool succeeded(native_cpu& cpu, abi::h_status status, abi::hcall number, const window& of,
                   std::size_t entry);
    void show_in_use(native_cpu& cpu);

    config parameters_;
    sc_core::sc_time lock_cost_;
    std::deque<window> windows_;
    std::vector<std::optional<phys_addr>> list_pages_;  // by CPU
    rate_limit failure_messages_;
    std::size_t in_use_ = 0;

    trace::signal<std::uint64_t> in_use_signal_;
    report::level in_use_level_;
    report::counter call_failures_;
    lock_contention contention_;
};

}  // namespace pefsim::dma_ops
