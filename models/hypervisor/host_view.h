// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "abi/address.h"
#include "memory/memory_bus.h"

namespace pefsim::hypervisor {

/// Everything in memory that the host can read now: each page of normal memory that was ever written, be it the guest's
/// plaintext, a shared page, ciphertext, or what was left behind when the page went to secure memory. Untimed, and no
/// access: for a test that looks for secrets.
class host_view {
public:
    explicit host_view(const memory::memory_bus& bus) : bus_(bus) {}

    /// Calls `visit` for each such page in order of address.
    void each_page(const std::function<void(abi::gfn, std::span<const std::byte>)>& visit) const;
    /// Guest physical addresses where these bytes stand, also across the edges of neighbouring pages.
    [[nodiscard]] std::vector<abi::phys_addr> find(std::span<const std::byte> bytes) const;

private:
    const memory::memory_bus& bus_;
};

}  // namespace pefsim::hypervisor
