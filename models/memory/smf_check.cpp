// SPDX-License-Identifier: Apache-2.0
#include "memory/smf_check.h"

#include <array>
#include <cstddef>

namespace pefsim::memory {

namespace {

using enum smf_verdict;

struct row {
    page_state state;
    smf_verdict guest;
    smf_verdict secure_guest;
    smf_verdict secure_fetch;
    smf_verdict ultravisor;
    smf_verdict host;
};

// clang-format off
constexpr std::array<row, page_state_count> table{{
    //                                 guest S=0     guest S=1     fetch S=1     Ultravisor    hypervisor, device
    {page_state::secure,              refused,      secure_frame, secure_frame, secure_frame, refused},
    {page_state::paged_out,           refused,      page_fault,   page_fault,   normal_frame, normal_frame},
    {page_state::shared,              normal_frame, normal_frame, refused,      normal_frame, normal_frame},
    {page_state::shared_inv,          refused,      page_fault,   refused,      refused,      normal_frame},
    {page_state::shared_implicit,     normal_frame, normal_frame, refused,      normal_frame, normal_frame},
    {page_state::shared_implicit_inv, refused,      page_fault,   refused,      refused,      normal_frame},
    {page_state::hv_sharing,          refused,      page_fault,   page_fault,   secure_frame, refused},
    {page_state::hv_shared,           refused,      page_fault,   page_fault,   secure_frame, normal_frame},
    {page_state::hv_shared_inv,       refused,      page_fault,   page_fault,   secure_frame, normal_frame},
    {page_state::hv_unsharing,        refused,      page_fault,   page_fault,   normal_frame, normal_frame},
    {page_state::hv_unsharing_inv,    refused,      page_fault,   page_fault,   refused,      normal_frame},
    {page_state::hv_unshared,         refused,      page_fault,   page_fault,   secure_frame, refused},
    {page_state::pseudo_shared,       refused,      secure_frame, secure_frame, secure_frame, normal_frame},
    {page_state::pseudo_shared_inv,   refused,      secure_frame, secure_frame, secure_frame, normal_frame},
    {page_state::normal,              normal_frame, page_fault,   page_fault,   normal_frame, normal_frame},
}};
// clang-format on

constexpr bool rows_are_in_order() {
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (static_cast<std::size_t>(table[i].state) != i) {
            return false;
        }
    }
    return true;
}
static_assert(rows_are_in_order());

}  // namespace

smf_verdict smf_check(world who, bool secure, page_state state, access_kind kind) {
    const row& page = table[static_cast<std::size_t>(state)];
    const bool fetch = kind == access_kind::fetch;
    switch (who) {
    case world::guest:
        if (!secure) {
            return page.guest;
        }
        return fetch ? page.secure_fetch : page.secure_guest;
    case world::ultravisor:
        return fetch ? refused : page.ultravisor;
    case world::hypervisor:
        return page.host;
    case world::device:
        return fetch ? refused : page.host;
    }
    return refused;
}

}  // namespace pefsim::memory
