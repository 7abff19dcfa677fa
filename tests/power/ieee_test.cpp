// SPDX-License-Identifier: Apache-2.0
//
// Binary floating-point arithmetic against MPFR: results, inexact, the direction of rounding, overflow and underflow,
// in every format and rounding mode, with operands that sit on the edges of formats.
#include "power/ieee/arithmetic.h"

#include <gtest/gtest.h>
#include <mpfr.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace pefsim::power::ieee {
namespace {

constexpr mpfr_prec_t long_precision = 600;
constexpr mpfr_exp_t wide_range = 200000;

/// An MPFR number with its life's end.
class real {
public:
    explicit real(mpfr_prec_t precision) { mpfr_init2(value_, precision); }
    real(const real&) = delete;
    real& operator=(const real&) = delete;
    ~real() { mpfr_clear(value_); }
    operator mpfr_ptr() { return value_; }

private:
    mpfr_t value_;
};

void set_range(mpfr_exp_t lowest, mpfr_exp_t highest) {
    mpfr_set_emin(lowest);
    mpfr_set_emax(highest);
}

/// The value of a finite datum, read from its bits.
void set(mpfr_ptr to, uint128 bits, const format& f) {
    const uint128 fraction = bits & ((uint128{1} << f.fraction_bits) - 1);
    const auto biased = static_cast<long>(bits >> f.fraction_bits & f.exponent_mask());
    const uint128 integer = biased == 0 ? fraction : fraction | uint128{1} << f.fraction_bits;
    mpfr_set_uj_2exp(to, static_cast<std::uint64_t>(integer >> 64), 64, MPFR_RNDN);
    real low(64);
    mpfr_set_uj(low, static_cast<std::uint64_t>(integer), MPFR_RNDN);
    mpfr_add(to, to, low, MPFR_RNDN);
    mpfr_mul_2si(to, to, (biased == 0 ? 1 : biased) - f.bias() - f.fraction_bits, MPFR_RNDN);
    if ((bits >> (f.exponent_bits + f.fraction_bits) & 1) != 0) {
        mpfr_neg(to, to, MPFR_RNDN);
    }
}

struct operation {
    const char* name;
    number (*ours)(const number&, const number&, const number&, environment&);
    int (*theirs)(mpfr_ptr, mpfr_ptr, mpfr_ptr, mpfr_ptr, mpfr_rnd_t);
};
const std::array operations{
    operation{"add", [](auto& a, auto& b, auto&, auto& e) { return add(a, b, e); },
              [](auto r, auto a, auto b, auto, auto m) { return mpfr_add(r, a, b, m); }},
    operation{"subtract", [](auto& a, auto& b, auto&, auto& e) { return subtract(a, b, e); },
              [](auto r, auto a, auto b, auto, auto m) { return mpfr_sub(r, a, b, m); }},
    operation{"multiply", [](auto& a, auto& b, auto&, auto& e) { return multiply(a, b, e); },
              [](auto r, auto a, auto b, auto, auto m) { return mpfr_mul(r, a, b, m); }},
    operation{"divide", [](auto& a, auto& b, auto&, auto& e) { return divide(a, b, e); },
              [](auto r, auto a, auto b, auto, auto m) { return mpfr_div(r, a, b, m); }},
    operation{"square_root", [](auto& a, auto&, auto&, auto& e) { return square_root(a, e); },
              [](auto r, auto a, auto, auto, auto m) { return mpfr_sqrt(r, a, m); }},
    operation{"multiply_add", [](auto& a, auto& b, auto& c, auto& e) { return multiply_add(a, c, b, e); },
              [](auto r, auto a, auto b, auto c, auto m) { return mpfr_fma(r, a, c, b, m); }},
    operation{"multiply_subtract",
              [](auto& a, auto& b, auto& c, auto& e) { return multiply_subtract(a, c, b, e); },
              [](auto r, auto a, auto b, auto c, auto m) { return mpfr_fms(r, a, c, b, m); }},
};

/// Finite data of a format: anything, neighbours of powers of two, the ends of the range, subnormal numbers, numbers
/// near one with few bits.
class data_source {
public:
    data_source(const format& f, std::uint64_t seed) : f_(f), random_(seed) {}

