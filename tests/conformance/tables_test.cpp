// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "power/instructions/decoder.h"
#include "power/instructions/instruction_table.h"
#include "tests/conformance/exclusions.h"
#include "tests/conformance/generate.h"
#include "tests/conformance/known_differences.h"

namespace pefsim::conformance {
namespace {

using power::isa::instruction;
using power::isa::instructions;

/// Of the patterns in `patterns`, those that match no row.
std::string unmatched(std::string_view patterns) {
    std::string result;
    while (!patterns.empty()) {
        const std::string_view first = patterns.substr(0, patterns.find(' '));
        if (std::ranges::none_of(instructions(),
                                 [&](const instruction& row) { return matches(first, row.mnemonic); })) {
            result += std::string(first) + ' ';
        }
        patterns.remove_prefix(std::min(patterns.size(), first.size() + 1));
    }
    return result;
}

TEST(semantics, every_row_has_some) {
    std::string without;
    for (const instruction& row : instructions()) {
        if (power::isa::selector_of(row) == nullptr) {
            without += ' ' + std::string(row.mnemonic);
        }
    }
    EXPECT_EQ(without, "");
}

TEST(exclusions, name_rows_of_the_table) {
    for (const exclusion& each : exclusions()) {
        EXPECT_EQ(unmatched(each.rows), "");
    }
}

TEST(known_differences, name_rows_of_the_table) {
    for (const known_difference& each : known_differences()) {
        EXPECT_EQ(unmatched(each.rows), "");
    }
}

TEST(vectors, are_of_their_row_and_valid) {
    for (const instruction& row : instructions()) {
        if (!exclusion_of(row).empty()) {
            continue;
        }
        std::size_t count = 0;
        for (const vectors& each : generate(row, 1, 20, 5)) {
            EXPECT_EQ(power::isa::decode(each.word()), &row) << row.mnemonic;
            EXPECT_EQ(each.word() & row.reserved_bits(), 0U) << row.mnemonic;
            EXPECT_FALSE(row.invalid_form(each.word())) << row.mnemonic;
            count += each.inputs.size();
        }
        EXPECT_EQ(count, 20U);
    }
}

TEST(vectors, depend_on_row_and_seed) {
    const instruction& row = *power::isa::find("add");
    const auto first = generate(row, 1, 10, 5);
    const auto again = generate(row, 1, 10, 5);
    const auto other = generate(row, 2, 10, 5);
    ASSERT_EQ(first.size(), again.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_EQ(first[i].word(), again[i].word());
        const std::size_t bytes = first[i].inputs.size() * sizeof(vector_state);
        EXPECT_EQ(std::memcmp(first[i].inputs.data(), again[i].inputs.data(), bytes), 0);
        EXPECT_NE(std::memcmp(first[i].inputs.data(), other[i].inputs.data(), bytes), 0);
    }
}

}  // namespace
}  // namespace pefsim::conformance
