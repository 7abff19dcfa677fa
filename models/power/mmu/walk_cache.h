// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "power/engine/environment.h"
#include "power/mmu/radix_tree.h"

namespace pefsim::power::mmu {

/// Finished walks, by process and page: the processor's TLB, behind the engine's own. Direct-mapped, a table for each
/// page size.
class walk_cache {
public:
    struct entry {
        std::uint64_t page = ~std::uint64_t{0};  ///< its number, without the quadrant
        std::uint64_t pid = 0;
        page_table_entry leaf;
        std::uint64_t leaf_at = 0;
    };
    struct hit {
        entry* found = nullptr;
        unsigned size_exponent = 0;
    };

    /// Null when there is none.
    [[gnu::always_inline]] hit find(std::uint64_t pid, std::uint64_t ea) {
        ea = ea << 2 >> 2;
        for (table& each : tables_) {
            if (each.entries.empty()) {
                continue;
            }
            const std::uint64_t page = ea >> each.size_exponent;
            entry& candidate = each.entries[index_of(each, pid, page)];
            if (candidate.page == page && candidate.pid == pid) [[likely]] {
                return {&candidate, each.size_exponent};
            }
        }
        return {};
    }
    entry& insert(std::uint64_t pid, std::uint64_t ea, const walk_result& walk);
    void forget(const tlb_invalidation& what);

private:
    struct table {
        unsigned size_exponent;
        std::size_t capacity;  // a power of two
        std::vector<entry> entries{};
    };

    static std::size_t index_of(const table& in, std::uint64_t pid, std::uint64_t page) {
        return (page ^ pid * 0x9e37) & (in.capacity - 1);
    }

    /// In the order in which a Linux of 64 KiB pages uses them.
    std::array<table, 4> tables_{{{16, 4096}, {12, 16384}, {21, 512}, {30, 64}}};
};

}  // namespace pefsim::power::mmu
