// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/trees.h"

#include "tests/fuzz/machine.h"

namespace pefsim::fuzz {
namespace {

using u64 = std::uint64_t;
using conformance::operand_values;
using entry = power::mmu::page_table_entry;

constexpr u64 valid = u64{1} << 63;
constexpr u64 leaf = u64{1} << 62;
constexpr u64 reserved_and_software_bits = 0x2e00'0000'0000'0e40;

/// 39 bits of address: levels of 9 bits each over pages of 4 KiB, of which the last may be one of 5 bits over 64 KiB.
constexpr u64 address_bits = 39;
constexpr unsigned level_bits = 9;
constexpr unsigned coarse_bits = 5;
constexpr u64 entries = u64{1} << level_bits;
constexpr u64 process_word(u64 root) {
    constexpr u64 rts = address_bits - 31;
    return root | (rts >> 3) << 61 | (rts & 7) << 5 | level_bits;
}

u64 authority(operand_values& random) {
    if (!random.one_in(4)) {
        return entry::readable | entry::writable | entry::executable;
    }
    return random.bits() & 0xf;
}

u64 page_entry(operand_values& random, u64 at) {
    if (random.one_in(24)) {
        return random.one_in(2) ? 0 : random.bits();
    }
    const u64 attributes = random.one_in(10) ? random.below(4) << 4 : 0;
    const u64 marks = random.bits() & (entry::reference | entry::change);
    return valid | leaf | at | attributes | marks | authority(random) |
           (random.one_in(8) ? random.bits() & reserved_and_software_bits : 0);
}

/// Mostly the page where it is; else another one, or none.
u64 page_for(operand_values& random, u64 number, u64 size) {
    const u64 pages = real::ram_size / size;
    return random.one_in(8) ? random.below(pages + 1) * size : number * size;
}

}  // namespace

std::vector<u64> valid_trees(operand_values& random) {
    std::vector<u64> words(real::tables_size / 8);
    constexpr u64 processes = 3;
    for (u64 process = 0; process < processes; ++process) {
        const u64 root = power::small_page * (1 + 3 * process);
        const u64 middle = root + power::small_page;
        const u64 last = middle + power::small_page;
        words[2 * process] = process_word(real::tables + root);
        words[root / 8] = valid | (real::tables + middle) | level_bits;
        const bool coarse = random.one_in(3);
        words[middle / 8] = valid | (real::tables + last) | (coarse ? coarse_bits : level_bits);
        const u64 size = coarse ? u64{1} << 16 : power::small_page;
        for (u64 i = 0; i < real::ram_size / size + 1; ++i) {
            words[last / 8 + i] = page_entry(random, page_for(random, i, size));
        }
        words[middle / 8 + (real::device >> 21)] = page_entry(random, real::device) |
                                                   (random.one_in(3) ? 0 : 0x20);
        words[middle / 8 + 1 + random.below(8)] = page_entry(random, 0);  // all of RAM as a large page
        words[root / 8 + 1] = page_entry(random, 0);                      // and as a larger one
    }
    return words;
}

std::vector<u64> hostile_trees(operand_values& random) {
    std::vector<u64> words = random.one_in(2) ? valid_trees(random) : std::vector<u64>(real::tables_size / 8);
    for (u64& each : words) {
        if (!random.one_in(3)) {
            continue;
        }
        const u64 table = random.one_in(2) ? real::tables + random.below(16) * power::small_page
                                           : random.below(64) * power::small_page;
        switch (random.below(5)) {
        case 0:
            each = random.bits();
            break;
        case 1:
            each = random.bits() >> random.below(64);
            break;
        case 2:
            each = page_entry(random, table);
            break;
        case 3:
            each = process_word(table) ^ (u64{1} << random.below(64));
            break;
        default:
            each = valid | table | (random.one_in(2) ? level_bits : random.below(32));
            break;
        }
    }
    return words;
}

}  // namespace pefsim::fuzz
