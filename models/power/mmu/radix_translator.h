// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/environment.h"
#include "power/mmu/partition.h"
#include "power/mmu/radix_tree.h"
#include "power/mmu/walk_cache.h"

namespace pefsim::power::mmu {

/// Address translation of a guest of a radix host (Power ISA 3.0B Book III 5.7): real mode, quadrants 0 and 3 by the
/// process table, access authority, keys 0 of AMR and IAMR, reference and change bits.
///
/// | quadrant (EA 0:1) | process |              |
/// |-------------------|---------|--------------|
/// | 0                 | PIDR    |              |
/// | 1, 2              |         | Data or Instruction Segment interrupt: a hypervisor's |
/// | 3                 | 0       |              |
///
/// | the access fails because                     | DSISR, or SRR1 of a fetch                      |
/// |----------------------------------------------|------------------------------------------------|
/// | the address is outside the tree              | Segment interrupt                              |
/// | an entry is invalid, or there is no process  | bit 33                                         |
/// | a table or page has no supported size        | bit 44                                         |
/// | the page is privileged, not readable, not writable, or AMR or IAMR forbid it | bit 36         |
/// | a fetch from no-execute or guarded storage   | bit 35                                         |
/// | a table stands where nothing answers         | Machine Check                                  |
class radix_translator : public translator {
public:
    /// \param owner the processor, as broadcasts of tlbie leave it out
    radix_translator(table_storage& storage, partition& within, const partition::member* owner)
        : storage_(storage),
          partition_(within),
          owner_(owner) {}

    translation translate(const registers& state, std::uint64_t ea, access_kind kind) override;
    void invalidate(const tlb_invalidation& what) override;
    /// What another processor's tlbie says.
    void forget(const tlb_invalidation& what) { walks_.forget(what); }

    // --- what it has done
    [[nodiscard]] std::uint64_t walks() const { return walked_; }
    [[nodiscard]] std::uint64_t lookups() const { return lookups_; }

private:
    translation walk_again(const registers& state, std::uint64_t pid, std::uint64_t ea, access_kind kind);
    bool mark(walk_result& walked, std::uint64_t bits);

    table_storage& storage_;
    partition& partition_;
    const partition::member* owner_;
    walk_cache walks_;
    std::uint64_t walked_ = 0;
    std::uint64_t lookups_ = 0;
};

}  // namespace pefsim::power::mmu
