// SPDX-License-Identifier: Apache-2.0
//
// The disassembler against GNU objdump -M power9.
#include "power/debug/disassembler.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "power/debug/alias.h"
#include "power/instructions/decoder.h"
#include "power/instructions/instruction_table.h"
#include "tests/power/encodings.h"
#include "tests/power/known_differences.h"
#include "tests/power/objdump.h"

namespace pefsim::power::isa {
namespace {

constexpr std::uint64_t text_address = 0x10000000;

class disassembler_beside_objdump : public ::testing::Test {
protected:
    void SetUp() override {
        if (!objdump_is_installed()) {
            GTEST_SKIP() << no_objdump;
        }
    }

    /// Compares line by line. Words of known differences must differ as they are known to.
    static void compare(const std::vector<std::uint32_t>& words) {
        const std::vector<std::string> expected = objdump(words, text_address);
        unsigned failures = 0;
        for (std::size_t i = 0; i < words.size() && failures < 20; ++i) {
            const std::string text = debug::disassemble(words[i], text_address + 4 * i);
            const known_difference* const known = known_difference_of(words[i]);
            const bool as_known = known != nullptr && text.starts_with(".long") &&
                                  !expected[i].starts_with(".long") &&
                                  known->objdump.find(expected[i].substr(0, expected[i].find(' '))) !=
                                      std::string::npos;
            if (text != expected[i] && !as_known) {
                ADD_FAILURE() << fmt::format("{:#010x}: objdump \"{}\", here \"{}\"", words[i], expected[i],
                                             text);
                ++failures;
            }
        }
    }
};

/// `text` begins with the mnemonic and no other letters than those of variants and branch hints.
bool is_written_as(std::string_view mnemonic, std::string_view text) {
    if (!text.starts_with(mnemonic)) {
        return false;
    }
    text.remove_prefix(mnemonic.size());
    return text.substr(0, text.find(' ')).find_first_not_of(".ola+-") == std::string_view::npos;
}

TEST_F(disassembler_beside_objdump, every_row) {
    encodings random(4);
    std::vector<std::uint32_t> words;
    for (const instruction& row : instructions()) {
        std::generate_n(std::back_inserter(words), encodings_per_row, [&] { return random.of(row); });
    }
    compare(words);
}

TEST_F(disassembler_beside_objdump, every_alias) {
    encodings random(5);
    std::vector<std::uint32_t> words;
    for (const instruction& row : instructions()) {
        for (const debug::alias& each : debug::aliases_of(row)) {
            const std::vector<std::uint32_t> some = random.of(each, 20);
            const bool is_written = std::ranges::any_of(some, [&each](std::uint32_t word) {
                return is_written_as(each.mnemonic,
                                     debug::disassemble(word, 0, debug::unwritable::as_instructions));
            });
            EXPECT_TRUE(is_written) << each.mnemonic << " is never written: " << some.size()
                                    << " words tried";
            words.insert(words.end(), some.begin(), some.end());
        }
    }
    compare(words);
}

TEST_F(disassembler_beside_objdump, every_branch) {
    std::vector<std::uint32_t> words;
    for (const std::string_view base : {"bc", "bclr", "bcctr", "bctar"}) {
        for (std::uint32_t rest = 0; rest < 1U << 12; ++rest) {  // BO, BI, LK, AA or a bit of BH
            const std::uint32_t second = base == "bc" ? (rest & 2U) : (rest & 2U) << 10;
            words.push_back(find(base)->code.match | (rest >> 2) << 16 | second | (rest & 1U));
        }
    }
    compare(words);
}

TEST_F(disassembler_beside_objdump, every_special_purpose_register) {
    std::vector<std::uint32_t> words;
    for (const std::string_view base : {"mfspr", "mtspr", "mftb"}) {
        for (std::int32_t number = 0; number < 1024; ++number) {
            words.push_back(find(base)->code.match | info_of(operand::spr).where.put(number) | 5U << 21);
        }
    }
    compare(words);
}

TEST_F(disassembler_beside_objdump, words_of_any_kind) {
    encodings random(6);
    std::vector<std::uint32_t> words;
    std::generate_n(std::back_inserter(words), 200'000, [&] { return random.of_anything(); });
    compare(words);
}

/// binutils has them for a POWER6 only; the ISA has phased them out, and a POWER9 executes them.
bool double_pair(const instruction& row) {
    return row.mnemonic == "lfdp" || row.mnemonic == "lfdpx" || row.mnemonic == "stfdp" ||
           row.mnemonic == "stfdpx";
}

TEST_F(disassembler_beside_objdump, what_it_calls_data_is_undefined_or_unwritable) {
    encodings random(7);
    std::vector<std::uint32_t> words;
    std::generate_n(std::back_inserter(words), 100'000, [&] { return random.of_anything(); });
    const std::vector<std::string> theirs = objdump(words);
    unsigned undefined = 0;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const instruction* const row = decode(words[i]);
        if (theirs[i].starts_with(".long")) {
            // Defined for the processor only with reserved bits set, as an invalid form, or where no
            // assembler goes.
            ASSERT_TRUE(row == nullptr || (words[i] & row->reserved_bits()) != 0 ||
                        row->invalid_form(words[i]) || row->mnemonic == "mftb" || row->mnemonic == "rnop" ||
                        double_pair(*row))
                << fmt::format("{:#010x} {}", words[i], row->mnemonic);
            undefined += row == nullptr ? 1 : 0;
        } else {
            ASSERT_TRUE(row != nullptr || known_difference_of(words[i]) != nullptr)
                << fmt::format("{:#010x} {}", words[i], theirs[i]);
        }
    }
    EXPECT_GT(undefined, 10'000U) << "hardly any undefined word was tried";
}

/// Whatever binutils has for a POWER9 is a row of the table, or a known difference: all primary and extended opcodes,
/// and of those primary opcodes that extend them by the field in bits 11:15 all of its values.
TEST_F(disassembler_beside_objdump, no_instruction_is_missing) {
    constexpr std::uint32_t extended_by_a[] = {4, 19, 31, 59, 60, 63};
    std::set<std::string> mnemonics;
    for (std::uint32_t primary = 0; primary < 64; ++primary) {
        const bool all_a = std::ranges::find(extended_by_a, primary) != std::end(extended_by_a);
        std::vector<std::uint32_t> words;
        for (std::uint32_t rest = 0; rest < 1U << 11; ++rest) {
            for (std::uint32_t a = 0; a < (all_a ? 32U : 1U); ++a) {
                words.push_back(primary << 26 | a << 16 | rest);  // RT=0, RB=0
                words.push_back(primary << 26 | 3U << 21 | a << 16 | 5U << 11 | rest);
            }
        }
        const std::vector<std::string> theirs = objdump(words);
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (theirs[i].starts_with(".long")) {
                continue;
            }
            ASSERT_TRUE(decode(words[i]) != nullptr || known_difference_of(words[i]) != nullptr)
                << fmt::format("{:#010x} {}", words[i], theirs[i]);
            mnemonics.insert(theirs[i].substr(0, theirs[i].find(' ')));
        }
    }
    EXPECT_GT(mnemonics.size(), 1200U) << "hardly any instruction was found";
    fmt::print("{} mnemonics of objdump\n", mnemonics.size());
}

TEST_F(disassembler_beside_objdump, known_differences_are_differences) {
    std::vector<std::uint32_t> words;
    for (const known_difference& each : known_differences()) {
        words.push_back(each.match);
    }
    const std::vector<std::string> theirs = objdump(words);
    for (std::size_t i = 0; i < words.size(); ++i) {
        EXPECT_NE(debug::disassemble(words[i], 4 * i), theirs[i]);
    }
}

TEST(disassembler, writes_undefined_words_as_data) {
    EXPECT_EQ(debug::disassemble(0, 0), ".long 0x0");
    EXPECT_EQ(debug::disassemble(0x7c0001a4, 0, debug::unwritable::as_instructions), ".long 0x7c0001a4");
}

TEST(disassembler, writes_what_is_executed_when_asked) {
    EXPECT_EQ(debug::disassemble(0x7c642a15, 0), "add. r3,r4,r5");
    EXPECT_EQ(debug::disassemble(0x7c64282f, 0), ".long 0x7c64282f");
    EXPECT_EQ(debug::disassemble(0x7c64282f, 0, debug::unwritable::as_instructions), "lwzx r3,r4,r5");
    EXPECT_EQ(debug::disassemble(0xb8650008, 0, debug::unwritable::as_instructions), "lmw r3,8(r5)");
    EXPECT_EQ(debug::disassemble(0x7c6c42e6, 0, debug::unwritable::as_instructions), "mftb r3");
    EXPECT_EQ(debug::disassemble(0x7c000424, 0, debug::unwritable::as_instructions), "rnop");
}

TEST(disassembler, appends) {
    std::string text = "10000000: ";
    debug::append_disassembly(text, 0x4bfffffd, 0x10000000);
    EXPECT_EQ(text, "10000000: bl 0xffffffc");
}

}  // namespace
}  // namespace pefsim::power::isa
