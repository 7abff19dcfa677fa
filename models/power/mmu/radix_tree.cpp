// SPDX-License-Identifier: Apache-2.0
#include "power/mmu/radix_tree.h"

#include "power/engine/interrupt.h"

namespace pefsim::power::mmu {
namespace {

/// First doubleword of a process table entry.
struct process_table_entry {
    std::uint64_t value;

    /// Bits of an effective address that the tree translates: RTS + 31.
    [[nodiscard]] unsigned address_bits() const {
        return static_cast<unsigned>((value >> 58 & 0x18) | (value >> 5 & 7)) + 31;
    }
    [[nodiscard]] std::uint64_t root() const { return value & 0x0fff'ffff'ffff'ff00; }
    [[nodiscard]] unsigned root_size() const { return value & 0x1f; }
};
constexpr std::uint64_t process_table_entry_size = 16;

/// An entry of a table in the tree.
constexpr std::uint64_t valid = std::uint64_t{1} << 63;
constexpr std::uint64_t leaf = std::uint64_t{1} << 62;
constexpr std::uint64_t next_level_base(std::uint64_t entry) { return entry & 0x0fff'ffff'ffff'ff00; }
constexpr unsigned next_level_size(std::uint64_t entry) { return entry & 0x1f; }

/// Tables have 2^5 to 2^16 entries, and no page is smaller than 4 KiB.
constexpr unsigned smallest_table = 5;
constexpr unsigned largest_table = 16;
constexpr unsigned smallest_page = 12;

constexpr bool is_page_size(unsigned exponent) {
    return exponent == 12 || exponent == 16 || exponent == 21 || exponent == 30;
}

constexpr std::uint64_t quadrant_free(std::uint64_t ea) { return ea << 2 >> 2; }

walk_result failed(std::uint64_t status) { return {.error = storage_error::storage, .status = status}; }

}  // namespace

walk_result walk(table_storage& storage, const partition::process_table& processes, std::uint64_t pid,
                 std::uint64_t ea) {
    if (processes.size_exponent == 0 ||
        pid >= (std::uint64_t{1} << processes.size_exponent) / process_table_entry_size) {
        return failed(storage_status::no_translation);
    }
    process_table_entry process{};
    if (!storage.read(processes.base + pid * process_table_entry_size, process.value)) {
        return {.error = storage_error::table_machine_check};
    }
    unsigned bits_left = process.address_bits();
    unsigned table_size = process.root_size();
    std::uint64_t table = process.root();
    if (table_size != 0 && quadrant_free(ea) >> bits_left != 0) {
        return {.error = storage_error::segment};
    }
    while (true) {
        if (table_size < smallest_table || table_size > largest_table ||
            table_size + smallest_page > bits_left) {
            return failed(storage_status::unsupported_mmu);
        }
        bits_left -= table_size;
        const std::uint64_t index = ea >> bits_left & ((std::uint64_t{1} << table_size) - 1);
        const std::uint64_t entry_at = table + 8 * index;
        std::uint64_t entry = 0;
        if (!storage.read(entry_at, entry)) {
            return {.error = storage_error::table_machine_check};
        }
        if ((entry & valid) == 0) {
            return failed(storage_status::no_translation);
        }
        if ((entry & leaf) != 0) {
            if (!is_page_size(bits_left)) {
                return failed(storage_status::unsupported_mmu);
            }
            return {.leaf = {entry}, .leaf_at = entry_at, .size_exponent = bits_left};
        }
        table = next_level_base(entry);
        table_size = next_level_size(entry);
    }
}

}  // namespace pefsim::power::mmu
