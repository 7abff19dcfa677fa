// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/power/privileged/engine_bench.h"

/// Radix trees for tests: built entry by entry, and a kernel and a process in them.
namespace pefsim::testing::radix {

using power::access_kind;
using power::storage_error;
using power::translation;

inline constexpr std::uint64_t valid = std::uint64_t{1} << 63;
inline constexpr std::uint64_t leaf = std::uint64_t{1} << 62;
inline constexpr std::uint64_t reference = 0x100;
inline constexpr std::uint64_t change = 0x80;
// Encoded Access Authority
inline constexpr std::uint64_t x = 1, rw = 2, r = 4, privileged = 8;
// Storage attributes
inline constexpr std::uint64_t sao = 0x10, non_idempotent = 0x20, tolerant = 0x30;

inline constexpr std::uint64_t kernel_base = 0xc000'0000'0000'0000;
inline constexpr std::uint64_t processes = 0x10'0000;
inline constexpr std::uint64_t relocation = power::msr_ir | power::msr_dr;

/// A process table and trees, built entry by entry.
struct radix_bench : engine_bench {
    std::uint64_t free_ = 0x20'0000;

    radix_bench() { partition.use({.base = processes, .size_exponent = 12}); }

    std::uint64_t table(unsigned size_exponent) {
        const std::uint64_t size = std::max<std::uint64_t>(8ULL << size_exponent, 4096);
        free_ = (free_ + size - 1) & ~(size - 1);
        const std::uint64_t at = free_;
        free_ += size;
        return at;
    }
    /// Gives process `pid` a tree for addresses of `bits` bits, with a root of 2^root_size entries.
    std::uint64_t make_process(std::uint64_t pid, unsigned bits, unsigned root_size) {
        const std::uint64_t root = table(root_size);
        const std::uint64_t rts = bits - 31;
        memory.write(processes + 16 * pid, (rts & 0x18) << 58 | (rts & 7) << 5 | root | root_size);
        return root;
    }
    /// Maps `ea` by the entry `pte` through tables of these sizes; makes the tables that are missing. \returns where
    /// the entry stands.
    std::uint64_t map(std::uint64_t root, unsigned bits, const std::vector<unsigned>& levels,
                      std::uint64_t ea, std::uint64_t pte) {
        std::uint64_t at = root;
        unsigned left = bits;
        for (std::size_t level = 0;; ++level) {
            left -= levels[level];
            const std::uint64_t entry_at = at + 8 * (ea >> left & ((1ULL << levels[level]) - 1));
            if (level + 1 == levels.size()) {
                memory.write(entry_at, pte);
                return entry_at;
            }
            std::uint64_t entry = memory.table_entry(entry_at);
            if (entry == 0) {
                entry = valid | table(levels[level + 1]) | levels[level + 1];
                memory.write(entry_at, entry);
            }
            at = entry & 0x0fff'ffff'ffff'ff00;
        }
    }
    translation translate(std::uint64_t ea, access_kind kind, std::uint64_t more_msr = 0) {
        core.state.msr = power::msr_sf | power::msr_le | relocation | more_msr;
        return mmu.translate(core.state, ea, kind);
    }
};

inline const std::vector<unsigned> linux_64k{13, 9, 9, 5};
inline const std::vector<unsigned> linux_4k{13, 9, 9, 9};

inline constexpr std::uint64_t all_access = r | rw | x;

/// Through the engine: what a program and its kernel see.
struct relocated_bench : radix_bench {
    static constexpr std::uint64_t kernel_code = kernel_base | 0x1'0000;
    static constexpr std::uint64_t data = 0x4'0000;  // of process 1
    std::uint64_t kernel_root;
    std::uint64_t user_root;
    std::uint64_t data_entry;

    relocated_bench() {
        kernel_root = make_process(0, 52, 13);
        for (std::uint64_t at = 0; at < flat_memory::size; at += 0x1'0000) {
            map(kernel_root, 52, linux_64k, at, valid | leaf | at | privileged | all_access);
        }
        user_root = make_process(1, 52, 13);
        data_entry = map(user_root, 52, linux_64k, data, valid | leaf | 0x50'0000 | r | rw);
        core.state[power::spr::pidr] = 1;
        core.state[power::spr::lpcr] |= std::uint64_t{3} << 23;  // AIL 3
        core.state.nip = kernel_code;
        set_msr(power::msr_sf | power::msr_le | power::msr_me | power::msr_ri | relocation);
    }
    void run_kernel(const program& what) {
        memory.put(kernel_code & 0xff'ffff, what);
        core.forget_real(kernel_code & 0xff'ffff);
        core.state.nip = kernel_code;
        for (std::size_t i = 0; i < what.words().size(); ++i) {
            core.step();
        }
    }
};

inline constexpr std::uint64_t ail = 0xc000'0000'0000'4000;

}  // namespace pefsim::testing::radix
