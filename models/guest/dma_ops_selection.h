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
///
/// The other ways in which Linux has decided are in guest/dma_policy.h.
namespace pefsim::guest {

enum class dma_ops_choice : std::uint8_t {
    none,  ///< the device is refused
    architecture_default,
    virtio_direct,
    platform_override,
    own_path,        ///< virtio core uses guest physical addresses itself, without the DMA API
    dma_direct,      ///< the direct path of the DMA API, through the device's direct window
    forced_swiotlb,  ///< the same, where SWIOTLB is forced
};
inline constexpr unsigned dma_ops_choices = 7;
/// Those that the series knows, on an architecture without direct windows: the first so many.
inline constexpr unsigned dma_ops_choices_of_series = 4;
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
    case dma_ops_choice::own_path:
        return "own path";
    case dma_ops_choice::dma_direct:
        return "dma-direct";
    case dma_ops_choice::forced_swiotlb:
        return "forced swiotlb";
    }
    return "?";
}

/// How virtio core gets to the operations.
enum class dma_ops_call : std::uint8_t {
    none,     ///< it has them itself
    direct,   ///< a function that the linker knows (dma_map_direct())
    pointer,  ///< dma_map_ops, or virtio_map_ops
};
constexpr std::string_view to_name(dma_ops_call call) {
    switch (call) {
    case dma_ops_call::none:
        return "none";
    case dma_ops_call::direct:
        return "direct";
    case dma_ops_call::pointer:
        return "pointer";
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
    bool secure_guest;            ///< MSR[S] of the CPU
    bool direct_window = false;   ///< the device reaches all of memory through a window that was set up once
    bool bounce_present = false;  ///< the architecture has a bounce pool for its direct path

    /// The platform's hook is there, and this guest is one for it.
    [[nodiscard]] constexpr bool hook_applies() const {
        return hook_present && (hook == platform_override::always ||
                                (hook == platform_override::secure_guest && secure_guest));
    }
};

struct dma_ops_selection {
    dma_ops_choice choice;
    std::string_view reason;
    dma_ops_call calls = dma_ops_call::pointer;
};

/// What the architecture gives a device with ACCESS_PLATFORM. Linux since 2019 (arch/powerpc/platforms/pseries/svm.c):
/// through a direct window the direct path of the DMA API, on which a secure guest forces SWIOTLB; without one, TCEs
/// for each buffer.
constexpr dma_ops_selection select_architecture_default(const dma_ops_facts& facts) {
    if (!facts.direct_window) {
        return {dma_ops_choice::architecture_default, "ACCESS_PLATFORM negotiated"};
    }
    if (facts.secure_guest && facts.bounce_present) {
        return {dma_ops_choice::forced_swiotlb, "ACCESS_PLATFORM negotiated, SWIOTLB forced",
                dma_ops_call::direct};
    }
    return {dma_ops_choice::dma_direct, "ACCESS_PLATFORM negotiated, direct window", dma_ops_call::direct};
}

constexpr dma_ops_selection select_dma_ops(const dma_ops_facts& facts) {
    if (facts.hook_applies()) {
        return {dma_ops_choice::platform_override, facts.hook == platform_override::always
                                                       ? "the platform always overrides"
                                                       : "the platform overrides in a secure guest"};
    }
    if (!facts.access_platform) {
        return {dma_ops_choice::virtio_direct, "ACCESS_PLATFORM not negotiated"};
    }
    return select_architecture_default(facts);
}

}  // namespace pefsim::guest