    uint128 next() {
        const uint128 fraction_mask = (uint128{1} << f_.fraction_bits) - 1;
        const auto highest = static_cast<std::uint64_t>(f_.exponent_mask() - 1);
        const auto one = static_cast<std::uint64_t>(f_.bias());
        uint128 fraction = (uint128{random_()} << 64 | random_()) & fraction_mask;
        std::uint64_t exponent = random_() % (highest + 1);
        switch (random_() % 8) {
        case 0:
            fraction = 0;
            break;
        case 1:
            fraction = random_() % 2 == 0 ? uint128{1} << random_() % f_.fraction_bits : fraction_mask;
            exponent = one - 2 + random_() % 4;
            break;
        case 2:
            exponent = random_() % 2 == 0 ? highest - random_() % 3 : random_() % 3;
            break;
        case 3:
            exponent = 0;
            fraction >>= random_() % static_cast<std::uint64_t>(f_.fraction_bits);
            break;
        case 4:
        case 5:
            exponent = one - static_cast<std::uint64_t>(f_.precision()) / 2 +
                       random_() % static_cast<std::uint64_t>(f_.precision());
            exponent = exponent > highest ? one : exponent;
            break;
        case 6:
            exponent = one - 1 + random_() % 3;
            fraction = fraction >> (f_.fraction_bits - 3) << (f_.fraction_bits - 3);
            break;
        default:
            break;
        }
        const uint128 sign = random_() % 2;
        return sign << (f_.exponent_bits + f_.fraction_bits) | uint128{exponent} << f_.fraction_bits |
               fraction;
    }

private:
    format f_;
    std::mt19937_64 random_;
};

std::string hex(uint128 value) {
    std::string text;
    for (int i = 124; i >= 0; i -= 4) {
        text += "0123456789abcdef"[static_cast<unsigned>(value >> i & 15)];
    }
    return text;
}

struct mode_pair {
    rounding ours;
    mpfr_rnd_t theirs;
};
constexpr std::array modes{mode_pair{rounding::nearest, MPFR_RNDN},
                           mode_pair{rounding::toward_zero, MPFR_RNDZ},
                           mode_pair{rounding::upward, MPFR_RNDU}, mode_pair{rounding::downward, MPFR_RNDD}};

class ieee_against_mpfr : public testing::TestWithParam<format> {
protected:
    void SetUp() override { set_range(-wide_range, wide_range); }
    void TearDown() override { set_range(mpfr_get_emin_min(), mpfr_get_emax_max()); }

