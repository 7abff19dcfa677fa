// SPDX-License-Identifier: Apache-2.0
//
// All fourteen states and all events, against the published table as text.
#include "ultravisor/page_machine.h"

#include <array>
#include <gtest/gtest.h>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include "memory/smf_check.h"

namespace pefsim::ultravisor {

namespace {

using memory::page_state;

// include/svm_host.h of the public Ultravisor. "same" where the table says that the state stays.
constexpr std::string_view published = R"(
SECURE              HV_SHARING | SECURE            | Err                 | Err             | PAGEDOUT | SECURE
PAGEDOUT            HV_SHARING | PAGEDOUT          | Err                 | SECURE          | PAGEDOUT | PAGEDOUT
HV_SHARING          Err | Err               | Err                 | HV_SHARED       | Err      | Err
HV_SHARED           Err | Err               | HV_SHARED_INV       | Err             | Err      | SHARED
HV_SHARED_INV       Err | Err               | same                | HV_SHARED       | Err      | SHARED_INV
SHARED              SHARED | HV_UNSHARING      | SHARED_INV          | SHARED          | Err      | Err
SHARED_INV          same | HV_UNSHARING_INV  | SHARED              | SHARED          | Err      | Err
SHARED_IMPLICIT     same | Err               | SHARED_IMPLICIT_INV | SHARED_IMPLICIT | Err      | Err
SHARED_IMPLICIT_INV same | Err               | SHARED_IMPLICIT     | SHARED_IMPLICIT | Err      | Err
HV_UNSHARING        Err | Err               | HV_UNSHARING_INV    | HV_UNSHARING    | Err      | Err
HV_UNSHARING_INV    Err | Err               | same                | HV_UNSHARING    | Err      | Err
HV_UNSHARED         Err | Err               | Err                 | Err             | Busy     | SECURE
PSEUDO_SHARED       same | Err               | PSEUDO_SHARED_INV   | PSEUDO_SHARED   | Err      | Err
PSEUDO_SHARED_INV   same | Err               | same                | PSEUDO_SHARED   | Err      | Err
)";

// Where the documentation of the calls, or an invariant, overrules the table.
const std::map<std::pair<std::string, page_event>, std::string> overruled{
    // ultravisor.rst, UV_PAGE_OUT: "If the source page is already a shared page the call returns U_SUCCESS".
    {{"SHARED", page_event::page_out}, "same"},
    {{"SHARED_INV", page_event::page_out}, "same"},
    {{"SHARED_IMPLICIT", page_event::page_out}, "same"},
    {{"SHARED_IMPLICIT_INV", page_event::page_out}, "same"},
    // No use of a page after UV_PAGE_INVAL; a second one is a no-op in the code.
    {{"SHARED_INV", page_event::invalidate}, "same"},
    {{"SHARED_IMPLICIT_INV", page_event::invalidate}, "same"},
};

page_state named(const std::string& name) {
    for (std::size_t i = 0; i < memory::page_state_count; ++i) {
        if (memory::page_state_names[i] == name) {
            return static_cast<page_state>(i);
        }
    }
    throw std::invalid_argument("no state " + name);
}

page_transition meant_by(const std::string& cell, page_state from) {
    if (cell == "Err") {
        return {page_outcome::error, from};
    }
    if (cell == "Busy") {
        return {page_outcome::busy, from};
    }
    return {page_outcome::done, cell == "same" ? from : named(cell)};
}

}  // namespace

TEST(page_machine, is_the_published_table) {
    std::istringstream lines{std::string(published)};
    std::string line;
    unsigned rows = 0;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string name;
        if (!(words >> name)) {
            continue;
        }
        ++rows;
        const page_state from = named(name);
        for (const page_event event : {page_event::share, page_event::unshare, page_event::invalidate,
                                       page_event::page_in, page_event::page_out, page_event::commit}) {
            std::string cell;
            std::string separator;
            words >> cell >> separator;
            const auto other = overruled.find({name, event});
            const page_transition expected = meant_by(other == overruled.end() ? cell : other->second, from);
            EXPECT_EQ(next(from, event), expected) << name << " at " << to_name(event);
        }
    }
    EXPECT_EQ(rows, 14U);
}

TEST(page_machine, the_hypervisor_gives_up_only_what_is_being_unshared) {
    for (std::size_t i = 0; i < 14; ++i) {
        const auto from = static_cast<page_state>(i);
        const bool unsharing = from == page_state::hv_unsharing || from == page_state::hv_unsharing_inv;
        const page_transition expected = unsharing
                                             ? page_transition{page_outcome::done, page_state::hv_unshared}
                                             : page_transition{page_outcome::error, from};
        EXPECT_EQ(next(from, page_event::released), expected) << memory::to_name(from);
    }
}

// A share that fails goes back by way of the hypervisor where it has provided a page, directly where it has not, and
// leaves alone what was shared or private before.
TEST(page_machine, revert) {
    const std::map<page_state, page_state> moves{
        {page_state::hv_sharing, page_state::secure},
        {page_state::hv_shared, page_state::hv_unsharing},
        {page_state::hv_shared_inv, page_state::hv_unsharing_inv},
    };
    for (std::size_t i = 0; i < 14; ++i) {
        const auto from = static_cast<page_state>(i);
        const page_transition got = next(from, page_event::revert);
        if (moves.contains(from)) {
            EXPECT_EQ(got, (page_transition{page_outcome::done, moves.at(from)})) << memory::to_name(from);
        } else {
            EXPECT_EQ(got.to, from) << memory::to_name(from);
        }
    }
}

TEST(page_machine, on_whose_account_a_page_is_shared) {
    EXPECT_EQ(shared_as(share_kind::explicitly, page_state::shared), page_state::shared);
    EXPECT_EQ(shared_as(share_kind::explicitly, page_state::shared_inv), page_state::shared_inv);
    EXPECT_EQ(shared_as(share_kind::implicitly, page_state::shared), page_state::shared_implicit);
    EXPECT_EQ(shared_as(share_kind::implicitly, page_state::shared_inv), page_state::shared_implicit_inv);
    EXPECT_EQ(shared_as(share_kind::pseudo, page_state::shared), page_state::pseudo_shared);
    EXPECT_EQ(shared_as(share_kind::pseudo, page_state::shared_inv), page_state::pseudo_shared_inv);
}

TEST(page_machine, has_no_state_for_an_ordinary_guests_page) {
    EXPECT_THROW(next(page_state::normal, page_event::share), std::logic_error);
}

// I7, I20, I19 as properties of the table.
TEST(page_machine, invariants) {
    for (std::size_t i = 0; i < 14; ++i) {
        const auto from = static_cast<page_state>(i);
        const page_transition in = next(from, page_event::page_in);
        if (in.outcome == page_outcome::done && in.to == page_state::secure) {
            EXPECT_EQ(from, page_state::paged_out)
                << "content enters secure memory only where it was paged out";
        }
        const page_transition unshared = next(from, page_event::unshare);
        if (from == page_state::paged_out) {
            EXPECT_EQ(unshared.to, page_state::paged_out);
        }
        const page_transition taken = next(from, page_event::invalidate);
        if (taken.outcome == page_outcome::done) {
            EXPECT_NE(memory::smf_check(memory::world::guest, true, taken.to, memory::access_kind::read),
                      memory::smf_verdict::normal_frame)
                << memory::to_name(from);
        }
    }
}

}  // namespace pefsim::ultravisor
