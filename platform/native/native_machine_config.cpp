// SPDX-License-Identifier: Apache-2.0
#include "platform/native/native_machine_config.h"

#include <fmt/format.h>

#include <bit>

#include "platform/quantity.h"

namespace pefsim::platform {
namespace {

constexpr std::uint64_t io_tlb_set_size = std::uint64_t{256} << 10;

}  // namespace

unsigned native_machine_config::areas_of_pool() const {
    if (swiotlb_areas != 0) {
        return swiotlb_areas;
    }
    return static_cast<unsigned>(std::min<std::uint64_t>(cpus, swiotlb_size / io_tlb_set_size));
}

void native_machine_config::declare(parameter_set& parameters) {
    parameters.add("secure", secure, "the guest makes itself secure (UV_ESM) when it starts");
    parameters.add("canaries", canaries, "secrets", "secrets planted in the guest for the leak oracle");
    declare_machine(parameters);

    auto words = dma_operations_words();
    parameters.add("dma_ops.arch", arch_dma_ops, words,
                   "DMA operations that the architecture gives a device");
    words.insert(words.begin(), {"none", dma_operations::none});
    parameters.add("dma_ops.platform", platform_dma_ops, words,
                   "DMA operations that the platform's override hook installs");

    parameters.add("dma_ops.override", override_when,
                   {{"never", guest::platform_override::never},
                    {"secure_guest", guest::platform_override::secure_guest},
                    {"always", guest::platform_override::always}},
                   "when the platform's hook overrides");

    std::vector<std::pair<std::string_view, const guest::dma_policy*>> policies;
    for (const guest::dma_policy& row : guest::dma_policies()) {
        policies.emplace_back(row.name, &row);
    }
    parameters.add("dma_ops.policy", dma_policy, policies,
                   "which Linux's virtio core chooses DMA operations");
    parameters.add("dma_ops.calls", dma_calls,
                   {{"direct", dma_ops::call_form::direct},
                    {"predicted", dma_ops::call_form::predicted},
                    {"retpoline", dma_ops::call_form::retpoline},
                    {"static_call", dma_ops::call_form::static_call}},
                   "what calling DMA operations through a pointer costs");
    parameters.add("virtio.accept_access_platform", accept_access_platform,
                   "the guest accepts VIRTIO_F_ACCESS_PLATFORM where it is offered");
    parameters.add("iommu.direct_window", direct_window,
                   "each device has one window to all of memory, set up once");

    parameters.add("swiotlb.size", swiotlb_size, quantity::bytes, "bytes",
                   "bounce buffer pool, whole sets of 256 KiB");
    parameters.add("swiotlb.areas", swiotlb_areas, "areas",
                   "areas of the pool; 0: one per CPU, as far as the pool goes");

    declare_devices(parameters);
    if (network) {
        declare_network(parameters);
    }
    declare_costs(parameters);
}

void native_machine_config::check() const {
    machine_config::check();
    require(ultravisor || !secure, "secure: a guest cannot become secure with ultravisor=no");
    require(canaries <= 4096, fmt::format("canaries: {} is more than 4096", canaries));
    if (uses(dma_operations::swiotlb)) {
        require(swiotlb_size >= io_tlb_set_size && swiotlb_size % io_tlb_set_size == 0,
                fmt::format("swiotlb.size: {} is not a multiple of 256KiB", format_size(swiotlb_size)));
        require(swiotlb_size < memory_size,
                fmt::format("swiotlb.size: a pool of {} does not fit into memory.size={}",
                            format_size(swiotlb_size), format_size(memory_size)));
        const std::uint64_t areas = std::bit_ceil(swiotlb_areas);
        require(areas * io_tlb_set_size <= swiotlb_size,
                fmt::format("swiotlb.areas: {} areas need a pool of at least {}", areas,
                            format_size(areas * io_tlb_set_size)));
    }
    require(arch_dma_ops != dma_operations::iommu || iommu, "dma_ops.arch: iommu needs host.iommu=yes");
    require(platform_dma_ops != dma_operations::iommu || (iommu && access_platform),
            "dma_ops.platform: iommu needs host.iommu=yes and virtio.access_platform=yes");
}

}  // namespace pefsim::platform
