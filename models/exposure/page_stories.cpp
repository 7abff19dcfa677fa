// SPDX-License-Identifier: Apache-2.0
#include "exposure/page_stories.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace pefsim::exposure {

namespace {

constexpr std::array<std::string_view, 5> act_names{"became", "written", "read", "refused", "named"};

/// Ranges that share bytes become one: an access is told of once.
template <class Ranges>
void add_to(Ranges& ranges, std::uint64_t first, std::uint64_t last) {
    for (const auto& each : ranges) {
        if (each.first <= last && each.last >= first) {
            first = std::min(first, each.first);
            last = std::max(last, each.last);
        }
    }
    std::erase_if(ranges, [&](const auto& each) { return each.first >= first && each.last <= last; });
    ranges.push_back({first, last});
}

}  // namespace

std::string_view to_name(page_act act) { return act_names[static_cast<std::size_t>(act)]; }

void page_stories::watch(abi::phys_addr first, std::uint64_t size, std::string_view state) {
    if (size == 0) {
        return;
    }
    const abi::phys_addr last = first + (size - 1);
    add_to(ranges_, first.value(), last.value());
    if (abi::gfn_of(last) >= place_.size()) {
        place_.resize(abi::gfn_of(last) + 1);
    }
    for (abi::gfn page = abi::gfn_of(first); page <= abi::gfn_of(last); ++page) {
        if (place_[page] == 0) {
            stories_.push_back({.story = {.page = page, .state = state, .lines = {}}});
            place_[page] = static_cast<std::uint32_t>(stories_.size());
        }
    }
}

void page_stories::became(abi::gfn page, std::string_view from, std::string_view to,
                          const sc_core::sc_time& when) {
    telling& of = stories_[place_[page] - 1];
    const std::string_view call = call_.name();
    const attribution by = call_.by();
    of.chapter = of.story.lines.size();
    of.story.state = to;
    add(of,
        {.what = page_act::became,
         .initiator = by.initiator,
         .function = function_of(by.origin),
         .detail = fmt::format("{} -> {}{}{}", from, to, call.empty() ? "" : " in ", call),
         .places = {},
         .first = when,
         .last = when},
        by.origin);
}

/// Only the part of an access that is watched.
void page_stories::tell(page_act what, abi::phys_addr at, std::size_t size, const attribution& by,
                        std::string_view detail, const sc_core::sc_time& when) {
    for (const range& each : ranges_) {
        const std::uint64_t first = std::max(at.value(), each.first);
        const std::uint64_t last = std::min(at.value() + size - 1, each.last);
        if (first > last) {
            continue;
        }
        const abi::gfn page = abi::gfn_of(abi::phys_addr{first});
        add(stories_[place_[page] - 1],
            {.what = what,
             .initiator = by.initiator,
             .function = function_of(by.origin),
             .detail = std::string(detail),
             .places = {},
             .first = when,
             .last = when,
             .bytes = last - first + 1,
             .begin = static_cast<std::uint32_t>(abi::page_offset(abi::phys_addr{first})),
             .end = static_cast<std::uint32_t>(abi::page_offset(abi::phys_addr{last})) + 1},
            by.origin);
    }
}

/// CPUs run ahead of each other: what comes later may have happened earlier.
void page_stories::add(telling& to, story_line line, std::uint64_t origin) {
    std::vector<story_line>& lines = to.story.lines;
    const auto same = std::find_if(lines.begin() + static_cast<std::ptrdiff_t>(to.chapter), lines.end(),
                                   [&](const story_line& each) {
                                       return each.what == line.what && each.initiator == line.initiator &&
                                              each.function == line.function && each.detail == line.detail;
                                   });
    if (same == lines.end()) {
        if (lines.size() == most_lines) {
            ++to.story.untold;
            return;
        }
        if (origin != 0) {
            line.places.push_back(origin);
        }
        lines.push_back(std::move(line));
        return;
    }
    ++same->count;
    same->bytes += line.bytes;
    same->first = std::min(same->first, line.first);
    same->last = std::max(same->last, line.last);
    same->begin = std::min(same->begin, line.begin);
    same->end = std::max(same->end, line.end);
    if (origin != 0 && same->places.size() < most_places && std::ranges::count(same->places, origin) == 0) {
        same->places.push_back(origin);
    }
}

/// Symbols are looked up once for each place.
const std::string& page_stories::function_of(std::uint64_t origin) {
    const auto [found, is_new] = functions_.try_emplace(origin);
    if (is_new) {
        found->second = function_of_(origin);
    }
    return found->second;
}

std::vector<page_story> page_stories::all() const {
    std::vector<page_story> result;
    for (const telling& each : stories_) {
        result.push_back(each.story);
    }
    std::ranges::sort(result, {}, &page_story::page);
    return result;
}

}  // namespace pefsim::exposure
