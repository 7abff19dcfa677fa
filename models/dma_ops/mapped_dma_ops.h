// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "dma_ops/dma_ops_if.h"
#include "dma_ops/mapping_table.h"
#include "report/metrics.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::dma_ops {

/// What all modules of DMA operations have in common: they number their mappings, attribute what is written through
/// them, watch for misuse, and charge each call with timing::guest_call and what dma_device::calls takes besides.
///
/// Ports: `pages` to the kernel's page allocator; `log` (optional) for kernel messages.
///
/// Misuse (dma_mapping in the violation log, otherwise without effect): a mapping of no bytes; unmap or sync of what is
/// not mapped, beyond its end, or in another direction (a BIDIRECTIONAL mapping may be synchronised in any); unmap with
/// another size; free of what was not allocated.
///
/// Signals: map with mapping_number, mapping_address, mapping_original, mapping_size, mapping_direction,
/// mapping_request; unmap with unmapped_number, unmapped_request. Metrics: maps, unmaps, syncs, failures, bytes_mapped,
/// mappings, coherent_bytes.
class mapped_dma_ops : public sc_core::sc_module, public dma_ops_if {
public:
    sc_core::sc_port<page_allocator_if> pages;
    sc_core::sc_port<kernel_log_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND> log;

    std::optional<coherent_buffer> alloc(native_cpu& cpu, dma_device& device, std::size_t size) final;
    void free(native_cpu& cpu, dma_device& device, std::size_t size, const coherent_buffer& buffer) final;
    dma_addr map_page(native_cpu& cpu, dma_device& device, phys_addr page, std::size_t offset,
                      std::size_t size, dma_data_direction direction, unsigned attributes) final;
    void unmap_page(native_cpu& cpu, dma_device& device, dma_addr address, std::size_t size,
                    dma_data_direction direction, unsigned attributes) final;
    std::size_t map_sg(native_cpu& cpu, dma_device& device, std::span<scatterlist> list,
                       dma_data_direction direction, unsigned attributes) final;
    void unmap_sg(native_cpu& cpu, dma_device& device, std::span<scatterlist> list,
                  dma_data_direction direction, unsigned attributes) final;
    void sync_single_for_cpu(native_cpu& cpu, dma_device& device, dma_addr address, std::size_t size,
                             dma_data_direction direction) final;
    void sync_single_for_device(native_cpu& cpu, dma_device& device, dma_addr address, std::size_t size,
                                dma_data_direction direction) final;

protected:
    /// \param operations "swiotlb": the prefix of the module's calls in attributions ("swiotlb.map_page")
    mapped_dma_ops(sc_core::sc_module_name name, trace::recorder& recorder, const timing::timing& costs,
                   std::string_view operations);

    // --- what a module does. `what` is complete but for `address`, which map() returns, or dma_mapping_error.
    virtual dma_addr map(native_cpu& cpu, const mapping& what) = 0;
    virtual void unmap(native_cpu& cpu, const mapping& what, unsigned attributes) = 0;
    virtual void sync_for_cpu(native_cpu& /*cpu*/, const mapping& /*what*/, dma_addr /*from*/,
                              std::size_t /*size*/) {}
    virtual void sync_for_device(native_cpu& /*cpu*/, const mapping& /*what*/, dma_addr /*from*/,
                                 std::size_t /*size*/) {}
    /// Makes the pages at `at` a buffer for the device, cleared; nothing when that fails. \param size whole pages
    virtual std::optional<dma_addr> share_coherent(native_cpu& cpu, dma_device& device, phys_addr at,
                                                   std::size_t size) = 0;
    virtual void unshare_coherent(native_cpu& cpu, dma_device& device, const coherent_buffer& buffer,
                                  std::size_t size) = 0;

    void printk(native_cpu& cpu, std::string_view message);

    trace::recorder& recorder_;

private:
    struct coherent {
        const dma_device* device;
        std::size_t size;
        coherent_buffer buffer;
    };

    dma_addr map_segment(native_cpu& cpu, dma_device& device, phys_addr original, std::size_t size,
                         dma_data_direction direction);
    void unmap_segment(native_cpu& cpu, dma_device& device, dma_addr address, std::size_t size,
                       dma_data_direction direction, unsigned attributes);
    const mapping* mapping_to_sync(native_cpu& cpu, dma_device& device, dma_addr address, std::size_t size,
                                   dma_data_direction direction);
    void show(const mapping& what, std::uint64_t request, const sc_core::sc_time& when);
    void misuse(native_cpu& cpu, const dma_device& device, dma_addr address, std::size_t size,
                std::string detail);

    /// One call of an operation: in the DMA API for as long as it lives, paid for by the way that leads there.
    class entered_call {
    public:
        entered_call(const mapped_dma_ops& into, native_cpu& cpu, const dma_device& device);

    private:
        native_cpu::dma_api_scope in_;
    };

    call_cost_table call_costs_;
    std::uint64_t map_origin_;
    std::uint64_t unmap_origin_;
    std::uint64_t sync_origin_;
    std::uint64_t alloc_origin_;
    mapping_table table_;
    std::vector<coherent> coherent_;

    trace::event_signal map_event_;
    trace::event_signal unmap_event_;
    trace::signal<std::uint32_t> number_;
    trace::signal<dma_addr> address_;
    trace::signal<phys_addr> original_;
    trace::signal<std::uint32_t> size_;
    trace::signal<dma_data_direction> direction_;
    trace::signal<std::uint64_t> request_;
    trace::signal<std::uint32_t> unmapped_;
    trace::signal<std::uint64_t> unmapped_request_;
    report::counter maps_;
    report::counter unmaps_;
    report::counter syncs_;
    report::counter failures_;
    report::counter bytes_mapped_;
    report::level mappings_;
    report::level coherent_bytes_;
};

}  // namespace pefsim::dma_ops
