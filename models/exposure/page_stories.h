// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <unordered_map>
#include <utility>
#include <vector>

#include "abi/address.h"
#include "exposure/attribution.h"
#include "exposure/call_in_progress.h"

namespace pefsim::exposure {

/// What happens to a page that is watched.
enum class page_act : std::uint8_t {
    became,   ///< its state changed
    written,  ///< by guest, host, device or Ultravisor
    read,     ///< by host, device or Ultravisor; what the guest reads is not told
    refused,  ///< an access of the host or a device that the SMF check refused
    named,    ///< a driver told a device of it, in a descriptor or as a queue
};
std::string_view to_name(page_act act);

/// Equal events, between two changes of the page's state: the same act by the same function of the same initiator.
struct story_line {
    page_act what;
    std::uint16_t initiator;  ///< 0 where nobody is known: a state that no guest's call has changed
    std::string function;     ///< that did it, or made the call in which the state changed; or empty
    std::string detail;       ///< "SECURE -> SHARED in UV_SHARE_PAGE"; what came of a refused access
    std::vector<std::uint64_t>
        places;  ///< origins in that function, in order of appearance, `most_places` of them
    sc_core::sc_time first;
    sc_core::sc_time last;
    std::uint64_t count = 1;
    std::uint64_t bytes = 0;  ///< in all
    std::uint32_t begin = 0;  ///< offsets in the page, of all of them together
    std::uint32_t end = 0;
};

struct page_story {
    abi::gfn page = 0;
    std::string_view state;         ///< that it is in now
    std::vector<story_line> lines;  ///< by state, and then in order of each line's first event
    std::uint64_t untold = 0;       ///< events beyond the last line that is kept
};

/// The stories of pages that somebody watches, shared or not: each change of state, each write, each look of host or
/// a device. Equal events are one line, so that a story is as long as there are states and actors, not as there are
/// accesses; where they alternate, their first and last times tell.
///
/// Watching begins before the run. CPUs and memory bus report what happens to pages for which watched() holds; nothing
/// else is asked of them, and nothing of it is in the ledger's figures.
class page_stories {
public:
    static constexpr std::size_t most_lines = 1'000;  ///< of a page
    static constexpr std::size_t most_places = 32;    ///< of a line

    /// \param function_of an attribution's origin by function \param call in which states change; outlives this
    page_stories(std::function<std::string(std::uint64_t)> function_of, const call_in_progress& call)
        : function_of_(std::move(function_of)),
          call_(call) {}

    /// `size` bytes from `first` on; accesses beside them are not told. \param state of these pages, by name
    void watch(abi::phys_addr first, std::uint64_t size, std::string_view state);
    [[nodiscard]] bool any() const { return !ranges_.empty(); }
    [[nodiscard]] bool watched(abi::gfn page) const { return page < place_.size() && place_[page] != 0; }

    void wrote(abi::phys_addr at, std::size_t size, const attribution& by, const sc_core::sc_time& when) {
        tell(page_act::written, at, size, by, {}, when);
    }
    void read(abi::phys_addr at, std::size_t size, const attribution& by, const sc_core::sc_time& when) {
        tell(page_act::read, at, size, by, {}, when);
    }
    /// \param outcome what came of it
    void refused(abi::phys_addr at, std::size_t size, const attribution& by, std::string_view outcome,
                 const sc_core::sc_time& when) {
        tell(page_act::refused, at, size, by, outcome, when);
    }
    void named(abi::phys_addr at, std::size_t size, const attribution& by, std::string_view what,
               const sc_core::sc_time& when) {
        tell(page_act::named, at, size, by, what, when);
    }
    /// \param from,to names of states, which outlive this
    void became(abi::gfn page, std::string_view from, std::string_view to, const sc_core::sc_time& when);

    /// By page.
    [[nodiscard]] std::vector<page_story> all() const;

private:
    struct range {
        std::uint64_t first;
        std::uint64_t last;
    };
    struct telling {
        page_story story;
        std::size_t chapter = 0;  // line with which the present state begins
    };
    void tell(page_act what, abi::phys_addr at, std::size_t size, const attribution& by,
              std::string_view detail, const sc_core::sc_time& when);
    void add(telling& to, story_line line, std::uint64_t origin);
    const std::string& function_of(std::uint64_t origin);

    std::function<std::string(std::uint64_t)> function_of_;
    const call_in_progress& call_;
    std::unordered_map<std::uint64_t, std::string> functions_;  // by origin
    std::vector<range> ranges_;
    std::vector<std::uint32_t> place_;  // by gfn, into stories_ plus one
    std::vector<telling> stories_;
};

}  // namespace pefsim::exposure
