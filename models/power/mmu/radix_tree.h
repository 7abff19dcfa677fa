// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/environment.h"
#include "power/mmu/partition.h"

/// Radix trees of a process table (Power ISA 3.0B Book III 5.7.10): pure walks.
namespace pefsim::power::mmu {

/// Where the tables stand. Doublewords are big-endian in storage; values here are integers.
class table_storage {
public:
    virtual ~table_storage() = default;
    /// False when nothing answers there.
    virtual bool read(std::uint64_t real, std::uint64_t& value) = 0;
    virtual bool write(std::uint64_t real, std::uint64_t value) = 0;
};

/// A page table entry that is a leaf.
struct page_table_entry {
    std::uint64_t value = 0;

    /// Storage attributes (ATT).
    enum class attribute : std::uint8_t { normal, strong_access_order, non_idempotent, tolerant };

    [[nodiscard]] std::uint64_t page() const { return value & 0x01ff'ffff'ffff'f000; }
    [[nodiscard]] attribute attributes() const { return static_cast<attribute>(value >> 4 & 3); }
    [[nodiscard]] bool inhibited() const { return attributes() >= attribute::non_idempotent; }
    [[nodiscard]] bool guarded() const { return attributes() == attribute::non_idempotent; }

    static constexpr std::uint64_t reference = 0x100;
    static constexpr std::uint64_t change = 0x80;
    // Encoded Access Authority
    static constexpr std::uint64_t privileged = 8;
    static constexpr std::uint64_t readable = 4;
    static constexpr std::uint64_t writable = 2;  ///< and readable
    static constexpr std::uint64_t executable = 1;
};

struct walk_result {
    storage_error error = storage_error::none;
    std::uint64_t status = 0;  ///< of storage_error::storage
    page_table_entry leaf{};
    std::uint64_t leaf_at = 0;    ///< real address of the entry
    unsigned size_exponent = 12;  ///< of the page
};

/// Walks the tree of process `pid` for `ea`, whose quadrant does not matter.
walk_result walk(table_storage& storage, const partition::process_table& processes, std::uint64_t pid,
                 std::uint64_t ea);

}  // namespace pefsim::power::mmu
