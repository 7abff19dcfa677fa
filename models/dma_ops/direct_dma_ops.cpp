// SPDX-License-Identifier: Apache-2.0
#include "dma_ops/direct_dma_ops.h"

#include <cstdint>
#include <fmt/format.h>

namespace pefsim::dma_ops {

direct_dma_ops::direct_dma_ops(sc_core::sc_module_name name, trace::recorder& recorder,
                               const config& parameters)
    : mapped_dma_ops(name, recorder, parameters.costs, "direct") {}

std::size_t direct_dma_ops::max_mapping_size(const dma_device& /*device*/) const { return SIZE_MAX; }

dma_addr direct_dma_ops::map(native_cpu& /*cpu*/, const mapping& what) {
    return dma_addr{what.original.value() + what.device->dma_offset};
}

void direct_dma_ops::unmap(native_cpu& /*cpu*/, const mapping& /*what*/, unsigned /*attributes*/) {}

std::optional<dma_addr> direct_dma_ops::share_coherent(native_cpu& cpu, dma_device& device, phys_addr at,
                                                       std::size_t size) {
    const std::uint64_t address = at.value() + device.dma_offset;
    if (address + size - 1 > device.dma_mask) {
        printk(cpu, fmt::format("{}: coherent buffer at {:#x}+{:#x} does not fit the DMA mask {:#x}",
                                device.name, address, size, device.dma_mask));
        return std::nullopt;
    }
    cpu.fill(at, size, std::byte{0});
    return dma_addr{address};
}

void direct_dma_ops::unshare_coherent(native_cpu& /*cpu*/, dma_device& /*device*/,
                                      const coherent_buffer& /*buffer*/, std::size_t /*size*/) {}

}  // namespace pefsim::dma_ops
