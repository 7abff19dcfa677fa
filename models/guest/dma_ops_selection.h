// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

/// Which DMA operations a virtio device gets. The order is that of the series "Virtio uses DMA API for all devices"
/// (July 2018), applied while features are finalized; each step may replace what the one before it chose:
///
/// | step | patch | condition                                         | operations                        |
/// |------|-------|---------------------------------------------------|-----------------------------------|
/// | a    | 3     | always: every device has DMA operations           | the architecture's default        |
/// | b    | 1, 2  | ACCESS_PLATFORM is not among negotiated features  | virtio_direct_dma_ops             |
/// | c    | 4     | the platform's hook is there and applies          | those of platform_override_dma_ops |
namespace pefsim::guest {

enum class dma_ops_choice : std::uint8_t { none, architecture_default, virtio_direct, platform_override };
inline constexpr unsigned dma_ops_choices = 4;
constexpr std::string_view to_name(dma_ops_choice choice) {
    switch (choice) {
    case dma_ops_choice::none:
        return "none";
    case dma_ops_choice::architecture_default:
        return "architecture default";
    case dma_ops_choice::virtio_direct:
        return "virtio direct";
    case dma_ops_choice::platform_override:
        return "platform override";
    }
    return "?";
}

/// When the platform's hook (patch 4) overrides.
enum class platform_override : std::uint8_t {
    never,         ///< as if the platform did not have it
    secure_guest,  ///< in a secure virtual machine: what the series proposes for POWER
    always,
};

/// What the choice depends on.
struct dma_ops_facts {
    bool access_platform;  ///< negotiated: offered by the device and accepted by the driver
    bool hook_present;     ///< the platform has DMA operations for its override
    platform_override hook;
    bool secure_guest;  ///< MSR[S] of the CPU
};

struct dma_ops_selection {
    dma_ops_choice choice;
    std::string_view reason;
};

constexpr dma_ops_selection select_dma_ops(const dma_ops_facts& facts) {
    dma_ops_selection selection{dma_ops_choice::architecture_default, "ACCESS_PLATFORM negotiated"};
    if (!facts.access_platform) {
        selection = {dma_ops_choice::virtio_direct, "ACCESS_PLATFORM not negotiated"};
    }
    if (facts.hook_present && facts.hook == platform_override::always) {
        selection = {dma_ops_choice::platform_override, "the platform always overrides"};
    } else if (facts.hook_present && facts.hook == platform_override::secure_guest && facts.secure_guest) {
        selection = {dma_ops_choice::platform_override, "the platform overrides in a secure guest"};
    }
    return selection;
}

}  // namespace pefsim::guest
