// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "abi/address.h"
#include "cpu/traps.h"
#include "device_tree/flat_tree.h"
#include "power/registers.h"
#include "ultravisor/firmware.h"

namespace pefsim::ultravisor {

/// A copy of the flattened device tree that a guest hands to UV_ESM, in the Ultravisor's own hands: what it reads there
/// the host has made, and the guest sees what it adds when the copy goes back.
class guest_device_tree {
public:
    /// Longer ones are refused.
    static constexpr std::size_t longest = std::size_t{2} << 20;
    /// An operating system's early memory: what the Ultravisor takes for itself lies below (Linux's prom_init, too).
    static constexpr std::uint64_t early_memory = std::uint64_t{768} << 20;

    enum class kind : std::uint8_t {
        none,    ///< what stands there is no flattened device tree
        broken,  ///< it says that it is one, and is damaged, or longer than `longest`
        good,
    };

    /// Reads the tree at `at`, whose pages are in secure memory.
    guest_device_tree(firmware& here, abi::phys_addr at, const power::registers& state,
                      cpu::trap_context& context);

    [[nodiscard]] kind what() const { return kind_; }
    /// As the guest has it; only of a good one.
    [[nodiscard]] const device_tree::flat_tree& tree() const { return *tree_; }
    /// The highest 64 KiB page of early memory that nothing has reserved; it is reserved now.
    /// \returns nothing when all are taken, or the tree has no room for another reservation
    std::optional<abi::phys_addr> reserve_page();
    /// Puts the tree with its reservation in the place of the guest's. \returns false when a page of it does not come
    [[nodiscard]] bool write_back(firmware& here, const power::registers& state,
                                  cpu::trap_context& context) const;

private:
    struct range {
        std::uint64_t begin;
        std::uint64_t end;
    };
    [[nodiscard]] std::uint64_t end_of_early_memory() const;
    [[nodiscard]] std::vector<range> reserved() const;

    abi::phys_addr at_;
    kind kind_ = kind::none;
    std::optional<device_tree::flat_tree> tree_;
    std::vector<std::byte> changed_;
};

}  // namespace pefsim::ultravisor
