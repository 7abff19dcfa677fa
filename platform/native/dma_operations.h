// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "dma_ops/mapped_dma_ops.h"
#include "trace/recorder.h"

/// The modules of DMA operations that a native machine knows, as rows: a new one is its word in the enumeration and its
/// row in dma_operations.cpp, besides its own files.
namespace pefsim::platform {

struct native_machine_config;

/// What can be bound to one of virtio core's ports; `none` only where nothing need be.
enum class dma_operations : std::uint8_t { none, direct, swiotlb, iommu };

struct dma_operations_row {
    dma_operations which;
    std::string_view name;  ///< the word of a parameter, and the module's name
    std::unique_ptr<dma_ops::mapped_dma_ops> (*make)(trace::recorder& recorder,
                                                     const native_machine_config& config);
};
std::span<const dma_operations_row> dma_operations_rows();

std::string_view to_name(dma_operations operations);
/// For a parameter.
std::vector<std::pair<std::string_view, dma_operations>> dma_operations_words();

}  // namespace pefsim::platform
