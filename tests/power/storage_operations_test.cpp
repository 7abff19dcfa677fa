// SPDX-License-Identifier: Apache-2.0
//
// Reservations, atomic memory operations, copy and paste, cache instructions (Power ISA 3.0B Book II chapter 4).
#include <gtest/gtest.h>

#include "tests/power/test_program.h"

namespace pefsim::power {
namespace {

constexpr std::uint64_t data = test_program::data;

TEST(reservations, a_store_succeeds_once) {
    test_program p;
    p.put<std::uint32_t>(data, 41);
    p.state.gpr[4] = data;
    p.state.gpr[6] = 99;
    ASSERT_TRUE(
        p.completes({word_of("lwarx", {3, 0, 4, 0}), word_of("addi", {5, 3, 1}), word_of("stwcx.", {5, 0, 4}),
                     word_of("mfcr", {7}), word_of("stwcx.", {6, 0, 4})}));
    EXPECT_EQ(p.state.gpr[7] >> 28, 2U);
    EXPECT_EQ(p.state.cr.field[0], 0U);
    EXPECT_EQ(p.get<std::uint32_t>(data), 42U);
}

TEST(reservations, need_the_same_size_and_granule) {
    test_program p;
    p.state.gpr[4] = data;
    p.state.gpr[5] = data + 64;
    p.state.gpr[6] = data + 128;
    ASSERT_TRUE(p.completes({word_of("ldarx", {3, 0, 4, 0}), word_of("stwcx.", {3, 0, 4})}));
    EXPECT_EQ(p.state.cr.field[0], 0U);
    ASSERT_TRUE(p.completes({word_of("ldarx", {3, 0, 4, 0}), word_of("stdcx.", {3, 0, 6})}));
    EXPECT_EQ(p.state.cr.field[0], 0U);
    ASSERT_TRUE(p.completes({word_of("lbarx", {3, 0, 4, 0}), word_of("stbcx.", {3, 0, 5})}));
    EXPECT_EQ(p.state.cr.field[0], 2U);
}

TEST(reservations, survive_the_run_unless_somebody_may_have_stored) {
    for (const bool stored : {false, true}) {
        test_program p;
        p.state.gpr[4] = data;
        ASSERT_TRUE(p.completes({word_of("lwarx", {3, 0, 4, 0})}));
        if (stored) {
            p.cpu.lose_reservation();
        }
        ASSERT_TRUE(p.completes({word_of("stwcx.", {3, 0, 4})}));
        EXPECT_EQ(p.state.cr.field[0], stored ? 0U : 2U);
    }
}

TEST(reservations, quadwords_and_their_registers) {
    test_program p;
    p.put<std::uint64_t>(data, 1);
    p.put<std::uint64_t>(data + 8, 2);
    p.state.gpr[4] = data;
    ASSERT_TRUE(p.completes({word_of("lqarx", {6, 0, 4, 0}), word_of("addi", {8, 7, 10}),
                             word_of("addi", {9, 6, 10}), word_of("stqcx.", {8, 0, 4})}));
    EXPECT_EQ(p.state.gpr[6], 2U);
    EXPECT_EQ(p.state.gpr[7], 1U);
    EXPECT_EQ(p.state.cr.field[0], 2U);
    EXPECT_EQ(p.get<std::uint64_t>(data), 12U);
    EXPECT_EQ(p.get<std::uint64_t>(data + 8), 11U);
    EXPECT_EQ(p.run({word_of("lqarx", {7, 0, 4, 0})}), vector::hypervisor_emulation_assistance);
    EXPECT_EQ(p.state.nip, test_program::code);
}

TEST(reservations, operands_must_be_aligned) {
    for (const std::string_view mnemonic : {"lharx", "lwarx", "ldarx", "lqarx"}) {
        test_program p;
        p.state.gpr[4] = data + 1;
        EXPECT_EQ(p.run({word_of(mnemonic, {6, 0, 4, 0})}), vector::alignment) << mnemonic;
        EXPECT_EQ(p.cpu.interrupt().dar, data + 1);
    }
    for (const std::string_view mnemonic : {"sthcx.", "stwcx.", "stdcx.", "stqcx."}) {
        test_program p;
        p.state.gpr[4] = data + 1;
        EXPECT_EQ(p.run({word_of(mnemonic, {6, 0, 4})}), vector::alignment) << mnemonic;
    }
}

struct atomic_case {
    int function;
    std::uint64_t memory;
    std::uint64_t operand;
    std::uint64_t second;  ///< RT+2, or the neighbour in storage
    std::uint64_t after;
    std::uint64_t result;
};
constexpr std::uint64_t minus_one = ~std::uint64_t{0};
constexpr std::uint64_t least = std::uint64_t{1} << 63;
constexpr atomic_case load_cases[] = {
    {0, 5, 7, 0, 12, 5},
    {1, 6, 3, 0, 5, 6},
    {2, 6, 3, 0, 7, 6},
    {3, 6, 3, 0, 2, 6},
    {4, 5, minus_one, 0, minus_one, 5},
    {5, 5, minus_one, 0, 5, 5},
    {6, 5, minus_one, 0, 5, 5},
    {7, 5, minus_one, 0, minus_one, 5},
    {8, 5, 9, 0, 9, 5},
    {16, 5, 5, 9, 5, 5},
    {16, 5, 6, 9, 9, 5},
    {24, 5, 0, 6, 6, 5},
    {24, 5, 0, 5, 5, least},
    {25, 5, 0, 5, 6, 5},
    {25, 5, 0, 6, 5, least},
    {28, 5, 0, 3, 4, 5},
    {28, 5, 0, 5, 5, least},
};

TEST(atomic_memory_operations, loads) {
    for (const atomic_case& each : load_cases) {
        SCOPED_TRACE(each.function);
        test_program p;
        constexpr std::uint64_t at = data + 8;
        p.put(at, each.memory);
        p.put(at + 8, each.second);
        p.put(at - 8, each.second);
        p.state.gpr[4] = at;
        p.state.gpr[31] = 1;
        p.state.gpr[0] = each.operand;  // RT+1, around
        p.state.gpr[1] = each.second;
        ASSERT_TRUE(p.completes({word_of("ldat", {31, 4, each.function})}));
        EXPECT_EQ(p.state.gpr[31], each.result);
        EXPECT_EQ(p.get<std::uint64_t>(at), each.after);
    }
}

TEST(atomic_memory_operations, words_are_extended_with_zeros) {
    test_program p;
    p.put<std::uint32_t>(data, 0xffff'fffe);
    p.put<std::uint32_t>(data + 4, 0xffff'fffe);
    p.state.gpr[4] = data;
    p.state.gpr[7] = 1;
    ASSERT_TRUE(p.completes({word_of("lwat", {6, 4, 5}), word_of("lwat", {8, 4, 24})}));
    EXPECT_EQ(p.state.gpr[6], 0xffff'fffeU);
    EXPECT_EQ(p.get<std::uint32_t>(data), 2U);
    EXPECT_EQ(p.state.gpr[8], 1U);
}

TEST(atomic_memory_operations, stores) {
    test_program p;
    p.put<std::uint32_t>(data, 5);
    p.put<std::uint32_t>(data + 4, 12);
    p.state.gpr[4] = data;
    p.state.gpr[5] = 7;
    ASSERT_TRUE(p.completes({word_of("stwat", {5, 4, 0})}));
    EXPECT_EQ(p.get<std::uint32_t>(data), 12U);
    ASSERT_TRUE(
        p.completes({word_of("stwat", {5, 4, 24}), word_of("addi", {5, 0, 1}), word_of("stwat", {5, 4, 6})}));
    EXPECT_EQ(p.get<std::uint32_t>(data), 1U);
    EXPECT_EQ(p.get<std::uint32_t>(data + 4), 7U);
}

TEST(atomic_memory_operations, functions_and_places_that_do_not_exist) {
    test_program p;
    p.state.gpr[4] = data + 28;
    EXPECT_EQ(p.run({word_of("lwat", {6, 4, 9})}), vector::data_storage);
    EXPECT_EQ(p.cpu.interrupt().dsisr, 0x0000'0004U);
    EXPECT_EQ(p.run({word_of("stwat", {6, 4, 8})}), vector::data_storage);
    EXPECT_EQ(p.cpu.interrupt().dsisr, 0x0200'0004U);
    EXPECT_EQ(p.run({word_of("lwat", {6, 4, 24})}), vector::alignment);  // the neighbour is in the next block
    p.state.gpr[4] = data;
    EXPECT_EQ(p.run({word_of("ldat", {6, 4, 28})}), vector::alignment);
    p.state.gpr[4] = data + 2;
    EXPECT_EQ(p.run({word_of("stwat", {6, 4, 0})}), vector::alignment);
}

TEST(copy_and_paste, moves_a_block_once) {
    test_program p;
    p.put<std::uint64_t>(data + 120, 0x1234);
    p.state.gpr[4] = data;
    p.state.gpr[5] = data + 128;
    ASSERT_TRUE(p.completes({word_of("copy", {0, 4}), word_of("paste.", {0, 5}), word_of("mfcr", {6}),
                             word_of("paste.", {0, 5})}));
    EXPECT_EQ(p.get<std::uint64_t>(data + 248), 0x1234U);
    EXPECT_EQ(p.state.gpr[6] >> 28, 2U);
    EXPECT_EQ(p.state.cr.field[0], 0U);
    ASSERT_TRUE(p.completes({word_of("copy", {0, 4}), word_of("cpabort", {}), word_of("paste.", {0, 5})}));
    EXPECT_EQ(p.state.cr.field[0], 0U);
    p.state.gpr[4] = data + 8;
    EXPECT_EQ(p.run({word_of("copy", {0, 4})}), vector::alignment);
}

TEST(cache_instructions, dcbz_clears_the_block_of_its_address) {
    test_program p;
    for (std::uint64_t i = 0; i < 384; ++i) {
        p.put<std::uint8_t>(data + i, 0xff);
    }
    p.state.gpr[4] = data + 200;
    ASSERT_TRUE(p.completes({word_of("dcbz", {0, 4})}));
    for (std::uint64_t i = 0; i < 384; ++i) {
        EXPECT_EQ(p.get<std::uint8_t>(data + i), i / 128 == 1 ? 0 : 0xff) << i;
    }
}

TEST(cache_instructions, are_checked_like_loads_or_not_at_all) {
    for (const std::string_view mnemonic : {"dcbf", "dcbst", "icbi"}) {
        test_program p;
        p.state.gpr[4] = test_program::size;
        EXPECT_EQ(p.run({word_of(mnemonic, {0, 4})}), vector::data_storage) << mnemonic;
        EXPECT_EQ(p.cpu.interrupt().dsisr & 0x0200'0000U, 0U);
        EXPECT_EQ(p.cpu.interrupt().dar, test_program::size);
    }
    test_program p;
    p.state.gpr[4] = test_program::size;
    EXPECT_TRUE(p.completes({word_of("dcbt", {0, 4, 0}), word_of("dcbtst", {0, 4, 0}),
                             word_of("icbt", {0, 0, 4}), word_of("dst", {4, 4, 0}), word_of("isync", {}),
                             word_of("sync", {0}), word_of("eieio", {})}));
}

}  // namespace
}  // namespace pefsim::power