    /// What MPFR says of an operation: the result, its status, and its exponent before it met the format's range.
    struct verdict {
        int ternary = 0;
        bool tiny = false;
        bool overflow = false;
    };
    /// With the format's precision and all exponents.
    static verdict unbounded(mpfr_ptr result, const operation& op, mpfr_ptr a, mpfr_ptr b, mpfr_ptr c,
                             mpfr_rnd_t mode, const format& f) {
        verdict v;
        op.theirs(result, a, b, c, MPFR_RNDZ);
        v.tiny = mpfr_regular_p(result) != 0 && mpfr_get_exp(result) - 1 < f.emin();
        v.ternary = op.theirs(result, a, b, c, mode);
        v.overflow = mpfr_regular_p(result) != 0 && mpfr_get_exp(result) - 1 > f.emax();
        return v;
    }
};

std::uint32_t expected_status(const ieee_against_mpfr&, int ternary, int sign) {
    const bool incremented = ternary * sign > 0;
    return ternary == 0 ? 0 : fpscr::xx | fpscr::fi | (incremented ? fpscr::fr : 0);
}

TEST_P(ieee_against_mpfr, arithmetic) {
    const format f = GetParam();
    data_source data(f, 1);
    real a(f.precision());
    real b(f.precision());
    real c(f.precision());
    real expected(f.precision());
    real result(f.precision());
    for (int i = 0; i < 4000; ++i) {
        const std::array bits{data.next(), data.next(), data.next()};
        set(a, bits[0], f);
        set(b, bits[1], f);
        set(c, bits[2], f);
        for (const operation& op : operations) {
            for (const mode_pair& mode : modes) {
                verdict v = unbounded(expected, op, a, b, c, mode.theirs, f);
                if (mpfr_number_p(expected) == 0) {
                    continue;  // division by zero, root of a negative number
                }
                const int sign = mpfr_signbit(expected) != 0 ? -1 : 1;
                if (v.tiny || v.overflow) {
                    set_range(f.emin() - f.precision() + 2, f.emax() + 1);
                    v.ternary = op.theirs(expected, a, b, c, mode.theirs);
                    v.ternary = mpfr_subnormalize(expected, v.ternary, mode.theirs);
                    set_range(-wide_range, wide_range);
                }
                std::uint32_t status = expected_status(*this, v.ternary, sign);
                status |= v.overflow ? fpscr::ox : 0;
                status |= v.tiny && v.ternary != 0 ? fpscr::ux : 0;

                environment e;
                e.mode = mode.ours;
                const number n = round(op.ours(decode(bits[0], f), decode(bits[1], f), decode(bits[2], f), e),
                                       f, e);
                const uint128 encoded = encode(n, f);
                if (n.is == kind::infinity) {
                    mpfr_set_inf(result, n.negative ? -1 : 1);
                } else {
                    set(result, encoded, f);
                }
                ASSERT_TRUE(mpfr_equal_p(result, expected) != 0 &&
                            (mpfr_signbit(result) != 0) == (mpfr_signbit(expected) != 0) &&
                            e.raised == status)
                    << op.name << ' ' << hex(bits[0]) << ' ' << hex(bits[1]) << ' ' << hex(bits[2])
                    << " mode " << static_cast<int>(mode.ours) << ": " << hex(encoded) << " status "
                    << std::hex << e.raised << ", expected " << status;
            }
        }
    }
}

/// With OE and UE the exponent is scaled, and the rounding is that of unbounded exponents.
TEST_P(ieee_against_mpfr, scaled_results_of_enabled_exceptions) {
    const format f = GetParam();
    data_source data(f, 2);
    real a(f.precision());
    real b(f.precision());
    real c(f.precision());
    real expected(f.precision());
    real result(f.precision());
    int met = 0;
    for (int i = 0; i < 20000; ++i) {
        const std::array bits{data.next(), data.next(), data.next()};
        set(a, bits[0], f);
        set(b, bits[1], f);
        set(c, bits[2], f);
        const operation& op = operations.at(static_cast<std::size_t>(i) % operations.size());
        const mode_pair& mode = modes.at(static_cast<std::size_t>(i / 8) % modes.size());
        const verdict v = unbounded(expected, op, a, b, c, mode.theirs, f);
        if (mpfr_number_p(expected) == 0 || (!v.tiny && !v.overflow)) {
            continue;
        }
        ++met;
        mpfr_mul_2si(expected, expected, v.tiny ? f.wrap() : -f.wrap(), MPFR_RNDN);
        environment e;
        e.mode = mode.ours;
        e.enabled = fpscr::oe | fpscr::ue;
        const number n = round(op.ours(decode(bits[0], f), decode(bits[1], f), decode(bits[2], f), e), f, e);
        ASSERT_EQ(n.is, kind::finite);
        ASSERT_EQ(n.exponent, mpfr_get_exp(expected) - 1);
        number here = n;
        here.exponent = 0;
        set(result, encode(here, f), f);
        mpfr_set_exp(expected, 1);
        const std::uint32_t status = expected_status(*this, v.ternary, mpfr_signbit(expected) != 0 ? -1 : 1) |
                                     (v.tiny ? fpscr::ux : fpscr::ox);
        ASSERT_TRUE(mpfr_equal_p(result, expected) != 0 && e.raised == status)
            << op.name << ' ' << hex(bits[0]) << ' ' << hex(bits[1]) << ' ' << hex(bits[2]);
    }
    EXPECT_GT(met, 500);
}

/// Rounding to odd: truncated, and the last bit set when something was lost.
TEST_P(ieee_against_mpfr, rounding_to_odd) {
    const format f = GetParam();
    data_source data(f, 3);
    for (int i = 0; i < 20000; ++i) {
        const number a = decode(data.next(), f);
        const number b = decode(data.next(), f);
        const number c = decode(data.next(), f);
        environment truncates;
        truncates.mode = rounding::toward_zero;
        uint128 expected = encode(round(multiply_add(a, c, b, truncates), f, truncates), f);
        const bool finite = (truncates.raised & fpscr::ox) == 0;
        if (finite && (truncates.raised & fpscr::fi) != 0) {
            expected |= 1;
        }
        environment e;
        e.mode = rounding::to_odd;
        const number exact = multiply_add(a, c, b, e);
        if (exact.is == kind::finite) {
            ASSERT_EQ(hex(encode(round(exact, f, e), f)), hex(expected));
        }
    }
}

TEST_P(ieee_against_mpfr, integers) {
    const format f = GetParam();
    data_source data(f, 4);
    real a(f.precision());
    real whole(f.precision());
    real result(f.precision());
    const auto integral = [](mpfr_ptr to, mpfr_ptr from, rounding mode) {
        return mode == rounding::nearest_away ? mpfr_round(to, from)
               : mode == rounding::nearest    ? mpfr_roundeven(to, from)
               : mode == rounding::upward     ? mpfr_ceil(to, from)
               : mode == rounding::downward   ? mpfr_floor(to, from)
                                              : mpfr_trunc(to, from);
    };
    for (int i = 0; i < 20000; ++i) {
        const uint128 bits = data.next();
        set(a, bits, f);
        for (const rounding mode : {rounding::nearest, rounding::toward_zero, rounding::upward,
                                    rounding::downward, rounding::nearest_away}) {
            const bool inexact = integral(whole, a, mode) != 0;
            environment e;
            e.mode = mode;
            set(result, encode(round_to_integral(decode(bits, f), e), f), f);
            ASSERT_TRUE(mpfr_equal_p(result, whole) != 0 && ((e.raised & fpscr::xx) != 0) == inexact)
                << hex(bits) << " mode " << static_cast<int>(mode);

            environment into;
            into.mode = mode;
            const bool fits = mpfr_fits_sint_p(whole, MPFR_RNDN) != 0;
            const auto word = static_cast<std::int64_t>(to_integer(decode(bits, f), 32, true, into));
            ASSERT_EQ((into.raised & fpscr::vxcvi) == 0, fits);
            if (fits) {
                ASSERT_EQ(word, mpfr_get_si(whole, MPFR_RNDN)) << hex(bits);
            } else {
                ASSERT_EQ(word, mpfr_signbit(a) != 0 ? INT32_MIN : INT32_MAX) << hex(bits);
            }
            environment unsigned_into;
            unsigned_into.mode = mode;
            const bool fits_long = mpfr_fits_ulong_p(whole, MPFR_RNDN) != 0;
            const std::uint64_t doubleword = to_integer(decode(bits, f), 64, false, unsigned_into);
            ASSERT_EQ((unsigned_into.raised & fpscr::vxcvi) == 0, fits_long) << hex(bits);
            ASSERT_EQ(doubleword, fits_long              ? mpfr_get_ui(whole, MPFR_RNDN)
                                  : mpfr_signbit(a) != 0 ? 0
                                                         : UINT64_MAX);
        }
    }
}

/// Every datum goes through number and back.
TEST_P(ieee_against_mpfr, encoding) {
    const format f = GetParam();
    data_source data(f, 5);
    for (int i = 0; i < 20000; ++i) {
        const uint128 bits = data.next();
        ASSERT_EQ(hex(encode(decode(bits, f), f)), hex(bits));
    }
}

/// Conversions between formats: the first rounds into the second.
TEST_P(ieee_against_mpfr, conversion) {
    const format f = GetParam();
    data_source data(f, 6);
    for (const format& to : {binary16, binary32, binary64}) {
        real a(f.precision());
        real expected(to.precision());
        real result(to.precision());
        for (int i = 0; i < 10000; ++i) {
            const uint128 bits = data.next();
            set(a, bits, f);
            for (const mode_pair& mode : modes) {
                set_range(to.emin() - to.precision() + 2, to.emax() + 1);
                int ternary = mpfr_set(expected, a, mode.theirs);
                ternary = mpfr_check_range(expected, ternary, mode.theirs);
                ternary = mpfr_subnormalize(expected, ternary, mode.theirs);
                set_range(-wide_range, wide_range);
                environment e;
                e.mode = mode.ours;
                const number n = round(decode(bits, f), to, e);
                if (n.is == kind::infinity) {
                    mpfr_set_inf(result, n.negative ? -1 : 1);
                } else {
                    set(result, encode(n, to), to);
                }
                ASSERT_TRUE(mpfr_equal_p(result, expected) != 0 &&
                            ((e.raised & fpscr::fi) != 0) == (ternary != 0))
                    << hex(bits) << " mode " << static_cast<int>(mode.ours);
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(formats, ieee_against_mpfr, testing::Values(binary16, binary32, binary64, binary128),
                         [](const testing::TestParamInfo<format>& each) {
                             return "binary" +
                                    std::to_string(1 + each.param.exponent_bits + each.param.fraction_bits);
                         });

// --- What MPFR does not know: NaNs, infinities and zeros (4.4.1, 7.3).

constexpr number quiet{kind::quiet_nan, true, 0, quiet_bit | uint128{5} << 80};
constexpr number other_quiet{kind::quiet_nan, false, 0, quiet_bit | uint128{9} << 80};
constexpr number signaling{kind::signaling_nan, false, 0, uint128{3} << 80};

TEST(ieee_special, the_first_nan_comes_out) {
    const number one = from_unsigned(1);
    environment e;
    EXPECT_EQ(add(one, quiet, e).significand, quiet.significand);
    EXPECT_EQ(add(other_quiet, quiet, e).significand, other_quiet.significand);
    EXPECT_EQ(multiply_add(one, other_quiet, quiet, e).significand, quiet.significand);  // B before C
    EXPECT_EQ(e.raised, 0U);
    const number out = multiply(quiet, signaling, e);
    EXPECT_EQ(out.significand, quiet.significand);
    EXPECT_EQ(e.raised, fpscr::vxsnan);
    EXPECT_EQ(quieted(signaling, e).significand, signaling.significand | quiet_bit);
}

TEST(ieee_special, invalid_operations) {
    const number one = from_unsigned(1);
    const auto raised = [](auto operation) {
        environment e;
        const number n = operation(e);
        EXPECT_EQ(n.significand, default_nan.significand);
        return e.raised;
    };
    EXPECT_EQ(raised([](auto& e) { return add(infinity(false), infinity(true), e); }), fpscr::vxisi);
    EXPECT_EQ(raised([](auto& e) { return subtract(infinity(true), infinity(true), e); }), fpscr::vxisi);
    EXPECT_EQ(raised([](auto& e) { return divide(infinity(false), infinity(true), e); }), fpscr::vxidi);
    EXPECT_EQ(raised([](auto& e) { return divide(zero(false), zero(true), e); }), fpscr::vxzdz);
    EXPECT_EQ(raised([](auto& e) { return multiply(infinity(false), zero(true), e); }), fpscr::vximz);
    EXPECT_EQ(raised([&](auto& e) { return square_root(negated(one), e); }), fpscr::vxsqrt);
    EXPECT_EQ(raised([&](auto& e) { return multiply_add(one, infinity(false), infinity(true), e); }),
              fpscr::vxisi);
    EXPECT_EQ(raised([&](auto& e) { return multiply_add(zero(false), infinity(false), one, e); }),
              fpscr::vximz);
    environment e;
    EXPECT_EQ(divide(one, zero(true), e).is, kind::infinity);
    EXPECT_EQ(e.raised, fpscr::zx);
}

TEST(ieee_special, the_sign_of_an_exact_zero_follows_the_mode) {
    const number one = from_unsigned(1);
    environment down;
    down.mode = rounding::downward;
    environment nearest;
    EXPECT_TRUE(subtract(one, one, down).negative);
    EXPECT_FALSE(subtract(one, one, nearest).negative);
    EXPECT_TRUE(add(zero(true), zero(true), nearest).negative);
    EXPECT_TRUE(add(zero(true), zero(false), down).negative);
    EXPECT_TRUE(multiply_add(one, one, negated(one), down).negative);
}

}  // namespace
}  // namespace pefsim::power::ieee
