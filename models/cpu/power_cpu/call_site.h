// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "cpu/memory_port.h"
#include "exposure/ledger.h"
#include "power/engine/core.h"
#include "power/mmu/partition.h"
#include "power/mmu/radix_tree.h"

namespace pefsim::cpu {

/// Where a core stands and who called, as an origin for the exposure ledger: the back chain of its stack, read through
/// the program's own translations, as far as it stays in R1's quadrant: a kernel's chain ends at the program that it
/// serves. Nothing of guest or machine is changed by it, no reference bit and no metric.
///
/// A function that copies stores many times with the same callers. They are looked for again when R1 or LR differ from
/// those at the latest store, or more than `same_for` instructions have passed since: fewer than a return to other
/// callers and a call from there take.
class call_site : private power::mmu::table_storage {
public:
    static constexpr std::size_t depth = 16;       ///< callers at most
    static constexpr std::uint64_t same_for = 24;  ///< instructions

    /// All outlive it.
    call_site(const power::core& core, const memory_port& memory, const power::mmu::partition& partition,
              exposure::ledger& ledger)
        : core_(core),
          memory_(memory),
          partition_(partition),
          ledger_(ledger) {}

    /// At the instruction that stands in NIP.
    std::uint64_t origin();

private:
    void find_callers();
    [[nodiscard]] std::optional<std::uint64_t> doubleword(std::uint64_t ea);
    [[nodiscard]] std::optional<std::uint64_t> real_address(std::uint64_t ea);
    bool read(std::uint64_t real, std::uint64_t& value) override;
    bool write(std::uint64_t /*real*/, std::uint64_t /*value*/) override { return true; }

    const power::core& core_;
    const memory_port& memory_;
    const power::mmu::partition& partition_;
    exposure::ledger& ledger_;

    std::uint64_t frame_ = 0;  // R1
    std::uint64_t link_ = 0;   // LR
    std::uint64_t seen_ = 0;   // instructions, at the latest origin()
    std::uint32_t callers_ = 0;
    struct named {
        std::uint64_t place = 0;
        std::uint32_t callers = 0;
        std::uint64_t origin = 0;
    };
    std::array<named, 256> latest_{};  // direct-mapped by place
};

}  // namespace pefsim::cpu
