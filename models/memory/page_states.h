// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <systemc>
#include <vector>

#include "abi/address.h"
#include "memory/page_state.h"

namespace pefsim::memory {

/// The state of every 64 KiB page: single owner. The Ultravisor is the only writer; anybody may read.
class page_states {
public:
    /// Told after a page's state has changed.
    class observer {
    public:
        virtual void page_state_changed(abi::gfn page, page_state from, page_state to,
                                        const sc_core::sc_time& when) = 0;

    protected:
        ~observer() = default;
    };

    /// All pages begin as `normal`.
    explicit page_states(abi::gfn pages) : states_(pages, page_state::normal) {
        counts_[static_cast<std::size_t>(page_state::normal)] = pages;
    }

    [[nodiscard]] page_state operator[](abi::gfn page) const { return states_[page]; }
    [[nodiscard]] abi::gfn size() const { return states_.size(); }
    /// Number of pages in this state.
    [[nodiscard]] std::uint64_t count(page_state state) const {
        return counts_[static_cast<std::size_t>(state)];
    }

    /// \param when local time of whoever changes it
    /// \throws std::logic_error when there is no such page
    void set(abi::gfn page, page_state to, const sc_core::sc_time& when = sc_core::sc_time_stamp());
    void observe(observer& by) { observers_.push_back(&by); }

private:
    std::vector<page_state> states_;
    std::array<std::uint64_t, page_state_count> counts_{};
    std::vector<observer*> observers_;
};

}  // namespace pefsim::memory
