// SPDX-License-Identifier: Apache-2.0
#include "ultravisor/memory_slots.h"

#include <algorithm>

namespace pefsim::ultravisor {

bool memory_slots::contains(abi::gfn page) const {
    return std::ranges::any_of(slots_,
                               [page](const memory_slot& s) { return page >= s.first && page < s.end(); });
}

bool memory_slots::contains(abi::gfn first, std::uint64_t pages) const {
    if (first + pages <= first) {
        return false;  // none, or beyond the last number
    }
    abi::gfn covered = first;
    for (const memory_slot& slot : slots_) {
        if (covered >= slot.first) {
            covered = std::max(covered, slot.end());
        }
    }
    return covered >= first + pages;
}

bool memory_slots::overlaps(abi::gfn first, std::uint64_t pages) const {
    return std::ranges::any_of(
        slots_, [=](const memory_slot& s) { return first < s.end() && s.first < first + pages; });
}

std::optional<memory_slot> memory_slots::find(std::uint64_t id) const {
    const auto found = std::ranges::find(slots_, id, &memory_slot::id);
    return found == slots_.end() ? std::nullopt : std::optional(*found);
}

void memory_slots::add(const memory_slot& slot) {
    slots_.insert(std::ranges::upper_bound(slots_, slot.first, {}, &memory_slot::first), slot);
}

void memory_slots::remove(std::uint64_t id) {
    std::erase_if(slots_, [id](const memory_slot& s) { return s.id == id; });
}

}  // namespace pefsim::ultravisor
