// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/decoder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "power/instructions/instruction_table.h"
#include "tests/power/encodings.h"

namespace pefsim::power::isa {
namespace {

TEST(decoder, finds_every_row_and_ignores_reserved_bits) {
    encodings random(2);
    for (const instruction& row : instructions()) {
        for (unsigned i = 0; i < encodings_per_row; ++i) {
            const std::uint32_t word = random.of(row);
            ASSERT_EQ(decode(word), &row) << fmt::format("{} {:#010x}", row.mnemonic, word);
            const std::uint32_t reserved = random.random_bits() & row.reserved_bits();
            ASSERT_EQ(decode(word | reserved), &row)
                << fmt::format("{} {:#010x}", row.mnemonic, word | reserved);
        }
    }
}

TEST(decoder, agrees_with_a_search_of_the_whole_table) {
    encodings random(3);
    unsigned undefined = 0;
    for (unsigned i = 0; i < 200'000; ++i) {
        const std::uint32_t word = random.of_anything();
        const auto rows = instructions();
        const auto row = std::ranges::find_if(rows,
                                              [word](const instruction& each) { return each.matches(word); });
        ASSERT_EQ(decode(word), row == rows.end() ? nullptr : &*row) << fmt::format("{:#010x}", word);
        undefined += row == rows.end() ? 1 : 0;
    }
    EXPECT_GT(undefined, 10'000U) << "hardly any undefined word was tried";
}

TEST(decoder, invalid_forms_are_instructions) {
    EXPECT_EQ(decode(0xb8650000), find("lmw"));    // lmw r3,0(r5)
    EXPECT_EQ(decode(0x84630000), find("lwzu"));   // lwzu r3,0(r3)
    EXPECT_EQ(decode(0xe0640000), find("lq"));     // lq r3,0(r4)
    EXPECT_EQ(decode(0x7c6ff120), find("mtcrf"));  // several fields
    EXPECT_EQ(decode(0x7c7ff120), find("mtocrf"));
    EXPECT_TRUE(find("lmw")->invalid_form(0xb8650000));
    EXPECT_FALSE(find("lmw")->invalid_form(0xb8a30000));
    EXPECT_TRUE(find("mtocrf")->invalid_form(0x7c7ff120));
}

TEST(decoder, undefined_words) {
    constexpr std::uint32_t words[] = {
        0x00000000,                                      // what unwritten memory holds
        0x06000000,                                      // a prefix of ISA 3.1
        0x10000005,                                      // PO 4
        0x14000000, 0x18000000, 0x24000000, 0x58000000,  // POs 5, 6, 9, 22
        0x7c0001a4,                                      // mtsr
        0x7c000400,                                      // mcrxr
        0x7c00012c,                                      // stwcx. with Rc=0
        0x7c00060c, 0x7c00070d,                          // copy and paste. of ISA 3.0, before 3.0B
        0x7c0003e6,
        0x44000000,  // neither sc nor scv
        0xfc02048e,  // mffs with EO=2
        0x10020602,  // 4/1538 with EO=2
    };
    for (const std::uint32_t word : words) {
        EXPECT_EQ(decode(word), nullptr) << fmt::format("{:#010x}", word);
    }
}

TEST(decoder, reserved_no_operations) {
    for (std::uint32_t xo = 530; xo <= 754; xo += 32) {
        EXPECT_EQ(decode(31U << 26 | xo << 1), find("rnop")) << xo;
    }
}

}  // namespace
}  // namespace pefsim::power::isa
