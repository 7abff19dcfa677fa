// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "memory/page_state.h"

namespace pefsim::ultravisor {

/// What can happen to a page of a secure virtual machine.
enum class page_event : std::uint8_t {
    share,       ///< the guest: UV_SHARE_PAGE
    unshare,     ///< the guest: UV_UNSHARE_PAGE, UV_UNSHARE_ALL_PAGES
    invalidate,  ///< the hypervisor: UV_PAGE_INVAL
    page_in,     ///< the hypervisor: UV_PAGE_IN
    page_out,    ///< the hypervisor: UV_PAGE_OUT
    commit,      ///< the Ultravisor completes a share or an unshare
    released,    ///< the hypervisor has given the page up: H_SVM_PAGE_IN(nonshared) succeeded
    revert,      ///< the Ultravisor undoes a share whose other pages failed
};

enum class page_outcome : std::uint8_t {
    done,   ///< the page is now in `to`, possibly the state that it was in
    error,  ///< not allowed in this state; the page stays as it is
    busy,   ///< not now: U_RETRY; the page stays as it is
};

struct page_transition {
    page_outcome outcome;
    memory::page_state to;
    friend bool operator==(const page_transition&, const page_transition&) = default;
};

/// The guest page frame machine of the Ultravisor: fourteen states, one table (page_machine.cpp). It holds from the
/// moment that the virtual machine is secure; before, pages only move in.
///
/// The table is that of the public Ultravisor's include/svm_host.h. Where the documentation of the calls, the table and
/// the code disagree, the documentation's contract and the invariants are followed:
///
/// * UV_PAGE_OUT of a page that the guest shares: nothing to do (the call's documentation); table and code: error.
/// * UV_PAGE_INVAL of a shared page that is invalid already: nothing to do (code). The table would make it valid again,
///   and the Ultravisor would use a page that the hypervisor has taken back.
/// * UV_PAGE_IN of an HV_SHARED page: error (table); the code would take the new page.
/// * Sharing a PAGEDOUT page: the table's HV_SHARING is reached by way of SECURE, as in the code: the page comes in
///   first, so that its content survives when the share fails.
///
/// \param state any state but `normal`, which is no state of a secure guest's page (std::logic_error)
page_transition next(memory::page_state state, page_event event);

/// On whose account a page is shared.
enum class share_kind : std::uint8_t {
    explicitly,  ///< the guest asked for it: UV_SHARE_PAGE
    implicitly,  ///< the Ultravisor's own: the guest does not know of the page
    pseudo,      ///< the Ultravisor's own: the guest keeps the secure page that it has
};

/// The state that a share of this kind ends in, for the one that it would end in had the guest asked for it: SHARED or
/// SHARED_INV.
memory::page_state shared_as(share_kind kind, memory::page_state asked_for);

constexpr std::string_view to_name(page_event event) {
    switch (event) {
    case page_event::share:
        return "share";
    case page_event::unshare:
        return "unshare";
    case page_event::invalidate:
        return "invalidate";
    case page_event::page_in:
        return "page-in";
    case page_event::page_out:
        return "page-out";
    case page_event::commit:
        return "commit";
    case page_event::released:
        return "released";
    case page_event::revert:
        return "revert";
    }
    return "?";
}

/// Shared by the guest's own request, valid or taken back by the hypervisor.
constexpr bool explicitly_shared(memory::page_state state) {
    return state == memory::page_state::shared || state == memory::page_state::shared_inv;
}

/// In the guest's hands alone: in secure memory, or with the host as ciphertext.
constexpr bool private_to_guest(memory::page_state state) {
    return state == memory::page_state::secure || state == memory::page_state::paged_out;
}

}  // namespace pefsim::ultravisor
