// SPDX-License-Identifier: Apache-2.0
//
// Decimal integers of VMX. The table holds what Power ISA 3.0B says of CR6 (LT GT EQ, and SO for overflow or an invalid
// operand) where implementations differ; random operands are compared with integers of the host.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "power/instructions/vector_element.h"
#include "tests/power/flat_core.h"

namespace pefsim::power {
namespace {

using isa::quadword;
using isa::signed_quadword;

constexpr unsigned lt = 8;
constexpr unsigned gt = 4;
constexpr unsigned eq = 2;
constexpr unsigned so = 1;

/// v1 <- v2, v3 for instructions of two sources; v1 <- v3 for those of one. PS is -1 for instructions without it.
struct outcome {
    vector_register result;
    unsigned cr6 = 0;
};
outcome run(std::string_view mnemonic, int ps, const vector_register& a, const vector_register& b) {
    const bool unary = mnemonic.starts_with("bcdc") && mnemonic != "bcdcpsgn." ? true
                                                                               : mnemonic == "bcdsetsgn.";
    static flat_core machine;
    machine.state().cr = 0xffff'ffff;
    machine.state().vsr[32 + 2] = a;
    machine.state().vsr[32 + 3] = b;
    const std::uint32_t word = unary ? (ps < 0 ? assemble(mnemonic, {1, 3}) : assemble(mnemonic, {1, 3, ps}))
                               : ps < 0 ? assemble(mnemonic, {1, 2, 3})
                                        : assemble(mnemonic, {1, 2, 3, ps});
    EXPECT_TRUE(machine.execute(word)) << mnemonic;
    EXPECT_EQ(machine.state().cr | 0xf0U, 0xffff'ffffU) << mnemonic << " changes CR6 only";
    return {machine.state().vsr[32 + 1], machine.state().cr.field[6]};
}

struct example {
    std::string_view mnemonic;
    int ps = 0;
    std::string_view a;
    std::string_view b;
    std::string_view result;  ///< empty: undefined
    unsigned cr6 = 0;
};

// clang-format off
constexpr std::string_view none =  "00000000000000000000000000000000";
constexpr std::string_view nines = "9999999999999999999999999999999c";
constexpr std::string_view one =   "0000000000000000000000000000001c";

constexpr example examples[] = {
    // The sign of zero follows PS, the sign of a sum that is truncated to zero the sum before.
    {"bcdadd.", 0, "0000000000000000000000000000000d", "0000000000000000000000000000000b", "0000000000000000000000000000000c", eq},
    {"bcdadd.", 1, "0000000000000000000000000000005c", "0000000000000000000000000000005d", "0000000000000000000000000000000f", eq},
    {"bcdadd.", 0, nines, one,                                                             "0000000000000000000000000000000c", gt | so},
    {"bcdadd.", 0, "9999999999999999999999999999999d", "0000000000000000000000000000001b", "0000000000000000000000000000000d", lt | so},
    {"bcdadd.", 1, "0000000000000000000000000000007a", "0000000000000000000000000000005e", "0000000000000000000000000000012f", gt},
    {"bcdadd.", 0, one, "00000000000000000000000000000010", "", so},
    {"bcdadd.", 0, "a000000000000000000000000000001c", one, "", so},
    {"bcdsub.", 0, one, "0000000000000000000000000000002c", "0000000000000000000000000000001d", lt},
    {"bcdsub.", 0, "9999999999999999999999999999999d", nines, "9999999999999999999999999999998d", lt | so},
    {"bcdsub.", 1, nines, nines, "0000000000000000000000000000000f", eq},
    {"bcdsub.", 0, one, "00000000000000000000000000000019", "", so},

    {"bcdcfn.", 0, none, "0031003200330034003500360037002b", "0000000000000000000000001234567c", gt},
    {"bcdcfn.", 1, none, "0030003000300030003000300030002b", "0000000000000000000000000000000f", eq},
    {"bcdcfn.", 0, none, "0030003000300030003000300030002d", "0000000000000000000000000000000d", eq},
    {"bcdcfn.", 0, none, "0031003200330034003500360037002d", "0000000000000000000000001234567d", lt},
    {"bcdcfn.", 0, none, "0031003200330034003500360037002c", "", so},
    {"bcdcfn.", 0, none, "0131003200330034003500360037002b", "", so},
    {"bcdctn.", -1, none, "0000000000000000000000001234567a", "0031003200330034003500360037002b", gt},
    {"bcdctn.", -1, none, "0000000000000000000000011234567d", "0031003200330034003500360037002d", lt | so},
    {"bcdctn.", -1, none, "0000000000000000000000010000000b", "0030003000300030003000300030002d", lt | so},
    {"bcdctn.", -1, none, "a000000000000000000000000000001c", "", so},
    {"bcdcfz.", 0, none, "31323334353637383930313233343536", "0000000000000001234567890123456c", gt},
    {"bcdcfz.", 0, none, "31323334353637383930313233343576", "0000000000000001234567890123456d", lt},
    {"bcdcfz.", 0, none, "303030303030303030303030303030f0", "0000000000000000000000000000000d", eq},
    {"bcdcfz.", 1, none, "f1f2f3f4f5f6f7f8f9f0f1f2f3f4f5b6", "0000000000000001234567890123456d", lt},
    {"bcdcfz.", 1, none, "f1f2f3f4f5f6f7f8f9f0f1f2f3f4f596", "", so},
    {"bcdcfz.", 1, none, "31f2f3f4f5f6f7f8f9f0f1f2f3f4f5c6", "", so},
    {"bcdctz.", 0, none, "0000000000000001234567890123456d", "31323334353637383930313233343576", lt},
    {"bcdctz.", 1, none, "0000000000000001234567890123456c", "f1f2f3f4f5f6f7f8f9f0f1f2f3f4f5c6", gt},
    {"bcdctz.", 1, none, "1000000000000000000000000000000b", "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0d0", lt | so},
    {"bcdctz.", 0, none, "00000000000000000000000000000000", "", so},
    {"bcdcfsq.", 0, none, "ffffffffffffffffffffffffffffffff", "0000000000000000000000000000001d", lt},
    {"bcdcfsq.", 1, none, none,                               "0000000000000000000000000000000f", eq},
    {"bcdcfsq.", 1, none, "0000007e37be2022c0914b267fffffff", "9999999999999999999999999999999f", gt},
    {"bcdcfsq.", 0, none, "0000007e37be2022c0914b2680000000", "", gt | so},
    {"bcdcfsq.", 0, none, "80000000000000000000000000000000", "", lt | so},
    {"bcdctsq.", -1, none, "9999999999999999999999999999999c", "0000007e37be2022c0914b267fffffff", gt},
    {"bcdctsq.", -1, none, "0000000000000000000000000000001b", "ffffffffffffffffffffffffffffffff", lt},
    {"bcdctsq.", -1, none, "0000000000000000000000000000000d", none, eq},
    {"bcdctsq.", -1, none, "000000000000000000000000000000f5", "", so},

    {"bcdcpsgn.", -1, "0000000000000000000000000000012c", "0000000000000000000000000000000b", "0000000000000000000000000000012b", lt},
    {"bcdcpsgn.", -1, "0000000000000000000000000000000d", "0000000000000000000000000000005e", "0000000000000000000000000000000e", eq},
    {"bcdcpsgn.", -1, "0000000000000000000000000000000d", "a000000000000000000000000000005e", "", so},
    {"bcdsetsgn.", 1, none, "0000000000000000000000000000012a", "0000000000000000000000000000012f", gt},
    {"bcdsetsgn.", 1, none, "0000000000000000000000000000012b", "0000000000000000000000000000012d", lt},

    // Shifts and truncations compare their source with zero, not their result.
    {"bcds.", 0, "00000000000000010000000000000000", "0000000000000000000000000000123d", "0000000000000000000000000001230d", lt},
    {"bcds.", 0, "00000000000000fe0000000000000000", "0000000000000000000000000000123f", "0000000000000000000000000000001c", gt},
    {"bcds.", 0, "00000000000000800000000000000000", "0000000000000000000000000000123f", "0000000000000000000000000000000c", gt},
    {"bcds.", 0, "000000000000001f0000000000000000", "0000000000000000000000000000123d", "0000000000000000000000000000000d", lt | so},
    {"bcds.", 0, "000000000000007f0000000000000000", "0000000000000000000000000000000d", "0000000000000000000000000000000d", eq},
    {"bcds.", 0, "00000000000000010000000000000000", "1000000000000000000000000000000c", "0000000000000000000000000000000c", gt | so},
    {"bcdsr.", 0, "00000000000000ff0000000000000000", "0000000000000000000000000000125d", "0000000000000000000000000000013d", lt},
    {"bcdsr.", 1, "00000000000000ff0000000000000000", "0000000000000000000000000000124c", "0000000000000000000000000000012f", gt},
    {"bcdsr.", 0, "00000000000000fd0000000000000000", "0000000000000000000000000000999c", "0000000000000000000000000000001c", gt},
    {"bcdsr.", 0, "00000000000000fc0000000000000000", "0000000000000000000000000000999c", "0000000000000000000000000000000c", gt},
    {"bcdsr.", 0, "00000000000000ff0000000000000000", nines,                              "1000000000000000000000000000000c", gt},
    {"bcdsr.", 0, "00000000000000e10000000000000000", nines,                              one, gt},
    {"bcdsr.", 0, "00000000000000800000000000000000", nines,                              one, gt},
    {"bcdsr.", 0, "00000000000000030000000000000000", nines,                              "9999999999999999999999999999000c", gt | so},
    {"bcdus.", -1, "00000000000000010000000000000000", "10000000000000000000000000000123", "00000000000000000000000000001230", gt | so},
    {"bcdus.", -1, "00000000000000fe0000000000000000", "10000000000000000000000000000123", "00100000000000000000000000000001", gt},
    {"bcdus.", -1, "00000000000000200000000000000000", "00000000000000000000000000000001", none, gt | so},
    {"bcdus.", -1, "00000000000000200000000000000000", none, none, eq},
    {"bcdus.", -1, "00000000000000000000000000000000", "0000000000000000000000000000000c", "", so},
    {"bcdtrunc.", 0, "00000000000000020000000000000000", "0000000000000000000000000000123d", "0000000000000000000000000000023d", lt | so},
    {"bcdtrunc.", 1, "00000000000000000000000000000000", "0000000000000000000000000000123c", "0000000000000000000000000000000f", gt | so},
    {"bcdtrunc.", 0, "000000000000001e0000000000000000", nines, "0999999999999999999999999999999c", gt | so},
    {"bcdtrunc.", 0, "000000000000001f0000000000000000", nines, nines, gt},
    {"bcdtrunc.", 0, "000000000000ffff0000000000000000", nines, nines, gt},
    {"bcdutrunc.", -1, "000000000000001f0000000000000000", "12345678901234567890123456789012", "02345678901234567890123456789012", gt | so},
    {"bcdutrunc.", -1, "00000000000000200000000000000000", "12345678901234567890123456789012", "12345678901234567890123456789012", gt},
    {"bcdutrunc.", -1, "00000000000000020000000000000000", "00000000000000000000000000000012", "00000000000000000000000000000012", gt},
    {"bcdutrunc.", -1, "00000000000000020000000000000000", none, none, eq},
};
// clang-format on

TEST(vmx_decimal, examples) {
    for (const example& each : examples) {
        const outcome got = run(each.mnemonic, each.ps, vector_from(each.a), vector_from(each.b));
        EXPECT_EQ(got.cr6, each.cr6) << each.mnemonic << ' ' << each.a << ' ' << each.b;
        if (!each.result.empty()) {
            EXPECT_EQ(hex_of(got.result), each.result) << each.mnemonic << ' ' << each.a << ' ' << each.b;
        }
    }
}

// --- Random numbers against the host's integers

constexpr quadword power_of_ten(int n) { return n == 0 ? 1 : 10 * power_of_ten(n - 1); }

quadword pack(quadword magnitude) {
    quadword digits = 0;
    for (unsigned i = 0; i < 32; ++i, magnitude /= 10) {
        digits |= magnitude % 10 << 4 * i;
    }
    return digits;
}
vector_register packed(signed_quadword value, unsigned sign) {
    return isa::vector_of(pack(static_cast<quadword>(value < 0 ? -value : value)) << 4 | sign);
}
unsigned against_zero(signed_quadword value) { return value < 0 ? lt : value > 0 ? gt : eq; }

class numbers {
public:
    std::mt19937_64 bits{3};

    signed_quadword signed_number() {
        const quadword magnitude = (quadword{bits()} << 64 | bits()) %
                                   power_of_ten(static_cast<int>(bits() % 32));
        return bits() % 2 != 0 ? -static_cast<signed_quadword>(magnitude)
                               : static_cast<signed_quadword>(magnitude);
    }
    /// A code of the sign, any of the ISA's.
    unsigned sign_code(signed_quadword value) {
        constexpr std::array<unsigned, 4> plus{0xa, 0xc, 0xe, 0xf};
        return value < 0 ? (bits() % 2 != 0 ? 0xb : 0xd) : plus[bits() % 4];
    }
};

TEST(vmx_decimal, sums_and_differences_of_random_numbers) {
    numbers random;
    for (unsigned i = 0; i < 20'000; ++i) {
        const signed_quadword a = random.signed_number();
        const signed_quadword b = i % 8 == 0 ? -a : random.signed_number();
        const int ps = static_cast<int>(i & 1);
        for (const bool subtract : {false, true}) {
            const signed_quadword sum = subtract ? a - b : a + b;
            const outcome got = run(subtract ? "bcdsub." : "bcdadd.", ps, packed(a, random.sign_code(a)),
                                    packed(b, random.sign_code(b)));
            const quadword magnitude = static_cast<quadword>(sum < 0 ? -sum : sum);
            const bool overflow = magnitude >= power_of_ten(31);
            const auto kept = static_cast<signed_quadword>(magnitude % power_of_ten(31));
            ASSERT_EQ(hex_of(got.result), hex_of(packed(kept, sum < 0 ? 0xd : ps == 0 ? 0xc : 0xf)));
            ASSERT_EQ(got.cr6, against_zero(sum) | (overflow ? so : 0));
        }
    }
}

TEST(vmx_decimal, shifts_and_conversions_of_random_numbers) {
    numbers random;
    for (unsigned i = 0; i < 20'000; ++i) {
        const signed_quadword value = random.signed_number();
        const auto magnitude = static_cast<quadword>(value < 0 ? -value : value);
        const vector_register source = packed(value, random.sign_code(value));
        const unsigned sign = value < 0 ? 0xd : 0xc;
        const int n = static_cast<int>(random.bits() % 31);
        const quadword scale = power_of_ten(n);

        EXPECT_EQ(isa::quad(run("bcdctsq.", -1, {}, source).result), static_cast<quadword>(value));
        EXPECT_EQ(hex_of(run("bcdcfsq.", 0, {}, isa::vector_of(static_cast<quadword>(value))).result),
                  hex_of(packed(value, sign)));
        const vector_register right{.low = 0, .high = static_cast<std::uint64_t>(-n) & 0xff};
        const outcome rounded = run("bcdsr.", 0, right, source);
        ASSERT_EQ(hex_of(rounded.result),
                  hex_of(packed(static_cast<signed_quadword>((magnitude + (n > 0 ? scale / 2 : 0)) / scale),
                                sign)));
        ASSERT_EQ(rounded.cr6, against_zero(value));
        const vector_register left{.low = 0, .high = static_cast<std::uint64_t>(n)};
        const quadword room = power_of_ten(31 - n);
        const outcome shifted = run("bcds.", 0, left, source);
        ASSERT_EQ(hex_of(shifted.result),
                  hex_of(packed(static_cast<signed_quadword>(magnitude % room * scale), sign)));
        ASSERT_EQ(shifted.cr6, against_zero(value) | (magnitude >= room ? so : 0));
    }
}

TEST(vmx_decimal, multiplication_by_ten_carries) {
    numbers random;
    flat_core machine;
    for (unsigned i = 0; i < 5'000; ++i) {
        const quadword a = i == 0 ? ~quadword{0} : quadword{random.bits()} << 64 | random.bits();
        const auto digit = static_cast<unsigned>(random.bits() % 10);
        machine.state().vsr[34] = isa::vector_of(a);
        machine.state().vsr[35] = {.low = random.bits() << 4 | digit, .high = random.bits()};
        // Long multiplication by 32-bit parts
        quadword low = 0;
        std::uint64_t carry = 0;
        for (const bool extends : {false, true}) {
            carry = extends ? digit : 0;
            for (unsigned part = 0; part < 4; ++part) {
                const std::uint64_t product = static_cast<std::uint32_t>(a >> 32 * part) * std::uint64_t{10} +
                                              carry;
                low = (part == 0 ? 0 : low) | quadword{static_cast<std::uint32_t>(product)} << 32 * part;
                carry = product >> 32;
            }
            ASSERT_TRUE(
                machine.execute(extends ? assemble("vmul10euq", {1, 2, 3}) : assemble("vmul10uq", {1, 2})));
            EXPECT_EQ(machine.state().vsr[33], isa::vector_of(low));
            ASSERT_TRUE(
                machine.execute(extends ? assemble("vmul10ecuq", {1, 2, 3}) : assemble("vmul10cuq", {1, 2})));
            EXPECT_EQ(machine.state().vsr[33], (vector_register{.low = carry, .high = 0}));
        }
    }
}

}  // namespace
}  // namespace pefsim::power
