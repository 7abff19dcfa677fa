// SPDX-License-Identifier: Apache-2.0
#include "power/mmu/walk_cache.h"

#include <algorithm>

namespace pefsim::power::mmu {

walk_cache::entry& walk_cache::insert(std::uint64_t pid, std::uint64_t ea, const walk_result& walk) {
    table& in = *std::ranges::find(tables_, walk.size_exponent, &table::size_exponent);
    in.entries.resize(in.capacity);
    const std::uint64_t page = (ea << 2 >> 2) >> in.size_exponent;
    entry& place = in.entries[index_of(in, pid, page)];
    place = {.page = page, .pid = pid, .leaf = walk.leaf, .leaf_at = walk.leaf_at};
    return place;
}

void walk_cache::forget(const tlb_invalidation& what) {
    for (table& each : tables_) {
        if (each.entries.empty()) {
            continue;
        }
        switch (what.what) {
        case tlb_invalidation::reach::page: {
            // The page that stands there may be smaller or larger than what software says.
            const std::uint64_t ea = what.ea << 2 >> 2;
            const std::uint64_t first = ea >> each.size_exponent;
            const std::uint64_t last = (ea + what.size - 1) >> each.size_exponent;
            if (last - first >= each.capacity) {
                each.entries.clear();
                break;
            }
            for (std::uint64_t page = first; page <= last; ++page) {
                entry& candidate = each.entries[index_of(each, what.pid, page)];
                if (candidate.page == page && candidate.pid == what.pid) {
                    candidate = {};
                }
            }
            break;
        }
        case tlb_invalidation::reach::process:
            for (entry& candidate : each.entries) {
                if (candidate.pid == what.pid) {
                    candidate = {};
                }
            }
            break;
        case tlb_invalidation::reach::all:
            each.entries.clear();
            break;
        }
    }
}

}  // namespace pefsim::power::mmu
