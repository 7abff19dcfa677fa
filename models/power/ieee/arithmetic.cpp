// SPDX-License-Identifier: Apache-2.0
#include "power/ieee/arithmetic.h"

#include <algorithm>
#include <utility>

#include "power/ieee/wide.h"

namespace pefsim::power::ieee {
namespace {

using ieee::normalised;

/// The upper 128 bits after normalisation; the rest is gathered in bit 0.
number normalised(bool negative, int exponent, const wide& value) {
    const normalised_magnitude upper = normalised(value);
    return {kind::finite, negative, exponent - upper.shift, upper.significand};
}

number invalid(std::uint32_t why, environment& e) {
    e.raised |= why;
    return default_nan;
}

number quiet(number n) {
    n.is = kind::quiet_nan;
    n.significand |= quiet_bit;
    return n;
}

/// The result of an operation with a NaN among its operands.
number propagate(const number& a, const number& b, environment& e) {
    if (a.is == kind::signaling_nan || b.is == kind::signaling_nan) {
        e.raised |= fpscr::vxsnan;
    }
    return quiet(a.is_nan() ? a : b);
}

number exact_zero(const environment& e) { return zero(e.mode == rounding::downward); }

/// a + b of two finite numbers as magnitudes of one exponent.
template <typename magnitude>
number sum(bool a_negative, const magnitude& a, bool b_negative, const magnitude& b, int exponent,
           const environment& e) {
    if (a_negative == b_negative) {
        return normalised(a_negative, exponent, a + b);
    }
    if (a < b) {
        return normalised(b_negative, exponent, b - a);
    }
    if (b < a) {
        return normalised(a_negative, exponent, a - b);
    }
    return exact_zero(e);
}

number infinite_product(const number& a, const number& c, environment& e) {
    if (a.is == kind::zero || c.is == kind::zero) {
        return invalid(fpscr::vximz, e);
    }
    return infinity(a.negative != c.negative);
}

/// Rounds significand / 2^drop to an integer and reports FR and FI.
uint128 round_at(uint128 significand, int drop, bool negative, environment& e) {
    uint128 kept = drop > 127 ? 0 : significand >> drop;
    uint128 lost = drop == 0 ? 0 : drop > 128 ? 1 : drop == 128 ? significand : significand << (128 - drop);
    if (lost == 0) {
        return kept;
    }
    const bool odd = (kept & 1) != 0;
    bool increment = false;
    switch (e.mode) {
    case rounding::nearest:
        increment = lost > leading_bit || (lost == leading_bit && odd);
        break;
    case rounding::nearest_away:
        increment = lost >= leading_bit;
        break;
    case rounding::toward_zero:
        break;
    case rounding::upward:
        increment = !negative;
        break;
    case rounding::downward:
        increment = negative;
        break;
    case rounding::to_odd:
        increment = !odd;
        break;
    }
    e.raised |= fpscr::fi | (increment ? fpscr::fr : 0);
    return kept + (increment ? 1 : 0);
}

/// What an overflow delivers that is not enabled (4.4.3.2).
number overflowed(bool negative, const format& f, int digits, environment& e) {
    e.raised |= fpscr::ox | fpscr::xx | fpscr::fi;
    e.raised &= ~fpscr::fr;
    const bool to_infinity = e.mode == rounding::nearest || e.mode == rounding::nearest_away ||
                             (e.mode == rounding::upward && !negative) ||
                             (e.mode == rounding::downward && negative);
    if (to_infinity) {
        e.raised |= fpscr::fr;
        return infinity(negative);
    }
    return {kind::finite, negative, f.emax(), ~uint128{0} << (128 - digits)};
}

}  // namespace

number quieted(const number& n, environment& e) { return n.is_nan() ? propagate(n, n, e) : n; }

number add(const number& a, const number& b, environment& e) {
    if (a.is_nan() || b.is_nan()) {
        return propagate(a, b, e);
    }
    if (a.is == kind::infinity || b.is == kind::infinity) {
        if (a.is == b.is && a.negative != b.negative) {
            return invalid(fpscr::vxisi, e);
        }
        return a.is == kind::infinity ? a : b;
    }
    if (a.is == kind::zero || b.is == kind::zero) {
        if (a.is == b.is) {
            return a.negative == b.negative ? a : exact_zero(e);
        }
        return a.is == kind::zero ? b : a;
    }
    const int exponent = std::max(a.exponent, b.exponent);
    // One bit of room for the carry: the lowest bits of a datum are zeros.
    return sum(a.negative, shift_right_jam(a.significand >> 1, exponent - a.exponent), b.negative,
               shift_right_jam(b.significand >> 1, exponent - b.exponent), exponent + 1, e);
}

number subtract(const number& a, const number& b, environment& e) { return add(a, negated(b), e); }

number multiply(const number& a, const number& b, environment& e) {
    if (a.is_nan() || b.is_nan()) {
        return propagate(a, b, e);
    }
    if (a.is == kind::infinity || b.is == kind::infinity) {
        return infinite_product(a, b, e);
    }
    const bool negative = a.negative != b.negative;
    if (a.is == kind::zero || b.is == kind::zero) {
        return zero(negative);
    }
    return normalised(negative, a.exponent + b.exponent + 1, product(a.significand, b.significand));
}

number multiply_add(const number& a, const number& c, const number& b, environment& e) {
    if (a.is_nan() || b.is_nan() || c.is_nan()) {
        if ((a.is == kind::infinity && c.is == kind::zero) ||
            (a.is == kind::zero && c.is == kind::infinity)) {
            e.raised |= fpscr::vximz;
        }
        const number first = propagate(a, b.is_nan() ? b : c, e);
        if (c.is == kind::signaling_nan) {
            e.raised |= fpscr::vxsnan;
        }
        return first;
    }
    if (a.is == kind::infinity || c.is == kind::infinity) {
        const number infinite = infinite_product(a, c, e);
        return infinite.is_nan() ? infinite : add(infinite, b, e);
    }
    const bool negative = a.negative != c.negative;
    if (a.is == kind::zero || c.is == kind::zero) {
        return add(zero(negative), b, e);
    }
    if (b.is == kind::infinity) {
        return b;
    }
    const wide ac = product(a.significand, c.significand);
    const int ac_exponent = a.exponent + c.exponent + 1;
    if (b.is == kind::zero) {
        return normalised(negative, ac_exponent, ac);
    }
    const int exponent = std::max(ac_exponent, b.exponent);
    // One bit of room for the carry: a product of two data has at least 30 zeros at its end.
    return sum(negative, shift_right_jam(ac, exponent - ac_exponent + 1), b.negative,
               shift_right_jam(wide{b.significand, 0}, exponent - b.exponent + 1), exponent + 1, e);
}

number multiply_subtract(const number& a, const number& c, const number& b, environment& e) {
    return multiply_add(a, c, negated(b), e);
}

number divide(const number& a, const number& b, environment& e) {
    if (a.is_nan() || b.is_nan()) {
        return propagate(a, b, e);
    }
    const bool negative = a.negative != b.negative;
    if (a.is == kind::infinity) {
        return b.is == kind::infinity ? invalid(fpscr::vxidi, e) : infinity(negative);
    }
    if (b.is == kind::zero) {
        if (a.is == kind::zero) {
            return invalid(fpscr::vxzdz, e);
        }
        e.raised |= fpscr::zx;
        return infinity(negative);
    }
    if (a.is == kind::zero || b.is == kind::infinity) {
        return zero(negative);
    }
    // One bit of room: the lowest bits of a datum are zeros.
    const with_rest ratio = quotient(a.significand >> 1, b.significand);
    return normalised(negative, a.exponent - b.exponent, ratio.value | (ratio.exact ? 0 : 1));
}

number square_root(const number& a, environment& e) {
    if (a.is_nan()) {
        return quieted(a, e);
    }
    if (a.is == kind::zero) {
        return a;
    }
    if (a.negative) {
        return invalid(fpscr::vxsqrt, e);
    }
    if (a.is == kind::infinity) {
        return a;
    }
    // The radicand is below 4 and the exponent even; the lowest bits of a datum are zeros.
    const bool odd = a.exponent % 2 != 0;
    const with_rest r = root(odd ? a.significand : a.significand >> 1);
    return {kind::finite, false, (a.exponent - (odd ? 1 : 0)) / 2, r.value | (r.exact ? 0 : 1)};
}

number round(const number& n, const format& f, environment& e) { return round_to(n, f, f.precision(), e); }

number round_to(const number& n, const format& f, int digits, environment& e) {
    if (n.is != kind::finite) {
        number same = n;
        same.significand &= ~uint128{0} << (128 - digits);
        return same;
    }
    const bool tiny = n.exponent < f.emin();
    const bool scaled = tiny && (e.enabled & fpscr::ue) != 0;
    const int drop = 128 - digits + (tiny && !scaled ? f.emin() - n.exponent : 0);
    e.raised &= ~(fpscr::fr | fpscr::fi);
    const uint128 kept = round_at(n.significand, drop, n.negative, e);
    const bool inexact = (e.raised & fpscr::fi) != 0;
    e.raised |= (inexact ? fpscr::xx : 0) | (scaled || (tiny && inexact) ? fpscr::ux : 0);
    if (kept == 0) {
        return zero(n.negative);
    }
    // kept counts units of 2^(exponent - 127 + drop)
    number result = normalised(n.negative, n.exponent + drop, kept);
    if (scaled) {
        result.exponent += f.wrap();
    } else if (result.exponent > f.emax()) {
        if ((e.enabled & fpscr::oe) == 0) {
            return overflowed(n.negative, f, digits, e);
        }
        e.raised |= fpscr::ox;
        result.exponent -= f.wrap();
    }
    return result;
}

std::uint8_t compare(const number& a, const number& b) {
    constexpr std::uint8_t less = 8;
    constexpr std::uint8_t greater = 4;
    constexpr std::uint8_t equal = 2;
    constexpr std::uint8_t unordered = 1;
    if (a.is_nan() || b.is_nan()) {
        return unordered;
    }
    if (a.is == kind::zero && b.is == kind::zero) {
        return equal;
    }
    if (a.is == kind::zero) {
        return b.negative ? greater : less;
    }
    if (a.negative != b.negative || b.is == kind::zero) {
        return a.negative ? less : greater;
    }
    bool smaller = false;  // in magnitude
    if (a.is != b.is) {
        smaller = b.is == kind::infinity;
    } else if (a.is == kind::infinity || (a.exponent == b.exponent && a.significand == b.significand)) {
        return equal;
    } else if (a.exponent != b.exponent) {
        smaller = a.exponent < b.exponent;
    } else {
        smaller = a.significand < b.significand;
    }
    return smaller != a.negative ? less : greater;
}

number maximum(const number& a, const number& b, environment& e) {
    if (a.is_nan() || b.is_nan()) {
        if (a.is == kind::signaling_nan || b.is == kind::signaling_nan) {
            return propagate(a, b, e);
        }
        return a.is_nan() && !b.is_nan() ? b : a;
    }
    if (a.is == kind::zero && b.is == kind::zero) {
        return a.negative ? b : a;
    }
    return (compare(a, b) & 8) != 0 ? b : a;
}

number minimum(const number& a, const number& b, environment& e) {
    return negated(maximum(negated(a), negated(b), e));
}

number round_to_integral(const number& n, environment& e) {
    if (n.is != kind::finite) {
        return quieted(n, e);
    }
    if (n.exponent >= 127) {
        return n;
    }
    const uint128 kept = round_at(n.significand, 127 - n.exponent, n.negative, e);
    if ((e.raised & fpscr::fi) != 0) {
        e.raised |= fpscr::xx;
    }
    return kept == 0 ? zero(n.negative) : normalised(n.negative, 127, kept);
}

std::uint64_t to_integer(const number& n, unsigned width, bool is_signed, environment& e) {
    const std::uint64_t ones = ~std::uint64_t{0} >> (64 - width);
    const std::uint64_t most_negative = is_signed ? ~(ones >> 1) : 0;
    const std::uint64_t most_positive = is_signed ? ones >> 1 : ones;
    if (n.is_nan()) {
        e.raised |= fpscr::vxcvi | (n.is == kind::signaling_nan ? fpscr::vxsnan : 0);
        return most_negative;
    }
    if (n.is == kind::zero) {
        return 0;
    }
    const uint128 limit = n.negative ? std::uint64_t{0} - most_negative : most_positive;
    uint128 magnitude = limit + 1;
    environment attempt = e;
    if (n.is == kind::finite && n.exponent < 65) {
        magnitude = round_at(n.significand, 127 - n.exponent, n.negative, attempt);
    }
    if (magnitude > limit) {
        e.raised |= fpscr::vxcvi;
        return n.negative ? most_negative : most_positive;
    }
    e.raised = attempt.raised | ((attempt.raised & fpscr::fi) != 0 ? fpscr::xx : 0);
    const auto value = static_cast<std::uint64_t>(magnitude);
    return n.negative ? std::uint64_t{0} - value : value;
}

number from_signed(std::int64_t value) {
    number n = from_unsigned(value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value)
                                       : static_cast<std::uint64_t>(value));
    n.negative = value < 0;
    return n;
}

number from_unsigned(std::uint64_t value) {
    return value == 0 ? zero(false) : normalised(false, 127, uint128{value});
}

}  // namespace pefsim::power::ieee
