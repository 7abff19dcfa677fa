// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "abi/address.h"

namespace pefsim::ultravisor {

/// A range of guest memory that the hypervisor registered for the secure virtual machine.
struct memory_slot {
    std::uint64_t id;
    abi::gfn first;
    std::uint64_t pages;

    [[nodiscard]] abi::gfn end() const { return first + pages; }
};

/// The memory of a secure virtual machine: slots that never overlap, in order of address. What is outside is MMIO to
/// the guest.
class memory_slots {
public:
    static constexpr std::uint64_t max_slots = 512;  ///< slot identifiers are below it

    [[nodiscard]] bool contains(abi::gfn page) const;
    /// All of first .. first + pages - 1, in one slot or in several that adjoin; false for no pages.
    [[nodiscard]] bool contains(abi::gfn first, std::uint64_t pages) const;
    [[nodiscard]] bool overlaps(abi::gfn first, std::uint64_t pages) const;
    [[nodiscard]] std::optional<memory_slot> find(std::uint64_t id) const;
    [[nodiscard]] std::span<const memory_slot> all() const { return slots_; }

    /// The caller has checked that neither its pages nor its identifier are in use.
    void add(const memory_slot& slot);
    void remove(std::uint64_t id);
    void clear() { slots_.clear(); }

private:
    std::vector<memory_slot> slots_;
};

}  // namespace pefsim::ultravisor
