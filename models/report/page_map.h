// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/address.h"
#include "exposure/ledger.h"

namespace pefsim::report {

/// Neighbouring pages in one state.
struct pages_in_state {
    abi::gfn first = 0;
    std::uint64_t count = 0;
    std::string_view state;
};

/// Neighbouring pages in one state, and what stands in them where the host can read.
struct page_map_span {
    abi::gfn first = 0;
    std::uint64_t count = 0;
    std::string state;
    std::vector<std::string>
        writers{};                ///< "cpu0: virtqueue.add", in order of place; the same in each of the pages
    std::uint64_t written = 0;    ///< bytes in place, in all of them
    std::uint64_t looked_at = 0;  ///< of these
};

/// All pages of guest memory, by runs of equal ones. \param states of all pages, in order
std::vector<page_map_span> page_map(std::span<const pages_in_state> states, const exposure::ledger& ledger);

}  // namespace pefsim::report
