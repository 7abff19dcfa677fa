// SPDX-License-Identifier: Apache-2.0
//
// The complete table: 4 worlds x MSR[S] x 15 page states x 3 kinds of access, against the rules stated one by one.
#include "memory/smf_check.h"

#include <array>
#include <gtest/gtest.h>
#include <set>
#include <string>

namespace pefsim::memory {

namespace {

using states = std::set<page_state>;
using enum page_state;

const states shared_with_a_page{shared, shared_implicit};
const states taken_back{shared_inv, shared_implicit_inv};
const states in_transit{hv_sharing, hv_shared, hv_shared_inv, hv_unsharing, hv_unsharing_inv, hv_unshared};
const states secure_frame_mapped{secure, pseudo_shared, pseudo_shared_inv};

// An ordinary guest's CPU has what it shares with the host, and what is not the secure guest's at all.
smf_verdict ordinary_guest(page_state state) {
    return state == normal || shared_with_a_page.contains(state) ? smf_verdict::normal_frame
                                                                 : smf_verdict::refused;
}

smf_verdict secure_guest(page_state state, access_kind kind) {
    if (secure_frame_mapped.contains(state)) {
        return smf_verdict::secure_frame;
    }
    if (kind == access_kind::fetch && (shared_with_a_page.contains(state) || taken_back.contains(state))) {
        return smf_verdict::refused;
    }
    return shared_with_a_page.contains(state) ? smf_verdict::normal_frame : smf_verdict::page_fault;
}

// Data of the guest is in its secure frame until a share is committed, and from the moment that the hypervisor has
// released an unshared page on.
smf_verdict ultravisor(page_state state, access_kind kind) {
    const states data_in_secure_memory{secure,      hv_sharing,    hv_shared,        hv_shared_inv,
                                       hv_unshared, pseudo_shared, pseudo_shared_inv};
    const states no_access_after_uv_page_inval{shared_inv, shared_implicit_inv, hv_unsharing_inv};
    if (kind == access_kind::fetch || no_access_after_uv_page_inval.contains(state)) {
        return smf_verdict::refused;
    }
    return data_in_secure_memory.contains(state) ? smf_verdict::secure_frame : smf_verdict::normal_frame;
}

// The host reaches its own memory and nothing else.
smf_verdict host(world who, page_state state, access_kind kind) {
    const states no_page_of_the_host{secure, hv_sharing, hv_unshared};
    if (no_page_of_the_host.contains(state) || (who == world::device && kind == access_kind::fetch)) {
        return smf_verdict::refused;
    }
    return smf_verdict::normal_frame;
}

smf_verdict expected(world who, bool secure, page_state state, access_kind kind) {
    switch (who) {
    case world::guest:
        return secure ? secure_guest(state, kind) : ordinary_guest(state);
    case world::ultravisor:
        return ultravisor(state, kind);
    default:
        return host(who, state, kind);
    }
}

constexpr std::array worlds{world::guest, world::ultravisor, world::hypervisor, world::device};
constexpr std::array kinds{access_kind::read, access_kind::write, access_kind::fetch};

template <class Check>
void for_every_access(const Check& check) {
    for (const world who : worlds) {
        for (const bool secure : {false, true}) {
            for (std::size_t i = 0; i < page_state_count; ++i) {
                for (const access_kind kind : kinds) {
                    check(who, secure, static_cast<page_state>(i), kind);
                }
            }
        }
    }
}

}  // namespace

TEST(smf_check, every_access_in_every_state) {
    unsigned checked = 0;
    for_every_access([&](world who, bool secure, page_state state, access_kind kind) {
        EXPECT_EQ(to_name(smf_check(who, secure, state, kind)), to_name(expected(who, secure, state, kind)))
            << to_name(who) << (secure ? " S=1 " : " S=0 ") << to_name(kind) << " of a page "
            << to_name(state);
        ++checked;
    });
    EXPECT_EQ(checked, 4U * 2 * 15 * 3);
}

TEST(smf_check, secure_memory_is_for_secure_software_only) {
    for_every_access([](world who, bool secure, page_state state, access_kind kind) {
        const bool may_have_s = who == world::ultravisor || (who == world::guest && secure);
        if (!may_have_s) {
            EXPECT_NE(smf_check(who, secure, state, kind), smf_verdict::secure_frame)
                << to_name(who) << to_name(state);
        }
    });
}

TEST(smf_check, a_secure_guest_executes_nothing_that_the_host_can_write) {
    for_every_access([](world who, bool secure, page_state state, access_kind kind) {
        if (who == world::guest && secure && kind == access_kind::fetch) {
            EXPECT_NE(smf_check(who, secure, state, kind), smf_verdict::normal_frame) << to_name(state);
        }
    });
}

// What a secure guest or the Ultravisor may write to in normal memory counts as exposed, or the host gets it otherwise.
TEST(smf_check, a_secure_guest_writes_normal_memory_only_where_it_counts_as_exposed) {
    for (std::size_t i = 0; i < page_state_count; ++i) {
        const auto state = static_cast<page_state>(i);
        if (smf_check(world::guest, true, state, access_kind::write) == smf_verdict::normal_frame) {
            EXPECT_TRUE(exposed(state)) << to_name(state);
        }
        if (exposed(state)) {
            EXPECT_EQ(smf_check(world::device, false, state, access_kind::read), smf_verdict::normal_frame)
                << to_name(state);
        }
    }
}

}  // namespace pefsim::memory
