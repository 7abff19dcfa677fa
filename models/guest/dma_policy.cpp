// SPDX-License-Identifier: Apache-2.0
#include "guest/dma_policy.h"

#include <algorithm>
#include <array>

namespace pefsim::guest {
namespace {

/// vring_use_dma_api() says no: the virtio core's own path.
constexpr dma_ops_selection own_path{dma_ops_choice::own_path, "ACCESS_PLATFORM not negotiated",
                                     dma_ops_call::none};

/// Every operation through dma_map_ops, as up to Linux 4.20: through a direct window those that add its base, else
/// those that set TCEs.
constexpr dma_ops_selection architecture_of_2018(const dma_ops_facts& facts) {
    return facts.direct_window
               ? dma_ops_selection{dma_ops_choice::dma_direct, "ACCESS_PLATFORM negotiated, direct window",
                                   dma_ops_call::pointer}
               : dma_ops_selection{dma_ops_choice::architecture_default, "ACCESS_PLATFORM negotiated",
                                   dma_ops_call::pointer};
}

constexpr dma_ops_selection before_series(const dma_ops_facts& facts) {
    return facts.access_platform ? architecture_of_2018(facts) : own_path;
}

/// The hook says only that the DMA API is used; with it the platform has given its devices SWIOTLB's operations.
constexpr dma_ops_selection rfc_v2(const dma_ops_facts& facts) {
    if (facts.hook_applies()) {
        return {dma_ops_choice::platform_override, "the platform forces the DMA API", dma_ops_call::pointer};
    }
    return before_series(facts);
}

constexpr dma_ops_selection series_1_3(const dma_ops_facts& facts) {
    dma_ops_facts without_hook = facts;
    without_hook.hook_present = false;
    return select_dma_ops(without_hook);
}

constexpr dma_ops_selection merged(const dma_ops_facts& facts) {
    return facts.access_platform ? select_architecture_default(facts) : own_path;
}

/// virtio_features_ok() asks virtio_check_mem_acc_cb(), and fails with ENODEV.
constexpr dma_ops_selection restricted_memory(const dma_ops_facts& facts) {
    if (facts.hook_applies() && !facts.access_platform) {
        return {dma_ops_choice::none, "device must provide VIRTIO_F_ACCESS_PLATFORM", dma_ops_call::none};
    }
    return merged(facts);
}

/// vring_use_map_api() first, so that a device without ACCESS_PLATFORM has no use for the operations.
constexpr dma_ops_selection map_ops(const dma_ops_facts& facts) {
    if (facts.access_platform && facts.hook_applies()) {
        return {dma_ops_choice::platform_override, "ACCESS_PLATFORM negotiated, virtio_map_ops of the device",
                dma_ops_call::pointer};
    }
    return merged(facts);
}

/// Nothing is forced: the direct path bounces what is private for a device that can reach shared memory only, and has
/// no other way where there is no pool.
constexpr dma_ops_selection cc_shared(const dma_ops_facts& facts) {
    const dma_ops_selection as_merged = merged(facts);
    return as_merged.choice == dma_ops_choice::forced_swiotlb
               ? dma_ops_selection{as_merged.choice, "ACCESS_PLATFORM negotiated, the buffer is private",
                                   as_merged.calls}
               : as_merged;
}

constexpr std::array rows{
    dma_policy{"before_series", "2016 to 2018", "vring_use_dma_api(): ACCESS_PLATFORM", "", false,
               before_series},
    dma_policy{"rfc_v2", "RFC V2 of June 2018", "vring_use_dma_api(): ACCESS_PLATFORM, or the platform",
               "platform_forces_virtio_dma()", false, rfc_v2},
    dma_policy{"series_1_3", "the series of July 2018, patches 1 to 3",
               "virtio_finalize_features(): ACCESS_PLATFORM, else virtio_direct_dma_ops", "", true,
               series_1_3},
    dma_policy{"series", "the series of July 2018",
               "virtio_finalize_features(): the platform, else ACCESS_PLATFORM, else virtio_direct_dma_ops",
               "platform_override_dma_ops()", true, select_dma_ops},
    dma_policy{"merged", "2019 (PPC_SVM) to 2025",
               "vring_use_dma_api(): ACCESS_PLATFORM; init_svm(): SWIOTLB forced", "", true, merged},
    dma_policy{"restricted_memory", "2020 to today, where a platform asks for it",
               "virtio_features_ok(): refused without ACCESS_PLATFORM; else as merged",
               "virtio_check_mem_acc_cb()", true, restricted_memory},
    dma_policy{"map_ops", "2025 (virtio_map_ops)",
               "vring_use_map_api(): ACCESS_PLATFORM; then virtio_map_ops of the device, if it has any",
               "vdev->map", true, map_ops},
    dma_policy{"cc_shared", "proposed in 2026 (DMA_ATTR_CC_SHARED)",
               "vring_use_map_api(): ACCESS_PLATFORM; dma_direct_map_phys(): bounces what is private", "",
               true, cc_shared},
};

}  // namespace

std::span<const dma_policy> dma_policies() { return rows; }

const dma_policy& the_series() { return *std::ranges::find(rows, "series", &dma_policy::name); }

}  // namespace pefsim::guest
