// SPDX-License-Identifier: Apache-2.0
//
// What lasts beyond a vector instruction's result: VSCR[SAT], CR6; and a mask insert that emulators get wrong.
#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>

#include "tests/power/flat_core.h"

namespace pefsim::power {
namespace {

struct sum {
    std::string_view mnemonic;
    std::string_view a;
    std::string_view b;
    std::string_view result;
    bool saturates = false;
};

// clang-format off
constexpr sum sums[] = {
    {"vaddubs", "fe01ff00000000000000000000000000", "01010000000000000000000000000000", "ff02ff00000000000000000000000000", false},
    {"vaddubs", "fe01ff00000000000000000000000000", "02010000000000000000000000000000", "ff02ff00000000000000000000000000", true},
    {"vaddsws", "7fffffff800000000000000180000000", "00000000ffffffff7fffffff7fffffff", "7fffffff800000007fffffffffffffff", true},
    {"vaddsws", "7fffffff800000010000000180000000", "00000000ffffffff7ffffffe7fffffff", "7fffffff800000007fffffffffffffff", false},
    {"vsubshs", "8000000000007fff0000000000000000", "00018000000180000000000000000000", "80007fffffff7fff0000000000000000", true},
    {"vsubuws", "00000001000000000000000000000005", "00000002000000000000000000000006", "00000000000000000000000000000000", true},
    {"vpkswus", "00010000ffffffff0000ffff00000000", "00000001000000020000000300000004", "ffff0000ffff00000001000200030004", true},
    {"vpkudus", "00000000ffffffff0000000000000001", "00000000000000020000000000000003", "ffffffff000000010000000200000003", false},
    {"vpkudus", "00000001ffffffff0000000000000001", "00000000000000020000000000000003", "ffffffff000000010000000200000003", true},
    {"vsumsws", "7fffffff7fffffff7fffffff7fffffff", "00000000000000000000000000000000", "0000000000000000000000007fffffff", true},
    {"vsum2sws", "00000001000000028000000080000000", "00000000000000030000000000000000", "00000000000000060000000080000000", true},
    {"vsum4ubs", "ffffffff010203040000000000000000", "fffffc03000000010000000000000000", "ffffffff0000000b0000000000000000", false},
};
// clang-format on

TEST(vmx_integer, saturation_is_remembered) {
    for (const sum& each : sums) {
        flat_core machine;
        machine.state().vsr[34] = vector_from(each.a);
        machine.state().vsr[35] = vector_from(each.b);
        ASSERT_TRUE(machine.execute(assemble(each.mnemonic, {1, 2, 3})));
        EXPECT_EQ(hex_of(machine.state().vsr[33]), each.result) << each.mnemonic;
        EXPECT_EQ(machine.state().vscr, each.saturates ? 1U : 0U) << each.mnemonic << ' ' << each.a;

        machine.state().vscr = 0x1'0001;
        ASSERT_TRUE(machine.execute(assemble("vadduwm", {1, 2, 3})));
        EXPECT_EQ(machine.state().vscr, 0x1'0001U) << "sticks";
        ASSERT_TRUE(machine.execute(assemble("mfvscr", {4})));
        EXPECT_EQ(hex_of(machine.state().vsr[36]), "00000000000000000000000000010001");
        machine.state().vsr[36] = vector_from("ffffffffffffffffffffffff00010000");
        ASSERT_TRUE(machine.execute(assemble("mtvscr", {4})));
        EXPECT_EQ(machine.state().vscr, 0x1'0000U);
    }
}

struct comparison {
    std::string_view mnemonic;
    std::string_view a;
    std::string_view b;
    unsigned cr6 = 0;  ///< all true 8, none true 2
};

constexpr comparison comparisons[] = {
    {"vcmpequb", "00112233445566778899aabbccddeeff", "00112233445566778899aabbccddeeff", 8},
    {"vcmpequb", "00112233445566778899aabbccddeeff", "11223344556677889900bbccddeeff00", 2},
    {"vcmpequb", "00112233445566778899aabbccddeeff", "00223344556677889900bbccddeeff00", 0},
    {"vcmpequb", "00112233445566778899aabbccddeeff", "00112233445566778899aabbccddeefe", 0},
    {"vcmpgtsd", "00000000000000008000000000000001", "ffffffffffffffff8000000000000000", 8},
    {"vcmpgtud", "00000000000000008000000000000001", "ffffffffffffffff8000000000000001", 2},
    {"vcmpneh", "00010002000300040005000600070008", "00010002000300040005000600070008", 2},
    {"vcmpnezb", "00000000000000000000000000000000", "00000000000000000000000000000000", 8},
};

TEST(vmx_integer, comparisons_tell_cr6_of_all_and_none) {
    for (const comparison& each : comparisons) {
        for (const bool dot : {false, true}) {
            flat_core machine;
            machine.state().cr = 0xffff'ffff;
            machine.state().vsr[34] = vector_from(each.a);
            machine.state().vsr[35] = vector_from(each.b);
            ASSERT_TRUE(machine.execute(assemble(each.mnemonic, {1, 2, 3}, dot)));
            EXPECT_EQ(machine.state().cr, dot ? 0xffff'ff0fU | each.cr6 << 4 : 0xffff'ffffU) << each.mnemonic;
        }
    }
}

TEST(vmx_integer, mask_insert_keeps_the_target_outside_the_mask) {
    flat_core machine;
    machine.state().vsr[33] = vector_from("ffffffff0000ffff1111111111111111");
    machine.state().vsr[34] = vector_from("00000000000000ff0123456789abcdef");
    machine.state().vsr[35] = vector_from(
        "0000000000383f080000000000003f04");  // MB 56, ME 63, SH 8; MB 0, ME 63, SH 4
    ASSERT_TRUE(machine.execute(assemble("vrldmi", {1, 2, 3})));
    EXPECT_EQ(hex_of(machine.state().vsr[33]), "ffffffff0000ff00123456789abcdef0");
}

}  // namespace
}  // namespace pefsim::power
