// SPDX-License-Identifier: Apache-2.0
//
// Fixed-point instructions where other processors are no oracle: 32-bit mode, results that the ISA leaves open,
// big-endian accesses of several registers, decimal digits.
#include <gtest/gtest.h>

#include <string>

#include "tests/power/test_program.h"

namespace pefsim::power {
namespace {

constexpr std::uint64_t so = 0x8000'0000;
constexpr std::uint64_t ov = 0x4000'0000;
constexpr std::uint64_t ca = 0x2000'0000;
constexpr std::uint64_t ov32 = 0x0008'0000;
constexpr std::uint64_t ca32 = 0x0004'0000;

struct result_case {
    std::string_view mnemonic;
    std::uint64_t msr;
    std::uint64_t a;
    std::uint64_t b;
    std::uint64_t rt;
    std::uint64_t xer;
    unsigned cr0;
};
constexpr std::uint64_t wide = msr_sf | msr_le;
constexpr std::uint64_t narrow = msr_le;

// clang-format off
constexpr result_case result_cases[] = {
    // mnemonic, mode,  RA,                    RB,                    RT,                    XER,
    // CR0
    {"addc",   wide,   0xffff'ffff,           1,                     0x1'0000'0000,         ca32,                   4},
    {"addc",   narrow, 0xffff'ffff,           1,                     0x1'0000'0000,         ca | ca32,               2},
    {"add",    wide,   0x7fff'ffff,           1,                     0x8000'0000,           ov32,                    4},
    {"add",    narrow, 0x7fff'ffff,           1,                     0x8000'0000,           so | ov | ov32,          9},
    {"subf",   narrow, 1,                     0x1'8000'0000,         0x1'7fff'ffff,         so | ov | ov32,          5},
    {"neg",    wide,   0x8000'0000'0000'0000, 0,                     0x8000'0000'0000'0000, so | ov,                 9},
    {"neg",    narrow, 0x8000'0000,           0,                     0xffff'ffff'8000'0000, so | ov | ov32,          9},
    {"neg",    narrow, 0x8000'0000'0000'0000, 0,                     0x8000'0000'0000'0000, 0,                       2},
    {"mullw",  narrow, 0x1'0000,              0x1'0000,              0x1'0000'0000,         so | ov | ov32,          3},
    {"mulld",  narrow, 0x1'0000'0000,         0x8000'0000,           0x8000'0000'0000'0000, so | ov | ov32,          3},
    {"divw",   wide,   0xffff'ffff'ffff'fff9, 2,                     0xffff'fffd,           0,                       4},
    {"divw",   narrow, 0xffff'ffff'ffff'fff9, 2,                     0xffff'fffd,           0,                       8},
    {"divw",   wide,   0x8000'0000,           ~std::uint64_t{0},     0,                     so | ov | ov32,          3},
    {"divwu",  wide,   5,                     0x1'0000'0000,         0,                     so | ov | ov32,          3},
    {"divwe",  wide,   1,                     2,                     0,                     so | ov | ov32,          3},
    {"divwe",  wide,   1,                     4,                     0x4000'0000,           0,                       4},
    {"divwe",  wide,   0x8000'0000,           0xffff'ffff,           0,                     so | ov | ov32,          3},
    {"divweu", wide,   1,                     2,                     0x8000'0000,           0,                       4},
    {"divd",   wide,   0x8000'0000'0000'0000, ~std::uint64_t{0},     0,                     so | ov | ov32,          3},
    {"divde",  wide,   0x8000'0000'0000'0000, ~std::uint64_t{0},     0,                     so | ov | ov32,          3},
    {"divde",  wide,   0xffff'ffff'ffff'ffff, 4,                     0xc000'0000'0000'0000, 0,                       8},
    {"divdeu", wide,   3,                     3,                     0,                     so | ov | ov32,          3},
    {"divdeu", wide,   2,                     3,                     0xaaaa'aaaa'aaaa'aaaa, 0,                       8},
};
// clang-format on

TEST(fixed_point, results_overflow_and_cr0_by_mode) {
    for (const result_case& each : result_cases) {
        SCOPED_TRACE(std::string(each.mnemonic) + (each.msr == wide ? "" : ", 32-bit"));
        test_program p(each.msr);
        p.state.gpr[4] = each.a;
        p.state.gpr[5] = each.b;
        const bool one_operand = each.mnemonic == "neg";
        const std::uint32_t word = one_operand ? word_of(each.mnemonic, {3, 4}, oe | dot)
                                               : word_of(each.mnemonic, {3, 4, 5}, oe | dot);
        ASSERT_TRUE(p.completes({word}));
        EXPECT_EQ(p.state.gpr[3], each.rt);
        EXPECT_EQ(p.state[spr::xer], each.xer);
        EXPECT_EQ(p.state.cr.field[0], each.cr0);
    }
}

TEST(fixed_point, high_word_products_stand_in_both_halves) {
    test_program p;
    p.state.gpr[4] = 0x8000'0000;
    p.state.gpr[5] = 2;
    ASSERT_TRUE(p.completes({word_of("mulhw", {3, 4, 5}), word_of("mulhwu", {6, 4, 5}, dot)}));
    EXPECT_EQ(p.state.gpr[3], 0xffff'ffff'ffff'ffff);
    EXPECT_EQ(p.state.gpr[6], 0x0000'0001'0000'0001);
    EXPECT_EQ(p.state.cr.field[0], 4);
}

TEST(fixed_point, remainders_that_do_not_exist_are_zero) {
    test_program p;
    p.state.gpr[4] = 0x8000'0000'0000'0000;
    p.state.gpr[5] = 0;
    p.state.gpr[6] = ~std::uint64_t{0};
    p.state.gpr.value.fill(p.state.gpr[4]);
    p.state.gpr[5] = 0;
    p.state.gpr[6] = ~std::uint64_t{0};
    ASSERT_TRUE(p.completes({word_of("modsd", {7, 4, 5}), word_of("modsd", {8, 4, 6}),
                             word_of("modud", {9, 4, 5}), word_of("modud", {10, 4, 6}),
                             word_of("modsw", {11, 4, 5}), word_of("moduw", {12, 4, 5})}));
    EXPECT_EQ(p.state.gpr[7], 0U);
    EXPECT_EQ(p.state.gpr[8], 0U);
    EXPECT_EQ(p.state.gpr[9], 0U);
    EXPECT_EQ(p.state.gpr[10], 0x8000'0000'0000'0000);
    EXPECT_EQ(p.state.gpr[11], 0U);
    EXPECT_EQ(p.state.gpr[12], 0U);
}

TEST(fixed_point, every_declet_of_three_digits_comes_back) {
    test_program p;
    for (unsigned n = 0; n < 1000; ++n) {
        const std::uint64_t digits = n / 100 << 8 | n / 10 % 10 << 4 | n % 10;
        p.state.gpr[4] = digits << 12 | digits << 32;
        ASSERT_TRUE(p.completes({word_of("cbcdtd", {5, 4}), word_of("cdtbcd", {6, 5})}));
        EXPECT_EQ(p.state.gpr[6], p.state.gpr[4]) << n;
        // Decimal encodings of small numbers are their BCD digits (IEEE 754-2008 3.5.2).
        if (n < 80 && n % 10 < 8) {
            EXPECT_EQ(p.state.gpr[5], digits << 10 | digits << 32) << n;
        }
    }
}

TEST(fixed_point, traps_report_themselves) {
    test_program p;
    p.state.gpr[3] = 5;
    EXPECT_EQ(p.run({word_of("tdi", {16, 3, 5}), word_of("tdi", {4, 3, 5})}), vector::program);
    EXPECT_EQ(p.cpu.interrupt().srr1, program::trap);
    EXPECT_EQ(p.state.nip, test_program::code + 4);
}

TEST(fixed_point, addresses_wrap_in_32_bit_mode_and_updates_keep_the_sum) {
    test_program p(narrow);
    p.put<std::uint64_t>(test_program::data, 0x1122'3344'5566'7788);
    p.state.gpr[4] = 0x7'0000'0000 | (test_program::data - 8);
    ASSERT_TRUE(p.completes({word_of("ldu", {3, 8, 4}), word_of("bc", {20, 31, 4}, 1)}));
    EXPECT_EQ(p.state.gpr[3], 0x1122'3344'5566'7788U);
    EXPECT_EQ(p.state.gpr[4], 0x7'0000'0000U | test_program::data);
    EXPECT_EQ(p.state[spr::lr], test_program::code + 8);
}

TEST(fixed_point, multiple_and_string_accesses_are_for_big_endian_mode) {
    test_program little;
    little.state.gpr[4] = test_program::data;
    EXPECT_EQ(little.run({word_of("lmw", {29, 8, 4})}), vector::alignment);
    EXPECT_EQ(little.cpu.interrupt().dar, test_program::data + 8);
    EXPECT_EQ(little.run({word_of("stswi", {29, 4, 3})}), vector::alignment);

    test_program big(msr_sf);
    for (unsigned i = 0; i < 16; ++i) {
        big.put<std::uint8_t>(test_program::data + i, static_cast<std::uint8_t>(0xa0 + i));
    }
    big.state.gpr[4] = test_program::data;
    big.state[spr::xer] = 7;
    ASSERT_TRUE(
        big.completes({word_of("lmw", {30, 0, 4}), word_of("lswi", {28, 4, 6}), word_of("lswx", {8, 0, 4}),
                       word_of("stmw", {30, 32, 4}), word_of("stswi", {28, 4, 5}),
                       word_of("lhbrx", {10, 0, 4}), word_of("ldbrx", {11, 0, 4})}));
    EXPECT_EQ(big.state.gpr[30], 0xa0a1'a2a3U);
    EXPECT_EQ(big.state.gpr[31], 0xa4a5'a6a7U);
    EXPECT_EQ(big.state.gpr[28], 0xa0a1'a2a3U);
    EXPECT_EQ(big.state.gpr[29], 0xa4a5'0000U);
    EXPECT_EQ(big.state.gpr[8], 0xa0a1'a2a3U);
    EXPECT_EQ(big.state.gpr[9], 0xa4a5'a600U);
    EXPECT_EQ(big.get<std::uint64_t>(test_program::data + 32), 0xa0a1'a2a3'a4a5'a6a7U);
    EXPECT_EQ(big.get<std::uint8_t>(test_program::data + 4), 0xa4);
    EXPECT_EQ(big.state.gpr[10], 0xa1a0U);
    EXPECT_EQ(big.state.gpr[11], 0xa7a6'a5a4'a3a2'a1a0U);
}

TEST(fixed_point, a_failed_load_of_many_registers_changes_none) {
    test_program big(msr_sf);
    big.state.gpr[4] = test_program::size - 8;
    big.state.gpr[29] = 29;
    EXPECT_EQ(big.run({word_of("lmw", {29, 0, 4})}), vector::data_storage);
    EXPECT_EQ(big.state.gpr[29], 29U);
}

TEST(fixed_point, quadwords_have_their_low_half_in_the_odd_register) {
    for (const std::uint64_t msr : {msr_sf | msr_le, msr_sf}) {
        test_program p(msr);
        p.state.gpr[4] = test_program::data;
        p.state.gpr[8] = 0x1111;
        p.state.gpr[9] = 0x2222;
        ASSERT_TRUE(p.completes({word_of("stq", {8, 0, 4}), word_of("lq", {10, 0, 4})}));
        const bool little = (msr & msr_le) != 0;
        EXPECT_EQ(p.get<std::uint64_t>(test_program::data + (little ? 0 : 8)), 0x2222U);
        EXPECT_EQ(p.state.gpr[10], 0x1111U);
        EXPECT_EQ(p.state.gpr[11], 0x2222U);
    }
    test_program p;
    EXPECT_EQ(p.run({word_of("lq", {31, 0, 4})}), vector::hypervisor_emulation_assistance);
    EXPECT_EQ(p.state.nip, test_program::code);
}

TEST(fixed_point, one_field_moves_take_the_leftmost_of_several) {
    test_program p;
    p.state.cr = 0x1234'5678;
    p.state.gpr[4] = 0xabcd'ef01;
    ASSERT_TRUE(
        p.completes({word_of("mfocrf", {3, 0x30}), word_of("mtocrf", {0x41, 4}), word_of("mfcr", {5})}));
    EXPECT_EQ(p.state.gpr[3], 0x0030'0000U);
    EXPECT_EQ(p.state.gpr[5], 0x1b34'5678U);
}

TEST(fixed_point, selections_look_at_their_bit) {
    for (int bit = 0; bit < 32; ++bit) {
        for (const bool set : {false, true}) {
            const std::uint32_t mask = 0x8000'0000U >> bit;
            test_program p;
            p.state.cr = set ? mask : ~mask;
            p.state.gpr = {};
            p.state.gpr[0] = 5;
            p.state.gpr[3] = 0x1234'5678'9abc'def0;
            p.state.gpr[4] = ~std::uint64_t{0};
            ASSERT_TRUE(p.completes({word_of("isel", {5, 3, 4, bit}), word_of("isel", {6, 0, 4, bit}),
                                     word_of("isel", {3, 3, 4, bit}), word_of("isel", {4, 3, 0, bit})}));
            EXPECT_EQ(p.state.gpr[5], set ? 0x1234'5678'9abc'def0 : ~std::uint64_t{0}) << bit;
            EXPECT_EQ(p.state.gpr[6], set ? 0 : ~std::uint64_t{0});  // (RA|0)
            EXPECT_EQ(p.state.gpr[3], p.state.gpr[5]);
            EXPECT_EQ(p.state.gpr[4], set ? p.state.gpr[5] : 5);
        }
    }
}

TEST(fixed_point, one_field_moves_of_no_field_are_of_field_7) {
    test_program p;
    p.state.cr = 0x1234'5678;
    p.state.gpr[4] = 0xabcd'ef01;
    ASSERT_TRUE(p.completes({word_of("mfocrf", {3, 0}), word_of("mtocrf", {0, 4}), word_of("mfcr", {5})}));
    EXPECT_EQ(p.state.gpr[3], 8U);
    EXPECT_EQ(p.state.gpr[5], 0x1234'5671U);
}

TEST(fixed_point, random_numbers_come_from_the_seed) {
    test_program p;
    test_program q;
    p.cpu.seed(7);
    q.cpu.seed(7);
    const std::vector<std::uint32_t> words{word_of("darn", {3, 0}), word_of("darn", {4, 1}),
                                           word_of("darn", {5, 2}), word_of("darn", {6, 3})};
    ASSERT_TRUE(p.completes(words));
    ASSERT_TRUE(q.completes(words));
    EXPECT_EQ(p.state.gpr, q.state.gpr);
    EXPECT_LE(p.state.gpr[3], 0xffff'ffffU);
    EXPECT_NE(p.state.gpr[4], p.state.gpr[5]);
    EXPECT_EQ(p.state.gpr[6], ~std::uint64_t{0});
}

/// A pair that the engine fuses: what follows it, and a store into its second half.
TEST(fixed_point, comparisons_and_the_branches_behind_them) {
    for (const int bo : {12, 4}) {
        for (const int bi : {0, 1, 2, 3, 4}) {
            for (const std::uint64_t value : {1, 2, 3}) {
                test_program p;
                p.state.gpr[3] = value;
                p.state.cr = 0x0500'0000;
                ASSERT_TRUE(p.completes({word_of("cmpi", {0, 1, 3, 2}), word_of("bc", {bo, bi, 8}),
                                         word_of("addi", {5, 5, 1}), word_of("andi.", {6, 3, 1}),
                                         word_of("bc", {bo, bi, 8}), word_of("addi", {5, 5, 16})}));
                const auto taken = [&](int order) {
                    const unsigned cr = order < 0 ? 8U : order > 0 ? 4U : 2U;
                    return bi == 4 ? bo != 12 : ((cr & 8U >> bi) != 0) == (bo == 12);
                };
                const std::uint64_t expected = (taken(static_cast<int>(value) - 2) ? 0U : 1U) +
                                               (taken(static_cast<int>(value & 1)) ? 0U : 16U);
                EXPECT_EQ(p.state.gpr[5], expected) << "bo " << bo << " bi " << bi << " value " << value;
                EXPECT_EQ(p.state.gpr[6], value & 1);
            }
        }
    }
}

TEST(fixed_point, a_store_into_a_fused_branch_is_seen) {
    test_program p;
    p.state.gpr[3] = test_program::code + 8;                 // of the branch
    p.state.gpr[4] = word_of("addi", {5, 5, 100});           // what replaces it
    const std::uint32_t loop = word_of("bc", {16, 0, -16});  // once more
    p.state[spr::ctr] = 2;
    ASSERT_TRUE(p.completes({word_of("addi", {5, 5, 1}), word_of("cmpi", {0, 1, 9, 0}),
                             word_of("bc", {12, 2, 4}), word_of("stw", {4, 0, 3}), loop}));
    EXPECT_EQ(p.state.gpr[5], 102U);
}

}  // namespace
}  // namespace pefsim::power
