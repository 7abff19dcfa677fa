// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/decfloat/number.h"
#include "power/ieee/environment.h"

namespace pefsim::power::decfloat {

namespace fpscr = ieee::fpscr;

/// The values of FPSCR[DRN] (Power ISA 3.0B Book I 5.5.2).
enum class rounding : std::uint8_t {
    nearest_even,
    toward_zero,
    upward,
    downward,
    nearest_away,
    nearest_toward_zero,
    away_from_zero,
    for_shorter_precision,  ///< away from zero when the last digit is 0 or 5: may be rounded again
};

/// What an operation depends on besides its operands, and what it reports.
struct environment {
    rounding mode = rounding::nearest_even;
    std::uint32_t enabled = 0;  ///< fpscr::enables
    std::uint32_t raised = 0;   ///< fpscr::exceptions, fr and fi

    constexpr environment() = default;
    constexpr explicit environment(std::uint64_t status)
        : mode(static_cast<rounding>(status >> 32 & 7)),
          enabled(static_cast<std::uint32_t>(status) & fpscr::enables) {}
};

// Arithmetic (5.6.1): results are rounded to `target`, NaNs are quieted and passed on, the first operand's first.
number add(const number& a, const number& b, const format& target, environment& e);
number subtract(const number& a, const number& b, const format& target, environment& e);
number multiply(const number& a, const number& b, const format& target, environment& e);
number divide(const number& a, const number& b, const format& target, environment& e);

/// What an enabled overflow or underflow does to the exponent (5.5.10.3, 5.5.10.4), and the format whose range the
/// result then has.
struct wrap {
    int adjustment;
    const format& range;
};
wrap wrap_of(const format& target);
inline constexpr wrap wrap_of_long_to_short{192, long_format};
inline constexpr wrap wrap_of_extended_to_long{3072, extended_format};

/// A finite number rounded to a format.
number round_to(const number& value, const format& target, const wrap& when_enabled, environment& e);

/// `value` with the given exponent (5.6.4): invalid when it has too many digits for that.
number quantize(const number& value, int exponent, const format& in, environment& e);
/// `value` rounded to at most `digits` digits; 0 digits: as it is.
number reround(const number& value, int digits, const format& in, environment& e);
/// `value` rounded to an integer. Inexactness is in `e`.
number round_to_integer(const number& value, environment& e);

/// `value` rounded to a signed doubleword; the nearest one when it does not fit.
std::int64_t to_integer(const number& value, environment& e);

/// -1, 0 or 1. Of finite numbers and infinities.
int compare(const number& a, const number& b);

/// The NaN that an operation with one delivers: a signalling one goes before a quiet one, the first before the second.
number propagated(const number& a, const number& b, environment& e);
/// The default NaN, for the reason `why`.
number invalid(std::uint32_t why, environment& e);
/// A NaN with its signal taken away, which is reported.
number quieted(number nan, environment& e);

}  // namespace pefsim::power::decfloat
