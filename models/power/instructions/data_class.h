// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "power/ieee/number.h"

namespace pefsim::power::isa {

/// True when `n` belongs to a class that DCMX names: NaN, +inf, -inf, +0, -0, +denormal, -denormal from the left (Power
/// ISA 3.0B Book I 7.6.3, "Test Data Class"). Below 2^emin a number is denormal.
constexpr bool in_class(const ieee::number& n, int emin, unsigned dcmx) {
    const unsigned negative = n.negative ? 1 : 0;
    switch (n.is) {
    case ieee::kind::infinity:
        return (dcmx >> (5 - negative) & 1) != 0;
    case ieee::kind::zero:
        return (dcmx >> (3 - negative) & 1) != 0;
    case ieee::kind::finite:
        return n.exponent < emin && (dcmx >> (1 - negative) & 1) != 0;
    default:
        return (dcmx >> 6 & 1) != 0;
    }
}

}  // namespace pefsim::power::isa
