// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "guest/dma_ops_selection.h"

/// The ways in which Linux's virtio core has come to its DMA operations, before and since the series of July 2018, and
/// in which it was meant to: rows of one table. A new one is its function and its row in dma_policy.cpp.
namespace pefsim::guest {

struct dma_policy {
    std::string_view name;        ///< as on the command line
    std::string_view kernel;      ///< which Linux decides so
    std::string_view decided_by;  ///< what decides in it
    std::string_view hook;        ///< what its hook is, where the platform may have one; empty: it has none
    /// That Linux forces SWIOTLB for a secure guest's devices with ACCESS_PLATFORM (PPC_SVM, 5.4).
    bool forces_swiotlb;
    dma_ops_selection (*select)(const dma_ops_facts& facts);
};

/// In order of their time.
std::span<const dma_policy> dma_policies();
/// The whole series of 2018, which a native guest has unless it is told otherwise.
const dma_policy& the_series();

}  // namespace pefsim::guest
