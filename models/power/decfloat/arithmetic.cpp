// SPDX-License-Identifier: Apache-2.0
#include "power/decfloat/arithmetic.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

#include "power/decfloat/bid.h"

namespace pefsim::power::decfloat {
namespace {

/// What an intermediate result has behind its coefficient, as a part of its last digit.
enum class rest : std::uint8_t { none, below_half, half, above_half };

/// A result before it is rounded. One with a rest has as many digits as the library delivers, 34.
struct intermediate {
    bool negative = false;
    int exponent = 0;
    uint128 coefficient = 0;
    rest behind = rest::none;
};

constexpr uint128 power_of_ten(int n) { return powers_of_ten[static_cast<std::size_t>(n)]; }

// --- Rounding (5.5.2)

/// Takes `count` digits from the end of `value`.
void drop_digits(intermediate& value, int count) {
    if (count == 0) {
        return;
    }
    value.exponent += count;
    if (count > digits_of(value.coefficient)) {
        const bool anything = value.coefficient != 0 || value.behind != rest::none;
        value.coefficient = 0;
        value.behind = anything ? rest::below_half : rest::none;
        return;
    }
    const uint128 unit = power_of_ten(count);
    const uint128 dropped = value.coefficient % unit;
    value.coefficient /= unit;
    const bool more = value.behind != rest::none;
    const uint128 half = unit / 2;
    value.behind = dropped == 0 && !more    ? rest::none
                   : dropped < half         ? rest::below_half
                   : dropped > half || more ? rest::above_half
                                            : rest::half;
}

/// True when the next larger magnitude is the one to choose.
bool increments(const intermediate& value, rounding mode) {
    const auto last = static_cast<unsigned>(value.coefficient % 10);
    switch (mode) {
    case rounding::nearest_even:
        return value.behind == rest::above_half || (value.behind == rest::half && last % 2 != 0);
    case rounding::toward_zero:
        return false;
    case rounding::upward:
        return value.behind != rest::none && !value.negative;
    case rounding::downward:
        return value.behind != rest::none && value.negative;
    case rounding::nearest_away:
        return value.behind >= rest::half;
    case rounding::nearest_toward_zero:
        return value.behind == rest::above_half;
    case rounding::away_from_zero:
        return value.behind != rest::none;
    case rounding::for_shorter_precision:
        return value.behind != rest::none && last % 5 == 0;
    }
    return false;
}

/// Takes digits away and rounds to those that stay. A carry may make one digit more than `digits`.
void round_digits(intermediate& value, int count, int digits, environment& e) {
    drop_digits(value, count);
    if (value.behind == rest::none) {
        return;
    }
    e.raised |= fpscr::xx | fpscr::fi;
    if (increments(value, e.mode)) {
        e.raised |= fpscr::fr;
        if (++value.coefficient == power_of_ten(digits)) {
            value.coefficient /= 10;
            ++value.exponent;
        }
    }
    value.behind = rest::none;
}

number finite(const intermediate& value) {
    return {.negative = value.negative, .exponent = value.exponent, .coefficient = value.coefficient};
}

/// The result of an overflow that is not enabled: infinity, or the largest number where rounding never leads away from
/// it.
number overflowed(bool negative, const format& target, environment& e) {
    e.raised |= fpscr::ox | fpscr::xx | fpscr::fi;
    const bool to_largest = e.mode == rounding::toward_zero || e.mode == rounding::for_shorter_precision ||
                            (e.mode == rounding::upward && negative) ||
                            (e.mode == rounding::downward && !negative);
    if (to_largest) {
        return {.negative = negative,
                .exponent = target.largest_exponent,
                .coefficient = target.largest_coefficient()};
    }
    return {.what = kind::infinity, .negative = negative};
}

/// Rounds to the target's precision and range (5.5.10.3 to 5.5.10.5).
number rounded(intermediate value, const format& target, const wrap& when_enabled, environment& e) {
    if (value.coefficient == 0) {  // exactly zero
        value.exponent = std::clamp(value.exponent, target.smallest_exponent(), target.largest_exponent);
        return finite(value);
    }
    const int digits = digits_of(value.coefficient);
    const format* range = &target;
    bool tiny = value.exponent + digits - 1 < target.emin();
    if (tiny && (e.enabled & fpscr::ue) != 0) {
        e.raised |= fpscr::ux;
        value.exponent += when_enabled.adjustment;
        range = &when_enabled.range;
        tiny = false;
    }
    const int too_many = std::max({digits - target.digits, range->smallest_exponent() - value.exponent, 0});
    round_digits(value, too_many, target.digits, e);
    if (tiny && (e.raised & fpscr::fi) != 0) {
        e.raised |= fpscr::ux;
    }
    if (value.exponent + digits_of(value.coefficient) - 1 > range->emax()) {
        if ((e.enabled & fpscr::oe) == 0) {
            return overflowed(value.negative, target, e);
        }
        e.raised |= fpscr::ox;
        value.exponent -= when_enabled.adjustment;
        range = &when_enabled.range;
    }
    if (const int pad = value.exponent - range->largest_exponent; pad > 0 && value.coefficient != 0) {
        value.coefficient *= power_of_ten(pad);
        value.exponent -= pad;
    }
    return finite(value);
}

// --- Intermediate results, from the library

rest compare_to_half(const BID_UINT128& value, const BID_UINT128& half) {
    unsigned flags = 0;
    if (bid128_quiet_less(value, half, &flags) != 0) {
        return rest::below_half;
    }
    return bid128_quiet_equal(value, half, &flags) != 0 ? rest::half : rest::above_half;
}

BID_UINT128 magnitude(const BID_UINT128& value) {
    return {{value.w[0], value.w[1] & ~(BID_UINT64{1} << 63)}};
}
BID_UINT128 negated(const BID_UINT128& value) { return {{value.w[0], value.w[1] ^ BID_UINT64{1} << 63}}; }

intermediate with_rest(const BID_UINT128& truncated, int exponent, rest behind) {
    const number value = from_bid(truncated);
    return {value.negative, value.exponent + exponent, value.coefficient, behind};
}

/// Half of the last digit's unit.
BID_UINT128 half_unit(const BID_UINT128& of) { return to_bid(false, 5, from_bid(of).exponent - 1); }

/// x + y. Exponents are taken relative to one another, so that the library never meets the ends of its range; numbers
/// that are further apart than any digit reaches are moved together.
intermediate sum_of(number x, number y) {
    if (x.exponent < y.exponent) {
        std::swap(x, y);
    }
    if (x.zero()) {
        return {y.negative, y.exponent, y.coefficient};
    }
    constexpr int beyond_digits = 2 * 34 + 2;
    const int distance = std::min(x.exponent - y.exponent, beyond_digits);
    const int base = x.exponent - distance;
    const BID_UINT128 a = to_bid(x.negative, x.coefficient, distance);
    const BID_UINT128 b = to_bid(y.negative, y.coefficient, 0);
    unsigned flags = 0;
    const BID_UINT128 sum = bid128_add(a, b, BID_ROUNDING_TO_ZERO, &flags);
    if ((flags & BID_INEXACT_EXCEPTION) == 0) {
        return with_rest(sum, base, rest::none);
    }
    // a - sum is exact, and so is what stays, unless it is far above the half.
    const BID_UINT128 part = bid128_add(a, negated(sum), BID_ROUNDING_TO_ZERO, &flags);
    const BID_UINT128 stays = bid128_add(part, b, BID_ROUNDING_TO_ZERO, &flags);
    return with_rest(sum, base, compare_to_half(magnitude(stays), half_unit(sum)));
}

intermediate product_of(const number& x, const number& y) {
    const BID_UINT128 a = to_bid(x.negative, x.coefficient, 0);
    const BID_UINT128 b = to_bid(y.negative, y.coefficient, 0);
    unsigned flags = 0;
    const BID_UINT128 product = bid128_mul(a, b, BID_ROUNDING_TO_ZERO, &flags);
    if ((flags & BID_INEXACT_EXCEPTION) == 0) {
        return with_rest(product, x.exponent + y.exponent, rest::none);
    }
    const BID_UINT128 stays = bid128_fma(a, b, negated(product), BID_ROUNDING_TO_ZERO, &flags);  // exact
    return with_rest(product, x.exponent + y.exponent, compare_to_half(magnitude(stays), half_unit(product)));
}

intermediate quotient_of(const number& x, const number& y) {
    const BID_UINT128 a = to_bid(x.negative, x.coefficient, 0);
    const BID_UINT128 b = to_bid(y.negative, y.coefficient, 0);
    unsigned flags = 0;
    const BID_UINT128 quotient = bid128_div(a, b, BID_ROUNDING_TO_ZERO, &flags);
    if ((flags & BID_INEXACT_EXCEPTION) == 0) {
        return with_rest(quotient, x.exponent - y.exponent, rest::none);
    }
    // The remainder is exact; twice of it against the divisor, in units of the quotient's last digit.
    const BID_UINT128 remainder = magnitude(
        bid128_fma(negated(quotient), b, a, BID_ROUNDING_TO_ZERO, &flags));
    const BID_UINT128 twice = bid128_add(remainder, remainder, BID_ROUNDING_TO_ZERO, &flags);
    const BID_UINT128 divisor = to_bid(false, y.coefficient, from_bid(quotient).exponent);
    return with_rest(quotient, x.exponent - y.exponent, compare_to_half(twice, divisor));
}

// --- What is no number

number infinity(bool negative) { return {.what = kind::infinity, .negative = negative}; }

number add_signed(const number& a, number b, bool negates, const format& target, environment& e) {
    if (a.nan() || b.nan()) {
        return propagated(a, b, e);
    }
    b.negative = b.negative != negates;
    if (a.infinite() && b.infinite() && a.negative != b.negative) {
        return invalid(fpscr::vxisi, e);
    }
    if (a.infinite() || b.infinite()) {
        return infinity(a.infinite() ? a.negative : b.negative);
    }
    intermediate sum = sum_of(a, b);
    if (sum.coefficient == 0) {
        sum.negative = a.negative == b.negative ? a.negative : e.mode == rounding::downward;
    }
    return rounded(sum, target, wrap_of(target), e);
}

}  // namespace

wrap wrap_of(const format& target) { return {target.digits == long_format.digits ? 576 : 9216, target}; }

number invalid(std::uint32_t why, environment& e) {
    e.raised |= why;
    return default_nan;
}

number propagated(const number& a, const number& b, environment& e) {
    return quieted(a.signalling() ? a : b.signalling() ? b : a.nan() ? a : b, e);
}

number quieted(number nan, environment& e) {
    if (nan.signalling()) {
        e.raised |= fpscr::vxsnan;
        nan.what = kind::quiet_nan;
    }
    return nan;
}

number add(const number& a, const number& b, const format& target, environment& e) {
    return add_signed(a, b, false, target, e);
}
number subtract(const number& a, const number& b, const format& target, environment& e) {
    return add_signed(a, b, true, target, e);
}

number multiply(const number& a, const number& b, const format& target, environment& e) {
    if (a.nan() || b.nan()) {
        return propagated(a, b, e);
    }
    if ((a.infinite() && b.zero()) || (a.zero() && b.infinite())) {
        return invalid(fpscr::vximz, e);
    }
    const bool negative = a.negative != b.negative;
    if (a.infinite() || b.infinite()) {
        return infinity(negative);
    }
    intermediate product = product_of(a, b);
    product.negative = negative;
    return rounded(product, target, wrap_of(target), e);
}

number divide(const number& a, const number& b, const format& target, environment& e) {
    if (a.nan() || b.nan()) {
        return propagated(a, b, e);
    }
    if (a.infinite() && b.infinite()) {
        return invalid(fpscr::vxidi, e);
    }
    if (a.zero() && b.zero()) {
        return invalid(fpscr::vxzdz, e);
    }
    const bool negative = a.negative != b.negative;
    if (a.infinite()) {
        return infinity(negative);
    }
    if (b.infinite()) {
        return {.negative = negative, .exponent = target.smallest_exponent()};
    }
    if (b.zero()) {
        e.raised |= fpscr::zx;
        return infinity(negative);
    }
    intermediate quotient = quotient_of(a, b);
    quotient.negative = negative;
    return rounded(quotient, target, wrap_of(target), e);
}

number round_to(const number& value, const format& target, const wrap& when_enabled, environment& e) {
    return rounded({value.negative, value.exponent, value.coefficient}, target, when_enabled, e);
}

number quantize(const number& value, int exponent, const format& in, environment& e) {
    intermediate result{value.negative, value.exponent, value.coefficient};
    const int digits = digits_of(value.coefficient);
    const int pad = value.exponent - exponent;
    if (digits == 0) {
        result.exponent = exponent;
    } else if (pad <= 0) {
        round_digits(result, -pad, in.digits, e);
    } else if (digits + pad > in.digits) {
        return invalid(fpscr::vxcvi, e);
    } else {
        result.coefficient *= power_of_ten(pad);
        result.exponent = exponent;
    }
    return finite(result);
}

number reround(const number& value, int digits, const format& in, environment& e) {
    const int has = digits_of(value.coefficient);
    if (digits == 0 || has <= digits) {
        return value;
    }
    intermediate result{value.negative, value.exponent, value.coefficient};
    environment rounding_only = e;
    round_digits(result, has - digits, digits, rounding_only);
    if (result.exponent > in.largest_exponent) {
        return invalid(fpscr::vxcvi, e);
    }
    e = rounding_only;
    return finite(result);
}

number round_to_integer(const number& value, environment& e) {
    return value.exponent >= 0 ? value : quantize(value, 0, extended_format, e);
}

std::int64_t to_integer(const number& value, environment& e) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    if (value.nan()) {
        e.raised |= value.signalling() ? fpscr::vxsnan | fpscr::vxcvi : fpscr::vxcvi;
        return least;
    }
    environment rounding_only = e;
    const number integer = value.infinite() ? value : round_to_integer(value, rounding_only);
    constexpr int most_digits = 19;
    const uint128 limit = static_cast<uint128>(most) + (value.negative ? 1 : 0);
    const bool fits = integer.finite() &&
                      (integer.coefficient == 0 ||
                       (digits_of(integer.coefficient) + integer.exponent <= most_digits &&
                        integer.coefficient * power_of_ten(integer.exponent) <= limit));
    if (!fits) {
        e.raised |= fpscr::vxcvi;
        return value.negative ? least : most;
    }
    e = rounding_only;
    const auto size = integer.coefficient == 0
                          ? 0
                          : static_cast<std::uint64_t>(integer.coefficient * power_of_ten(integer.exponent));
    return static_cast<std::int64_t>(value.negative ? -size : size);
}

int compare(const number& a, const number& b) {
    const auto bid_of = [](const number& value) {
        return value.infinite() ? BID_UINT128{{0, BID_UINT64{value.negative} << 63 | 0x7800'0000'0000'0000}}
                                : to_bid(value.negative, value.coefficient, value.exponent);
    };
    unsigned flags = 0;
    if (bid128_quiet_less(bid_of(a), bid_of(b), &flags) != 0) {
        return -1;
    }
    return bid128_quiet_equal(bid_of(a), bid_of(b), &flags) != 0 ? 0 : 1;
}

}  // namespace pefsim::power::decfloat
