// SPDX-License-Identifier: Apache-2.0
#include "exposure/call_chains.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pefsim::exposure {

namespace {

/// How the names of those functions begin that work for whoever calls them. They are Linux's layers, not its drivers.
constexpr std::array<std::string_view, 20> layers{
    // lib/string, arch/powerpc/lib
    "memcpy",
    "memset",
    "memmove",
    "memzero",
    "__memcpy",
    "__memset",
    "backwards_memcpy",
    "copy_page",
    "__copy_",
    "clear_page",
    // kernel/dma
    "dma_",
    "__dma_",
    "swiotlb_",
    // drivers/virtio: virtio_ring.c, virtio_pci_*.c
    "virtqueue_",
    "__virtqueue_",
    "vring_",
    "__vring_",
    "vp_",
    "setup_vq",
    "detach_buf_",
};

/// arch/powerpc/kernel: interrupt_64.S, exceptions-64s.S, entry_64.S.
constexpr std::array<std::string_view, 8> entries{
    "system_call_", "hardware_interrupt_", "decrementer_", "doorbell_",
    "data_access_", "instruction_access_", "ret_from_",    "replay_",
};

template <class Beginnings>
bool begins_like(std::string_view function, const Beginnings& which) {
    return std::ranges::any_of(which,
                               [&](std::string_view beginning) { return function.starts_with(beginning); });
}

}  // namespace

std::uint32_t call_chains::callers(std::span<const std::uint64_t> returns) {
    const auto [found, is_new] = number_of_returns_.try_emplace({returns.begin(), returns.end()},
                                                                static_cast<std::uint32_t>(returns_.size()));
    if (is_new) {
        returns_.push_back(&found->first);
    }
    return found->second;
}

std::uint64_t call_chains::origin(std::uint64_t place, std::uint32_t callers) {
    const auto [found, is_new] = number_of_chain_.try_emplace({place, callers}, chains_.size() << 2 | 2);
    if (is_new) {
        chains_.emplace_back(place, callers);
    }
    return found->second;
}

bool enters_the_kernel(std::string_view function) { return begins_like(function, entries); }

std::string driver_of(std::span<const std::string> functions) {
    const auto found = std::ranges::find_if_not(
        functions, [](std::string_view each) { return begins_like(each, layers); });
    return found == functions.end() ? std::string() : *found;
}

}  // namespace pefsim::exposure
