// SPDX-License-Identifier: Apache-2.0
#include "power/isa/field.h"

#include <gtest/gtest.h>

#include "power/isa/operand.h"
#include "tests/power/encodings.h"

namespace pefsim::power::isa {
namespace {

// lwz r3,-4(r29) and rldicl r3,r4,33,62: fields of the words by hand.
static_assert(bits(0, 5).of(0x807dfffc) == 32);
static_assert(fields::t.of(0x807dfffc) == 3 && fields::a.of(0x807dfffc) == 29);
static_assert(info_of(operand::disp).value(0x807dfffc) == -4);
static_assert(info_of(operand::sh6).value(0x78830fa2) == 33 && info_of(operand::mb6).value(0x78830fa2) == 62);
static_assert(info_of(operand::spr).value(0x7d3043a6) == 272);  // mtsprg0 r9
static_assert(info_of(operand::target_i).value(0x4bfffffd) == -4);
static_assert(info_of(operand::xt).value(0x7c000019) == 32);

TEST(field, what_is_put_is_read_again) {
    encodings random(1);
    for (const operand_info& each : operands) {
        for (int i = 0; i < 100; ++i) {
            const std::uint32_t word = random.random_bits();
            EXPECT_EQ(each.where.put(each.where.of(word)), word & each.where.mask()) << each.name;
        }
    }
}

TEST(field, signs_are_extended_and_zeros_appended) {
    const field signed_twelve = as_signed(bits(16, 27), 4);
    EXPECT_EQ(signed_twelve.of(0x0000fff0), -16);
    EXPECT_EQ(signed_twelve.of(0x00007ff0), 32752);
    EXPECT_EQ(signed_twelve.of(0xffff000f), 0) << "bits of others";
    EXPECT_EQ(signed_twelve.put(-16), 0x0000fff0U);
    EXPECT_EQ(signed_twelve.put(-17), 0x0000ffe0U) << "low bits are lost";
}

TEST(field, no_bits_are_the_value_zero) {
    EXPECT_EQ(field{}.of(0xffffffff), 0);
    EXPECT_EQ(field{}.mask(), 0U);
    EXPECT_EQ(field{}.put(5), 0U);
}

}  // namespace
}  // namespace pefsim::power::isa
