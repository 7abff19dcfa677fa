// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dma_ops/io_tlb_pool.h"
#include "dma_ops/mapped_dma_ops.h"
#include "dma_ops/rate_limit.h"
#include "dma_ops/timed_spinlock.h"
#include "report/metrics.h"

namespace pefsim::dma_ops {

/// Which way a bounce copy goes.
enum class bounce_direction : std::uint8_t { none, to_bounce, from_bounce };
constexpr std::string_view to_name(bounce_direction direction) {
    switch (direction) {
    case bounce_direction::none:
        return "-";
    case bounce_direction::to_bounce:
        return "to bounce";
    case bounce_direction::from_bounce:
        return "from bounce";
    }
    return "?";
}

/// `swiotlb`: every mapping goes through a bounce buffer in a pool that the host can read. Linux's DMA-direct
/// operations with swiotlb=force (kernel/dma/swiotlb.c and direct.c, 6.10), as a secure guest uses them.
///
/// | call     | FROM_DEVICE           | TO_DEVICE        | BIDIRECTIONAL         | with dma_attr_skip_cpu_sync |
/// |----------|-----------------------|------------------|-----------------------|-----------------------------|
/// | map      | copy to bounce        | copy to bounce   | copy to bounce        | the same                    |
/// | unmap    | copy back, release    | release          | copy back, release    | release                     |
/// | sync cpu | copy back             | nothing          | copy back             |                             |
/// | sync dev | nothing               | copy to bounce   | copy to bounce        |                             |
///
/// setup() takes the pool from `pages`, 64 KiB aligned (half of it as long as there is not so much memory, down to 1
/// MiB; without any pool every map fails), and, once the CPU is secure, shares it by one UV_SHARE_PAGE. Coherent
/// buffers are pages of their own, shared on alloc and taken back on free. In an ordinary guest it does the same
/// without ultracalls.
///
/// A map that finds no slots fails with Linux's message "swiotlb buffer is full (sz: .. bytes), total .. (slots), used
/// .. (slots)", rate-limited, on `log`; so does one that is larger than max_mapping_size(), or whose bounce buffer is
/// beyond the device's dma_mask. Bus address = guest physical address of the bounce buffer + dma_device::dma_offset.
///
/// Signals besides those of mapped_dma_ops: copy_direction, copy_bytes (0 while no copy runs), copy_request,
/// pool_used, pool_high_water (slots), pool_full (event). Metrics: bytes_to_bounce, bytes_from_bounce, pool_slots,
/// pool_used, lock_contended, lock_wait.
class swiotlb_dma_ops : public mapped_dma_ops {
public:
    struct config {
        std::size_t pool_size = std::size_t{64}
                                << 20;  ///< bytes; rounded up as io_tlb_pool::geometry_for() says
        unsigned cpus = 1;              ///< one area each
        timing::timing costs{};
    };

    /// \throws std::invalid_argument when pool_size or cpus is 0
    swiotlb_dma_ops(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters);

    [[nodiscard]] std::string_view operations() const override { return "swiotlb"; }
    void setup(native_cpu& cpu) override;
    [[nodiscard]] std::size_t max_mapping_size(const dma_device& device) const override;

    /// The pool; nullptr before setup() and when there was no memory for it.
    [[nodiscard]] const io_tlb_pool* pool() const { return pool_ ? &*pool_ : nullptr; }
    [[nodiscard]] std::uint64_t high_water() const { return pool_used_.high_water(); }

protected:
    // For operations that do some of it another way.
    dma_addr map(native_cpu& cpu, const mapping& what) override;
    void unmap(native_cpu& cpu, const mapping& what, unsigned attributes) override;
    void sync_for_cpu(native_cpu& cpu, const mapping& what, dma_addr from, std::size_t size) override;
    void sync_for_device(native_cpu& cpu, const mapping& what, dma_addr from, std::size_t size) override;
    std::optional<dma_addr> share_coherent(native_cpu& cpu, dma_device& device, phys_addr at,
                                           std::size_t size) override;
    void unshare_coherent(native_cpu& cpu, dma_device& device, const coherent_buffer& buffer,
                          std::size_t size) override;

private:
    void allocate_pool(native_cpu& cpu);
    std::optional<phys_addr> find_slots(native_cpu& cpu, const mapping& what);
    void release_slots(native_cpu& cpu, const mapping& what);
    void bounce(native_cpu& cpu, const mapping& what, phys_addr bounce_address, std::size_t size,
                bounce_direction direction);
    void complain_full(native_cpu& cpu, const mapping& what);
    [[nodiscard]] sc_core::sc_time slots_cost(std::size_t visited) const;
    void show_used(native_cpu& cpu);

    config parameters_;
    sc_core::sc_time lock_cost_;
    double slot_cost_units_;
    std::vector<sc_core::sc_time> slot_costs_;  // of the first numbers of slots visited
    std::optional<io_tlb_pool> pool_;
    bool pool_allocated_ = false;
    bool pool_shared_ = false;
    std::vector<timed_spinlock> locks_;  // one for each area
    rate_limit full_messages_;

    trace::signal<bounce_direction> copy_direction_;
    trace::signal<std::uint32_t> copy_bytes_;
    trace::signal<std::uint64_t> copy_request_;
    trace::signal<std::uint32_t> used_signal_;
    trace::signal<std::uint32_t> high_water_signal_;
    trace::event_signal full_;
    report::counter bytes_to_bounce_;
    report::counter bytes_from_bounce_;
    report::level pool_slots_;
    report::level pool_used_;
    lock_contention contention_;
};

}  // namespace pefsim::dma_ops
