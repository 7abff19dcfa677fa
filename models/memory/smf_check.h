// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "memory/bus_attributes.h"
#include "memory/page_state.h"

namespace pefsim::memory {

enum class access_kind : std::uint8_t { read, write, fetch };
constexpr std::string_view to_name(access_kind kind) {
    switch (kind) {
    case access_kind::read: return "read";
    case access_kind::write: return "write";
    case access_kind::fetch: return "fetch";
    }
    return "?";
}

/// What an access to a page comes to.
enum class smf_verdict : std::uint8_t {
    normal_frame,  ///< goes to the page's frame in normal memory
    secure_frame,  ///< goes to the page's frame in secure memory
    page_fault,    ///< the guest has no mapping now: storage interrupt, which the Ultravisor resolves
    refused,       ///< Secure Memory Facility: not allowed, no byte moves
};
constexpr std::string_view to_name(smf_verdict verdict) {
    switch (verdict) {
    case smf_verdict::normal_frame: return "normal";
    case smf_verdict::secure_frame: return "secure";
    case smf_verdict::page_fault: return "fault";
    case smf_verdict::refused: return "refused";
    }
    return "?";
}

/// The check of the Secure Memory Facility that every bus access passes: a pure function of who asks, with which MSR[S],
/// the state of the page and the kind of access.
///
/// Secure memory is for accesses with S=1 only; a device or the hypervisor reaches a page's normal frame only in a state
/// in which that frame is theirs (shared, their own copy, or ciphertext); a secure guest executes from secure frames only.
smf_verdict smf_check(world who, bool secure, page_state state, access_kind kind);

}  // namespace pefsim::memory
