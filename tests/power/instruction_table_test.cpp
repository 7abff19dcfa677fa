// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/instruction_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace pefsim::power::isa {
namespace {

/// Pairs of rows that match a common word: where both look, both want the same.
std::vector<std::string> overlaps(std::span<const instruction> rows) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::size_t j = i + 1; j < rows.size(); ++j) {
            const encoding& a = rows[i].code;
            const encoding& b = rows[j].code;
            if (((a.match ^ b.match) & a.mask & b.mask) == 0) {
                found.push_back(
                    fmt::format("{} {} {:#x}", rows[i].mnemonic, rows[j].mnemonic, a.match | b.match));
            }
        }
    }
    return found;
}

TEST(instruction_table, no_two_rows_match_the_same_word) {
    EXPECT_THAT(overlaps(instructions()), ::testing::IsEmpty());
}

TEST(instruction_table, a_planted_overlap_is_found) {
    std::vector<instruction> rows(instructions().begin(), instructions().end());
    rows.push_back(
        {"as_addo", x_form(31, 266 + 512), {operand::rt}, plain, facility::fixed, instruction_class::move});
    rows.push_back({"any_4", encode(form::vx, 4).eo(31), {}, plain, facility::vmx, instruction_class::move});
    rows.push_back({"free", x_form(31, 1), {}, plain, facility::fixed, instruction_class::move});
    const std::vector<std::string> found = overlaps(rows);
    EXPECT_THAT(found, ::testing::Contains("add as_addo 0x7c000614"));
    EXPECT_THAT(found, ::testing::Contains("vctzd any_4 0x101f0602"));
    EXPECT_THAT(found, ::testing::Contains("bcdsetsgn. any_4 0x101f0581"));
    EXPECT_THAT(found, ::testing::Not(::testing::Contains(::testing::HasSubstr("free"))));
}

TEST(instruction_table, mnemonics_are_unique_and_found) {
    std::set<std::string_view> seen;
    for (const instruction& row : instructions()) {
        EXPECT_TRUE(seen.insert(row.mnemonic).second) << row.mnemonic;
        EXPECT_EQ(find(row.mnemonic), &row);
        EXPECT_EQ(&instructions()[index_of(row)], &row);
    }
    EXPECT_EQ(find("addo"), nullptr) << "a variant is not a row";
    EXPECT_THROW(index_of(instruction{}), std::logic_error);
}

TEST(instruction_table, opcode_operands_and_variants_lie_side_by_side) {
    for (const instruction& row : instructions()) {
        EXPECT_EQ(row.code.match & ~row.code.mask, 0U) << row.mnemonic;
        EXPECT_EQ(primary_opcode.mask() & ~row.code.mask, 0U) << row.mnemonic;
        std::uint32_t used = row.code.mask;
        EXPECT_EQ(used & row.variant_bits(), 0U) << row.mnemonic;
        used |= row.variant_bits();
        for (const operand each : row.operands) {
            const operand_info& info = info_of(each);
            EXPECT_EQ(used & info.where.mask(), 0U) << row.mnemonic << ' ' << info.name;
            used |= info.where.mask();
        }
        EXPECT_EQ(row.reserved_bits(), ~used) << row.mnemonic;
    }
}

TEST(instruction_table, operands_have_no_gap) {
    for (const instruction& row : instructions()) {
        bool ended = false;
        for (const operand each : row.operands) {
            EXPECT_FALSE(ended && each != operand::none) << row.mnemonic;
            ended |= each == operand::none;
        }
    }
}

TEST(instruction_table, forms_are_in_the_order_of_their_enumeration) {
    for (const form_layout& each : form_layouts) {
        EXPECT_EQ(&layout_of(each.id), &each) << each.name;
    }
}

TEST(instruction_table, every_facility_and_class_has_a_name_and_is_used) {
    std::set<std::string_view> facilities;
    std::set<std::string_view> classes;
    for (const instruction& row : instructions()) {
        facilities.insert(name_of(row.needs));
        classes.insert(name_of(row.kind));
    }
    EXPECT_EQ(facilities.size(), static_cast<std::size_t>(facility::ultravisor) + 1);
    EXPECT_EQ(classes.size(), static_cast<std::size_t>(instruction_class::reserved_nop) + 1);
}

TEST(instruction_table, variants_are_flags_of_one_row) {
    const instruction& adde = *find("adde");
    for (const std::uint32_t word :
         {0x7c642914U, 0x7c642d14U, 0x7c642915U, 0x7c642d15U}) {  // adde, addeo, adde., addeo.
        EXPECT_TRUE(adde.matches(word));
    }
    EXPECT_TRUE(adde.flags.has(rc | oe | ca | ca_in));
    EXPECT_FALSE(find("add")->flags.has(ca));
    EXPECT_EQ(find("mulhw")->reserved_bits(), overflow_enable.mask()) << "no OE form: the bit is reserved";
}

}  // namespace
}  // namespace pefsim::power::isa
