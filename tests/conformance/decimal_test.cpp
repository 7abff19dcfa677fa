// SPDX-License-Identifier: Apache-2.0
//
// Decimal floating point where qemu-ppc64le is no oracle: gcc's own decimal types, and what follows from definitions.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <iterator>
#include <string>

#include "power/decfloat/arithmetic.h"
#include "power/decfloat/number.h"
#include "power/int128.h"
#include "tests/conformance/conditions.h"
#include "tests/conformance/engine_run.h"
#include "tests/conformance/gcc_decimal.h"
#include "tests/conformance/operand_values.h"

namespace pefsim::conformance {
namespace {

using power::uint128;
using namespace power::decfloat;  // NOLINT(google-build-using-namespace): what is tested
namespace status = power::ieee::fpscr;

// --- gcc's types, which x86 has in the binary encoding

constexpr unsigned steering = 0b11;

u64 host_long(const number& value) {
    const u64 sign = u64{value.negative} << 63;
    if (value.infinite()) {
        return sign | u64{0x78} << 56;
    }
    const auto exponent = static_cast<u64>(value.exponent + long_format.bias);
    const auto coefficient = static_cast<u64>(value.coefficient);
    return coefficient >> 53 == 0
               ? sign | exponent << 53 | coefficient
               : sign | u64{steering} << 61 | exponent << 51 | (coefficient & ((u64{1} << 51) - 1));
}
number of_host(u64 bits) {
    const bool negative = bits >> 63 != 0;
    if ((bits >> 58 & 0x1f) >= 0x1e) {
        return {.what = (bits >> 58 & 1) != 0 ? kind::quiet_nan : kind::infinity, .negative = negative};
    }
    const bool large = (bits >> 61 & steering) == steering;
    const u64 exponent = bits >> (large ? 51 : 53) & 0x3ff;
    const u64 coefficient = large ? (bits & ((u64{1} << 51) - 1)) | u64{1} << 53
                                  : bits & ((u64{1} << 53) - 1);
    return {.negative = negative,
            .exponent = static_cast<int>(exponent) - long_format.bias,
            .coefficient = coefficient};
}

uint128 host_extended(const number& value) {
    const uint128 sign = static_cast<uint128>(value.negative) << 127;
    const uint128 exponent = static_cast<unsigned>(value.exponent + extended_format.bias);
    return value.infinite() ? sign | static_cast<uint128>(0x78) << 120
                            : sign | exponent << 113 | value.coefficient;
}
number of_host(uint128 bits) {
    const bool negative = bits >> 127 != 0;
    const auto code = static_cast<unsigned>(bits >> 122) & 0x1f;
    if (code >= 0x1e) {
        return {.what = (code & 1) != 0 ? kind::quiet_nan : kind::infinity, .negative = negative};
    }
    return {.negative = negative,
            .exponent = static_cast<int>(bits >> 113 & 0x3fff) - extended_format.bias,
            .coefficient = bits & ((uint128{1} << 113) - 1)};
}

bool same(const number& a, const number& b) {
    return a.what == b.what &&
           (a.nan() || (a.negative == b.negative &&
                        (a.infinite() || (a.exponent == b.exponent && a.coefficient == b.coefficient))));
}

std::string text(const number& value) {
    const auto low = static_cast<u64>(value.coefficient % 1'000'000'000'000'000'000);
    const auto high = static_cast<u64>(value.coefficient / 1'000'000'000'000'000'000);
    return fmt::format("{}{}{:016}{:018}E{}", static_cast<int>(value.what), value.negative ? "-" : "+", high,
                       low, value.exponent);
}

/// Numbers and infinities as the vectors have them.
number any_long(operand_values& random) {
    number value = decode_long(random.decimal64());
    while (value.nan()) {
        value = decode_long(random.decimal64());
    }
    return value;
}
number any_extended(operand_values& random) {
    for (;;) {
        const power::vector_register bits = random.decimal128();
        const number value = decode_extended(static_cast<uint128>(bits.high) << 64 | bits.low);
        if (!value.nan()) {
            return value;
        }
    }
}

constexpr int rounds = 50'000;

using operation = number (*)(const number&, const number&, const format&, environment&);
constexpr operation operations[] = {add, subtract, multiply, divide};  // in the order of gcc::operation

TEST(decimal_arithmetic, of_long_is_that_of_gcc) {
    operand_values random(1);
    for (int i = 0; i < rounds; ++i) {
        const number a = any_long(random);
        const number b = any_long(random);
        for (unsigned k = 0; k < std::size(operations); ++k) {
            const u64 expected = gcc::decimal64(static_cast<gcc::operation>(k), host_long(a), host_long(b));
            environment e;
            ASSERT_TRUE(same(of_host(expected), operations[k](a, b, long_format, e)))
                << text(a) << ' ' << k << ' ' << text(b) << " = " << text(of_host(expected)) << ", not "
                << text(operations[k](a, b, long_format, e));
        }
        ASSERT_EQ(gcc::compare64(host_long(a), host_long(b)), compare(a, b)) << i;
    }
}

TEST(decimal_arithmetic, of_extended_is_that_of_gcc) {
    operand_values random(2);
    for (int i = 0; i < rounds; ++i) {
        const number a = any_extended(random);
        const number b = any_extended(random);
        for (unsigned k = 0; k < std::size(operations); ++k) {
            const uint128 expected = gcc::decimal128(static_cast<gcc::operation>(k), host_extended(a),
                                                     host_extended(b));
            environment e;
            ASSERT_TRUE(same(of_host(expected), operations[k](a, b, extended_format, e)))
                << text(a) << ' ' << k << ' ' << text(b) << " = " << text(of_host(expected)) << ", not "
                << text(operations[k](a, b, extended_format, e));
        }
    }
}

TEST(decimal_conversion, is_that_of_gcc) {
    operand_values random(3);
    for (int i = 0; i < rounds; ++i) {
        number a = any_extended(random);
        environment e;
        if (a.finite()) {
            ASSERT_TRUE(same(of_host(gcc::narrowed(host_extended(a))),
                             round_to(a, long_format, wrap_of_extended_to_long, e)))
                << i;
        }
        const auto integer = static_cast<i64>(random.integer());
        const number exactly{.negative = integer < 0,
                             .coefficient = integer < 0 ? -static_cast<u64>(integer)
                                                        : static_cast<u64>(integer)};
        ASSERT_TRUE(
            same(of_host(gcc::of_integer(integer)), round_to(exactly, long_format, wrap_of(long_format), e)))
            << integer;
        environment truncating;
        truncating.mode = rounding::toward_zero;
        a = any_long(random);
        const i64 truncated = to_integer(a, truncating);
        if ((truncating.raised & status::vxcvi) == 0) {
            ASSERT_EQ(gcc::to_integer(host_long(a)), truncated) << i;
        }
    }
}

TEST(decimal_encoding, comes_back) {
    operand_values random(4);
    for (int i = 0; i < rounds; ++i) {
        const number value = decode_long(random.decimal64());
        const number again = decode_long(encode_long(value));
        ASSERT_TRUE(same(value, again) && value.coefficient == again.coefficient &&
                    value.negative == again.negative);
    }
}

// --- What follows from definitions

/// 5.5.10.3, 5.5.10.4: the result of an enabled overflow or underflow is that of an operand with the exponent adjusted.
TEST(decimal_exceptions, enabled_overflow_and_underflow_adjust_the_exponent) {
    operand_values random(5);
    int wrapped_results = 0;
    for (int i = 0; i < rounds; ++i) {
        number a = any_long(random);
        const number b = any_long(random);
        environment e;
        e.mode = static_cast<rounding>(random.below(8));
        environment plainly = e;
        e.enabled = status::oe | status::ue;
        const number product = multiply(a, b, long_format, e);
        const std::uint32_t why = e.raised & (status::ox | status::ux);
        if (!a.finite() || !b.finite() || why == 0) {
            continue;
        }
        a.exponent += why == status::ox ? -576 : 576;
        ASSERT_TRUE(same(product, multiply(a, b, long_format, plainly))) << i;
        ASSERT_EQ(e.raised & ~why, plainly.raised) << i;
        ++wrapped_results;
    }
    EXPECT_GT(wrapped_results, rounds / 20);
}

/// What is rounded for shorter precision may be rounded again without harm.
TEST(decimal_rounding, for_shorter_precision_prepares_for_every_mode) {
    operand_values random(6);
    for (int i = 0; i < rounds; ++i) {
        const number a = any_long(random);
        const number b = any_long(random);
        if (!a.finite() || !b.finite()) {
            continue;
        }
        environment shorter;
        shorter.mode = rounding::for_shorter_precision;
        const number sum = add(a, b, extended_format, shorter);
        environment once;
        once.mode = static_cast<rounding>(random.below(8));
        environment twice = once;
        const number direct = add(a, b, long_format, once);
        const number again = round_to(sum, long_format, wrap_of(long_format), twice);
        ASSERT_TRUE(same(direct, again) || (direct.zero() && again.zero())) << i;
    }
}

// --- Instructions

constexpr std::uint32_t x_word(unsigned po, unsigned t, unsigned a, unsigned b, unsigned xo,
                               bool dot = false) {
    return po << 26 | t << 21 | a << 16 | b << 11 | xo << 1 | (dot ? 1 : 0);
}

vector_state execute(std::uint32_t word, const vector_state& before) {
    vectors one;
    one.group.words = 1;
    one.group.word[0] = word;
    one.inputs.push_back(before);
    engine_run engine;
    return engine.execute(one).front();
}

constexpr u64 one_long = 0x2238'0000'0000'0001;
constexpr u64 signalling_long = 0x7e00'0000'0000'0005;

TEST(decimal_instructions, an_enabled_invalid_operation_leaves_the_target) {
    vector_state before{};
    before.vsr[1][1] = one_long;
    before.vsr[2][1] = signalling_long;
    before.vsr[3][1] = 0x1234;
    before.fpscr = ve | fprf;
    const vector_state after = execute(x_word(59, 3, 1, 2, 2, true), before);  // dadd. f3,f1,f2
    EXPECT_EQ(after.vsr[3][1], 0x1234U);
    EXPECT_EQ(after.signal, static_cast<u64>(SIGFPE));
    EXPECT_EQ(after.nip, 0U);
    EXPECT_EQ(after.fpscr, before.fpscr | fx | fex | vx | vxsnan);
    EXPECT_EQ(after.cr & cr1, 0x0e00'0000U);
}

TEST(decimal_instructions, a_disabled_one_delivers_a_quiet_nan) {
    vector_state before{};
    before.vsr[1][1] = one_long;
    before.vsr[2][1] = signalling_long;
    const vector_state after = execute(x_word(59, 3, 1, 2, 2), before);  // dadd f3,f1,f2
    EXPECT_EQ(after.vsr[3][1], 0x7c00'0000'0000'0005U);
    EXPECT_EQ(after.signal, 0U);
    EXPECT_EQ(after.fpscr, fx | vx | vxsnan | u64{0b10001} << 12);
}

TEST(decimal_instructions, drdpq_delivers_in_the_first_register) {
    vector_state before{};
    before.vsr[2][1] = 0x2208'0000'0000'0000;  // 1 in DFP Extended
    before.vsr[3][1] = 1;
    before.vsr[4][1] = before.vsr[5][1] = 0x1234;
    const vector_state after = execute(x_word(63, 4, 0, 2, 770), before);  // drdpq f4,f2
    EXPECT_EQ(after.vsr[4][1], one_long);
    EXPECT_EQ(after.vsr[5][1], 0U);
}

TEST(decimal_instructions, dfp_short_keeps_signals) {
    vector_state before{};
    before.vsr[2][1] = signalling_long;
    const vector_state after = execute(x_word(59, 4, 0, 2, 770), before);  // drsp f4,f2
    EXPECT_EQ(after.vsr[4][1], 0x7e00'0005U);
    EXPECT_EQ(after.fpscr, u64{0b00001} << 12);
}

TEST(decimal_instructions, denbcd_knows_ten_digits) {
    vector_state before{};
    before.vsr[2][1] = 0x1a;
    const vector_state after = execute(x_word(59, 4, 0, 2, 834), before);  // denbcd 0,f4,f2
    EXPECT_EQ(after.vsr[4][1], 0x7c00'0000'0000'0000U);
    EXPECT_EQ(after.fpscr, fx | vx | vxcvi | u64{0b10001} << 12);
}

/// FR says that the magnitude was incremented, FI that the result is inexact (4.2.2).
TEST(decimal_instructions, fr_and_fi) {
    constexpr u64 fi = fpscr_bit(46);
    constexpr u64 fr_fi = fpscr_bit(45) | fi;
    vector_state before{};
    before.vsr[1][1] = 0x2238'0000'0000'0002;                           // 2
    before.vsr[2][1] = 0x2238'0000'0000'0003;                           // 3
    const vector_state up = execute(x_word(59, 3, 1, 2, 546), before);  // ddiv f3,f1,f2 = 0.666...67
    EXPECT_EQ(up.fpscr & fr_fi, fr_fi);
    before.vsr[1][1] = one_long;
    const vector_state down = execute(x_word(59, 3, 1, 2, 546), before);  // 0.333...33
    EXPECT_EQ(down.fpscr & fr_fi, fi);
    EXPECT_EQ(down.fpscr & (xx | fprf), xx | u64{0b00100} << 12);
}

}  // namespace
}  // namespace pefsim::conformance
