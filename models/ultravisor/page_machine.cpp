// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/page_machine.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::ultravisor {

namespace {

using memory::page_state;

constexpr std::size_t states = 14;
constexpr std::size_t events = 8;

// A cell of the table: a state to go to, or one of these.
constexpr auto same = static_cast<page_state>(0xfd);
constexpr auto err = static_cast<page_state>(0xfe);
constexpr auto busy = static_cast<page_state>(0xff);

struct row {
    page_state from;
    std::array<page_state, events> on;
};

using enum page_state;

// The first six columns are the published table's, the last two the Ultravisor's own steps, described in its text.
// clang-format off
constexpr std::array<row, states> table{{
    // from                 share       unshare           invalidate           page_in          page_out   commit
    // released     revert
    {secure,               {hv_sharing, same,             err,                 err,             paged_out, same,       err,         same}},
    {paged_out,            {hv_sharing, same,             err,                 secure,          same,      same,       err,         same}},
    {shared,               {same,       hv_unsharing,     shared_inv,          same,            same,      err,        err,         same}},
    {shared_inv,           {same,       hv_unsharing_inv, same,                shared,          same,      err,        err,         same}},
    {shared_implicit,      {same,       err,              shared_implicit_inv, same,            same,      err,        err,         same}},
    {shared_implicit_inv,  {same,       err,              same,                shared_implicit, same,      err,        err,         same}},
    {hv_sharing,           {err,        err,              err,                 hv_shared,       err,       err,        err,         secure}},
    {hv_shared,            {err,        err,              hv_shared_inv,       err,             err,       shared,     err,         hv_unsharing}},
    {hv_shared_inv,        {err,        err,              same,                hv_shared,       err,       shared_inv, err,         hv_unsharing_inv}},
    {hv_unsharing,         {err,        err,              hv_unsharing_inv,    same,            err,       err,        hv_unshared, err}},
    {hv_unsharing_inv,     {err,        err,              same,                hv_unsharing,    err,       err,        hv_unshared, err}},
    {hv_unshared,          {err,        err,              err,                 err,             busy,      secure,     err,         err}},
    {pseudo_shared,        {same,       err,              pseudo_shared_inv,   same,            err,       err,        err,         same}},
    {pseudo_shared_inv,    {same,       err,              same,                pseudo_shared,   err,       err,        err,         same}},
}};
// clang-format on

static_assert(std::ranges::all_of(table,
                                  [](const row& each) {
                                      return static_cast<std::size_t>(each.from) ==
                                             static_cast<std::size_t>(&each - table.data());
                                  }),
              "a row stands at the number of its state");

}  // namespace

page_transition next(page_state state, page_event event) {
    const auto index = static_cast<std::size_t>(state);
    if (index >= states) {
        throw std::logic_error(
            fmt::format("page machine: event {} at a page in state {}", to_name(event), to_name(state)));
    }
    const page_state to = table[index].on[static_cast<std::size_t>(event)];
    if (to == err) {
        return {page_outcome::error, state};
    }
    if (to == busy) {
        return {page_outcome::busy, state};
    }
    return {page_outcome::done, to == same ? state : to};
}

page_state shared_as(share_kind kind, page_state asked_for) {
    const bool taken_back = asked_for == shared_inv;
    switch (kind) {
    case share_kind::explicitly:
        return asked_for;
    case share_kind::implicitly:
        return taken_back ? shared_implicit_inv : shared_implicit;
    case share_kind::pseudo:
        return taken_back ? pseudo_shared_inv : pseudo_shared;
    }
    return asked_for;
}

}  // namespace pefsim::ultravisor
