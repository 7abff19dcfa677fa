// SPDX-License-Identifier: Apache-2.0
#include "memory/page_states.h"

#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::memory {

void page_states::set(abi::gfn page, page_state to, const sc_core::sc_time& when) {
    if (page >= states_.size()) {
        throw std::logic_error(fmt::format("{}: page states: {} for page {:#x}, but there are {:#x} pages",
                                           when.to_string(), to_name(to), page, states_.size()));
    }
    const page_state from = states_[page];
    if (from == to) {
        return;
    }
    states_[page] = to;
    --counts_[static_cast<std::size_t>(from)];
    ++counts_[static_cast<std::size_t>(to)];
    for (observer* each : observers_) {
        each->page_state_changed(page, from, to, when);
    }
}

}  // namespace pefsim::memory
