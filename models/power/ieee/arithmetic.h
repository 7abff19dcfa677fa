// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/ieee/environment.h"
#include "power/ieee/number.h"

namespace pefsim::power::ieee {

// Results are exact, except that whatever lies below bit 0 of the significand is gathered in bit 0: at least 13 bits
// below the precision of any format, so that round() rounds once and rightly. NaN operands give the first NaN in the
// order of the parameters, quiet; the sign of an exact zero sum follows the rounding mode.

number add(const number& a, const number& b, environment& e);
number subtract(const number& a, const number& b, environment& e);
number multiply(const number& a, const number& b, environment& e);
number divide(const number& a, const number& b, environment& e);
number square_root(const number& a, environment& e);
/// a * c + b; the NaN of b comes before that of c.
number multiply_add(const number& a, const number& c, const number& b, environment& e);
/// a * c - b.
number multiply_subtract(const number& a, const number& c, const number& b, environment& e);

/// The sign changed, but for a NaN.
constexpr number negated(number n) {
    n.negative = n.negative != !n.is_nan();
    return n;
}
/// A signaling NaN made quiet, and reported.
number quieted(const number& n, environment& e);

/// The number that `f` has for `n`, with overflow, underflow, inexact, FR and FI. With OE or UE the exponent is scaled
/// instead (4.4.3.2, 4.4.4.2), and may then lie outside of `f`. A NaN's fraction is cut to what `f` has.
number round(const number& n, const format& f, environment& e);
/// The same for a precision of `digits` bits within the exponent range of `f`.
number round_to(const number& n, const format& f, int digits, environment& e);

/// CR field of a comparison: LT 8, GT 4, EQ 2, unordered 1. Raises nothing.
std::uint8_t compare(const number& a, const number& b);

/// The larger or smaller operand; a number before a quiet NaN, a signaling NaN before all; -0 is below +0.
number maximum(const number& a, const number& b, environment& e);
number minimum(const number& a, const number& b, environment& e);

/// `n` as an integral number. Raises inexact, FR and FI; VXSNAN.
number round_to_integral(const number& n, environment& e);

/// `n` as an integer of `width` bits, in two's complement, extended to 64 bits by its sign when it has one. What does
/// not fit raises VXCVI and gives the nearest that does; a NaN the most negative, or 0 of an unsigned integer
/// (4.4.1.2).
std::uint64_t to_integer(const number& n, unsigned width, bool is_signed, environment& e);
number from_signed(std::int64_t value);
number from_unsigned(std::uint64_t value);

}  // namespace pefsim::power::ieee
