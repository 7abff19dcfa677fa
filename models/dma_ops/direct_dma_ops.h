// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dma_ops/mapped_dma_ops.h"

namespace pefsim::dma_ops {

/// `direct`: a buffer's bus address is its guest physical address. The virtio_direct_dma_ops of the July 2018 series
/// (patch 1): what virtio did without the DMA API, in the form of DMA operations. Where the device has a direct window
/// its base is added (dma_device::dma_offset), as the direct path of Linux's DMA API does.
///
/// alloc gives cleared pages, and nothing when their address does not fit the device's dma_mask; map and unmap do
/// nothing, mapping_error() is always false. Nothing is shared: in a secure guest the device meets secure pages.
class direct_dma_ops : public mapped_dma_ops {
public:
    struct config {
        timing::timing costs{};
    };

    direct_dma_ops(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters);

    [[nodiscard]] std::string_view operations() const override { return "direct"; }
    [[nodiscard]] bool mapping_error(dma_addr /*address*/) const override { return false; }
    [[nodiscard]] std::size_t max_mapping_size(const dma_device& device) const override;

private:
    dma_addr map(native_cpu& cpu, const mapping& what) override;
    void unmap(native_cpu& cpu, const mapping& what, unsigned attributes) override;
    std::optional<dma_addr> share_coherent(native_cpu& cpu, dma_device& device, phys_addr at,
                                           std::size_t size) override;
    void unshare_coherent(native_cpu& cpu, dma_device& device, const coherent_buffer& buffer,
                          std::size_t size) override;
};

}  // namespace pefsim::dma_ops
