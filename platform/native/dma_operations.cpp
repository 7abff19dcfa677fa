// SPDX-License-Identifier: Apache-2.0
#include "platform/native/dma_operations.h"

#include <array>

#include "dma_ops/direct_dma_ops.h"
#include "dma_ops/iommu_dma_ops.h"
#include "dma_ops/swiotlb_dma_ops.h"
#include "platform/native/native_machine_config.h"

namespace pefsim::platform {
namespace {

using made = std::unique_ptr<dma_ops::mapped_dma_ops>;

made make_direct(trace::recorder& recorder, const native_machine_config& config) {
    return std::make_unique<dma_ops::direct_dma_ops>("direct", recorder,
                                                     dma_ops::direct_dma_ops::config{.costs = config.costs});
}

made make_swiotlb(trace::recorder& recorder, const native_machine_config& config) {
    return std::make_unique<dma_ops::swiotlb_dma_ops>(
        "swiotlb", recorder,
        dma_ops::swiotlb_dma_ops::config{
            .pool_size = config.swiotlb_size, .cpus = config.areas_of_pool(), .costs = config.costs});
}

made make_iommu(trace::recorder& recorder, const native_machine_config& config) {
    return std::make_unique<dma_ops::iommu_dma_ops>("iommu", recorder,
                                                    dma_ops::iommu_dma_ops::config{.costs = config.costs});
}

constexpr std::array rows{
    dma_operations_row{dma_operations::direct, "direct", make_direct},
    dma_operations_row{dma_operations::swiotlb, "swiotlb", make_swiotlb},
    dma_operations_row{dma_operations::iommu, "iommu", make_iommu},
};

}  // namespace

std::span<const dma_operations_row> dma_operations_rows() { return rows; }

std::string_view to_name(dma_operations operations) {
    for (const dma_operations_row& row : rows) {
        if (row.which == operations) {
            return row.name;
        }
    }
    return "none";
}

std::vector<std::pair<std::string_view, dma_operations>> dma_operations_words() {
    std::vector<std::pair<std::string_view, dma_operations>> words;
    for (const dma_operations_row& row : rows) {
        words.emplace_back(row.name, row.which);
    }
    return words;
}

}  // namespace pefsim::platform
