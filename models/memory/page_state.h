// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pefsim::memory {

/// State of a 64 KiB guest page, as the Ultravisor keeps it: the fourteen states of the public Ultravisor's guest page
/// frame machine with their values, and `normal` for a page of a virtual machine that is not (yet) secure, which the
/// Ultravisor keeps no state for.
enum class page_state : std::uint8_t {
    secure = 0,           ///< in secure memory, the guest's alone
    paged_out = 1,        ///< the host holds the ciphertext
    shared = 2,           ///< in normal memory, shared by the guest
    shared_inv = 3,       ///< shared, the hypervisor has taken the page back
    shared_implicit = 4,  ///< shared by the Ultravisor for the guest (an emulated device's page)
    shared_implicit_inv = 5,
    hv_sharing = 6,     ///< asked the hypervisor for a normal page
    hv_shared = 7,      ///< got one, not committed yet
    hv_shared_inv = 8,  ///< and lost it again before the commit
    hv_unsharing = 9,   ///< telling the hypervisor that the page goes back
    hv_unsharing_inv = 10,
    hv_unshared = 11,    ///< the hypervisor gave it up, not committed yet
    pseudo_shared = 12,  ///< the guest keeps a secure page, the host has a page of its own in the same place
    pseudo_shared_inv = 13,
    normal = 14,
};
inline constexpr std::size_t page_state_count = 15;

inline constexpr std::array<std::string_view, page_state_count> page_state_names{
    "SECURE",        "PAGEDOUT",          "SHARED",
    "SHARED_INV",    "SHARED_IMPLICIT",   "SHARED_IMPLICIT_INV",
    "HV_SHARING",    "HV_SHARED",         "HV_SHARED_INV",
    "HV_UNSHARING",  "HV_UNSHARING_INV",  "HV_UNSHARED",
    "PSEUDO_SHARED", "PSEUDO_SHARED_INV", "NORMAL"};

constexpr std::string_view to_name(page_state state) {
    return page_state_names[static_cast<std::size_t>(state)];
}

/// True while the page's frame in normal memory holds the guest's plaintext: the host can read it. A page that the host
/// has taken back (*_INV), or that is on its way back to the guest (HV_UNSHARING), still stands there.
constexpr bool exposed(page_state state) {
    switch (state) {
    case page_state::normal:
    case page_state::shared:
    case page_state::shared_inv:
    case page_state::shared_implicit:
    case page_state::shared_implicit_inv:
    case page_state::hv_unsharing:
    case page_state::hv_unsharing_inv:
        return true;
    default:
        return false;
    }
}

}  // namespace pefsim::memory
