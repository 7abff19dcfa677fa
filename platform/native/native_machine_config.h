// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "dma_ops/call_form.h"
#include "guest/dma_ops_selection.h"
#include "guest/dma_policy.h"
#include "platform/machine_config.h"
#include "platform/native/dma_operations.h"
#include "platform/parameter_set.h"

namespace pefsim::platform {

/// A machine and its native guest. The default guest is an ordinary one.
struct native_machine_config : machine_config {
    bool secure = false;  ///< the guest's kernel makes itself secure (UV_ESM) when it starts

    dma_operations arch_dma_ops = dma_operations::iommu;     ///< the architecture's default
    dma_operations platform_dma_ops = dma_operations::none;  ///< what the platform's override hook installs
    guest::platform_override override_when =
        guest::platform_override::secure_guest;                  ///< when the hook applies
    const guest::dma_policy* dma_policy = &guest::the_series();  ///< which Linux chooses how
    dma_ops::call_form dma_calls = dma_ops::call_form::direct;   ///< of operations behind a pointer
    bool accept_access_platform = true;  ///< the guest accepts VIRTIO_F_ACCESS_PLATFORM where it is offered
    /// Each device reaches all of memory through one window, for which the guest sets TCEs once; with `iommu` off
    /// without a translation. Where the policy's Linux forces SWIOTLB for a secure guest, the direct path bounces.
    bool direct_window = false;

    std::uint64_t swiotlb_size = std::uint64_t{4} << 20;  ///< bytes of the pool, a multiple of 256 KiB
    unsigned swiotlb_areas = 0;                           ///< 0: one per CPU, as far as the pool goes

    unsigned canaries = 8;  ///< secrets planted in the guest's memory and registers, for the leak oracle

    /// Adds every field that a user may change to `parameters`, bound to this object.
    void declare(parameter_set& parameters);
    /// \throws std::invalid_argument with one line naming the parameters that are wrong or contradict each other
    void check() const;
    /// Areas that the bounce pool is to have: Linux gives each CPU one, but none less than a set of 256 KiB.
    [[nodiscard]] unsigned areas_of_pool() const;
    [[nodiscard]] bool uses(dma_operations operations) const {
        return arch_dma_ops == operations || platform_dma_ops == operations ||
               (operations == dma_operations::swiotlb && forces_swiotlb());
    }
    [[nodiscard]] bool forces_swiotlb() const {
        return secure && direct_window && dma_policy->forces_swiotlb;
    }
};

}  // namespace pefsim::platform
