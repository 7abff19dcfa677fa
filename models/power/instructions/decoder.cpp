// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/decoder.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "power/instructions/instruction_table.h"

namespace pefsim::power::isa {
namespace {

/// Where a primary opcode keeps its extended opcodes. Those not listed have none.
struct extended_field {
    std::uint8_t primary = 0;
    bit_range where;
};
constexpr std::array extended_fields{
    extended_field{4, {21, 31}},  extended_field{17, {30, 31}}, extended_field{19, {21, 30}},
    extended_field{30, {27, 30}}, extended_field{31, {21, 30}}, extended_field{57, {30, 31}},
    extended_field{58, {30, 31}}, extended_field{59, {21, 30}}, extended_field{60, {21, 29}},
    extended_field{61, {29, 31}}, extended_field{62, {30, 31}}, extended_field{63, {21, 30}},
};

/// How a primary opcode finds its slot: slot = first_slot + (word >> shift & mask).
struct major {
    std::uint16_t first_slot = 0;
    std::uint16_t mask = 0;
    std::uint8_t shift = 0;
};

struct major_table {
    std::array<major, 64> of{};
    std::size_t slots = 0;
};

constexpr major_table majors = [] {
    major_table table;
    for (std::size_t primary = 0; primary < table.of.size(); ++primary) {
        major& entry = table.of[primary];
        entry.first_slot = static_cast<std::uint16_t>(table.slots);
        for (const extended_field& each : extended_fields) {
            if (each.primary == primary) {
                entry.mask = static_cast<std::uint16_t>((1U << each.where.width()) - 1);
                entry.shift = static_cast<std::uint8_t>(each.where.shift());
            }
        }
        table.slots += entry.mask + std::size_t{1};
    }
    return table;
}();

constexpr std::uint32_t primary_of(std::uint32_t word) { return word >> 26; }

/// Calls `visit` with every slot in which words of `row` are looked up.
template <typename Visit>
constexpr void for_each_slot(const instruction& row, Visit visit) {
    const major& entry = majors.of[primary_of(row.code.match)];
    const std::uint32_t fixed = row.code.mask >> entry.shift & entry.mask;
    const std::uint32_t free = entry.mask & ~fixed;
    const std::uint32_t match = row.code.match >> entry.shift & entry.mask;
    std::uint32_t subset = 0;
    do {
        visit(entry.first_slot + (match | subset));
        subset = (subset - free) & free;
    } while (subset != 0);
}

/// Rows of one slot: candidates[begin of the slot .. begin of the next).
struct slot_table {
    std::array<std::uint16_t, majors.slots + 1> begin{};
    std::vector<const instruction*> candidates;

    slot_table() {
        std::array<std::vector<const instruction*>, majors.slots> rows_of;
        for (const instruction& row : instructions()) {
            for_each_slot(row, [&](std::size_t slot) { rows_of[slot].push_back(&row); });
        }
        for (std::size_t slot = 0; slot < majors.slots; ++slot) {
            if (rows_of[slot].size() > most_candidates) {
                throw std::logic_error("isa: a slot with more candidates than decoder.h promises");
            }
            candidates.insert(candidates.end(), rows_of[slot].begin(), rows_of[slot].end());
            begin[slot + 1] = static_cast<std::uint16_t>(candidates.size());
        }
    }
};

}  // namespace

const instruction* decode(std::uint32_t word) {
    static const slot_table slots;
    const major& entry = majors.of[primary_of(word)];
    const std::size_t slot = entry.first_slot + (word >> entry.shift & entry.mask);
    for (std::size_t i = slots.begin[slot]; i != slots.begin[slot + 1]; ++i) {
        if (slots.candidates[i]->matches(word)) {
            return slots.candidates[i];
        }
    }
    return nullptr;
}

}  // namespace pefsim::power::isa
