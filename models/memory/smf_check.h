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
    case access_kind::read:
        return "read";
    case access_kind::write:
        return "write";
    case access_kind::fetch:
        return "fetch";
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
    case smf_verdict::normal_frame:
        return "normal";
    case smf_verdict::secure_frame:
        return "secure";
    case smf_verdict::page_fault:
        return "fault";
    case smf_verdict::refused:
        return "refused";
    }
    return "?";
}

/// The check of the Secure Memory Facility that every bus access passes: a pure function of who asks, with which
/// MSR[S], the state of the page and the kind of access.
///
/// | page state          | guest S=0 | guest S=1 | fetch S=1 | Ultravisor | hypervisor, device    |
/// |---------------------|-----------|-----------|-----------|------------|-----------------------|
/// | SECURE              | refused   | secure    | secure    | secure     | refused               |
/// | PAGEDOUT            | refused   | fault     | fault     | normal     | normal (ciphertext)   |
/// | SHARED              | normal    | normal    | refused   | normal     | normal                |
/// | SHARED_INV          | refused   | fault     | refused   | refused    | normal                |
/// | SHARED_IMPLICIT     | normal    | normal    | refused   | normal     | normal                |
/// | SHARED_IMPLICIT_INV | refused   | fault     | refused   | refused    | normal                |
/// | HV_SHARING          | refused   | fault     | fault     | secure     | refused               |
/// | HV_SHARED           | refused   | fault     | fault     | secure     | normal (its new page) |
/// | HV_SHARED_INV       | refused   | fault     | fault     | secure     | normal (its own page) |
/// | HV_UNSHARING        | refused   | fault     | fault     | normal     | normal                |
/// | HV_UNSHARING_INV    | refused   | fault     | fault     | refused    | normal                |
/// | HV_UNSHARED         | refused   | fault     | fault     | secure     | refused               |
/// | PSEUDO_SHARED       | refused   | secure    | secure    | secure     | normal (its own copy) |
/// | PSEUDO_SHARED_INV   | refused   | secure    | secure    | secure     | normal (its own copy) |
/// | NORMAL              | normal    | fault     | fault     | normal     | normal                |
///
/// * Secure memory is for accesses with S=1 only. MSR[S] is believed of a guest's CPU alone: the Ultravisor always runs
///   with S=1, the hypervisor and devices cannot have it.
/// * The Ultravisor finds the guest's data in the frame that holds it, and leaves alone a page that the hypervisor has
///   taken back (*_INV): no access after UV_PAGE_INVAL.
/// * Normal memory is the host's own: only where the page's data is the guest's and the host has no page there
///   (SECURE, HV_SHARING, HV_UNSHARED) its access finds nothing.
/// * A NORMAL page is none of a secure guest's (it is outside its memory slots); a fault keeps the guest's secrets from
///   being written where the host reads.
/// * A secure guest executes from secure frames only. The Ultravisor and devices never execute guest memory (refused);
///   a fetch of the hypervisor or of an ordinary guest is like its read.
smf_verdict smf_check(world who, bool secure, page_state state, access_kind kind);

}  // namespace pefsim::memory
