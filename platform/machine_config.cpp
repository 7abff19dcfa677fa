// SPDX-License-Identifier: Apache-2.0
#include "platform/machine_config.h"

#include <fmt/format.h>

#include <bit>
#include <stdexcept>

#include "abi/address.h"
#include "abi/platform.h"
#include "platform/quantity.h"

namespace pefsim::platform {
namespace {

void require(bool holds, const std::string& otherwise) {
    if (!holds) {
        throw std::invalid_argument(otherwise);
    }
}

constexpr std::uint64_t io_tlb_set_size = std::uint64_t{256} << 10;

}  // namespace

void machine_config::declare(parameter_set& parameters) {
    parameters.add("cpus", cpus, "CPUs", "guest CPUs, 1 to 64");
    parameters.add("secure", secure, "the guest makes itself secure (UV_ESM) when it starts");
    parameters.add("ultravisor", ultravisor, "the machine has an Ultravisor");
    parameters.add("quantum", quantum, "how far a CPU may run ahead of simulation time");
    parameters.add("time_limit", time_limit, "simulated time after which an unfinished guest is stopped");
    parameters.add("canaries", canaries, "secrets", "secrets planted in the guest for the leak oracle");
    parameters.add("memory.size", memory_size, quantity::bytes, "bytes",
                   "guest RAM, whole 64 KiB pages, up to 64GiB");

    parameters.add("host.policy", policy,
                   {{"page_out", host_policy::page_out}, {"bus_error", host_policy::bus_error}},
                   "what the host does when it touches a page that is kept from it");
    parameters.add("host.iommu", iommu,
                   "devices with ACCESS_PLATFORM go through TCEs; no: bus address = guest address");

    parameters.add("dma_ops.arch", arch_dma_ops,
                   {{"direct", dma_operations::direct},
                    {"swiotlb", dma_operations::swiotlb},
                    {"iommu", dma_operations::iommu}},
                   "DMA operations that the architecture gives a device");
    parameters.add("dma_ops.platform", platform_dma_ops,
                   {{"none", dma_operations::none},
                    {"direct", dma_operations::direct},
                    {"swiotlb", dma_operations::swiotlb},
                    {"iommu", dma_operations::iommu}},
                   "DMA operations that the platform's override hook installs");

    parameters.add("dma_ops.override", override_when,
                   {{"never", guest::platform_override::never},
                    {"secure_guest", guest::platform_override::secure_guest},
                    {"always", guest::platform_override::always}},
                   "when the platform's hook overrides");

    parameters.add("swiotlb.size", swiotlb_size, quantity::bytes, "bytes",
                   "bounce buffer pool, whole sets of 256 KiB");
    parameters.add("swiotlb.areas", swiotlb_areas, "areas", "areas of the pool; 0: one per CPU");

    parameters.add("virtio.access_platform", access_platform, "devices offer VIRTIO_F_ACCESS_PLATFORM");
    parameters.add("virtio.indirect", indirect, "devices offer VIRTIO_F_INDIRECT_DESC");
    parameters.add("virtio.event_idx", event_idx, "devices offer VIRTIO_F_EVENT_IDX");
    parameters.add("virtio.queue_size", queue_size, "entries",
                   "entries of each virtqueue, a power of two up to 32768");

    if (network) {
        parameters.add("net.mtu", mtu, "bytes", "largest IP packet, 68 to 65535");
        parameters.add("net.pcap", pcap, "write every frame into this pcap file");
    }

    for (const timing::cost& cost : timing::costs) {
        parameters.add("timing." + std::string(cost.name), costs.*cost.field, std::string(cost.unit),
                       std::string(cost.description));
    }
}

void machine_config::check() const {
    require(cpus >= 1 && cpus <= 64, fmt::format("cpus: {} is not within 1 to 64", cpus));
    require(memory_size >= 16 * abi::page_size && memory_size <= abi::platform::max_ram_size &&
                memory_size % abi::page_size == 0,
            fmt::format("memory.size: {} is not a multiple of 64KiB within 1MiB to 64GiB",
                        format_size(memory_size)));
    require(ultravisor || !secure, "secure: a guest cannot become secure with ultravisor=no");
    require(quantum > sc_core::SC_ZERO_TIME, "quantum: must be longer than 0");
    require(time_limit > sc_core::SC_ZERO_TIME, "time_limit: must be longer than 0");
    require(canaries <= 4096, fmt::format("canaries: {} is more than 4096", canaries));
    if (uses(dma_operations::swiotlb)) {
        require(swiotlb_size >= io_tlb_set_size && swiotlb_size % io_tlb_set_size == 0,
                fmt::format("swiotlb.size: {} is not a multiple of 256KiB", format_size(swiotlb_size)));
        require(swiotlb_size < memory_size,
                fmt::format("swiotlb.size: a pool of {} does not fit into memory.size={}",
                            format_size(swiotlb_size), format_size(memory_size)));
        const std::uint64_t areas = std::bit_ceil(swiotlb_areas == 0 ? cpus : swiotlb_areas);
        require(areas * io_tlb_set_size <= swiotlb_size,
                fmt::format("swiotlb.areas: {} areas need a pool of at least {}", areas,
                            format_size(areas * io_tlb_set_size)));
    }
    require(std::has_single_bit(queue_size) && queue_size >= 2 && queue_size <= 32768,
            fmt::format("virtio.queue_size: {} is not a power of two within 2 to 32768", queue_size));
    require(arch_dma_ops != dma_operations::iommu || iommu, "dma_ops.arch: iommu needs host.iommu=yes");
    require(platform_dma_ops != dma_operations::iommu || (iommu && access_platform),
            "dma_ops.platform: iommu needs host.iommu=yes and virtio.access_platform=yes");
    require(mtu >= 68 && mtu <= 65535, fmt::format("net.mtu: {} is not within 68 to 65535", mtu));
    for (const timing::cost& cost : timing::costs) {
        require(cost.unit != "GB/s" || costs.*cost.field > 0,
                fmt::format("timing.{}: a bandwidth must be more than 0", cost.name));
    }
}

}  // namespace pefsim::platform
