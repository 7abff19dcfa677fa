// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bid_conf.h>

#include <bid_functions.h>

#include "power/decfloat/number.h"

/// Finite numbers in the binary encoding that Intel's library computes with. For the library's callers only: its
/// headers define a thousand macros.
namespace pefsim::power::decfloat {

inline constexpr int bid_bias = extended_format.bias;
inline constexpr unsigned bid_exponent_shift = 113;

/// coefficient < 10^34; the exponent in decimal128's range.
inline BID_UINT128 to_bid(bool negative, uint128 coefficient, int exponent) {
    const uint128 word = static_cast<uint128>(negative) << 127 |
                         static_cast<uint128>(static_cast<unsigned>(exponent + bid_bias))
                             << bid_exponent_shift |
                         coefficient;
    return {{static_cast<BID_UINT64>(word), static_cast<BID_UINT64>(word >> 64)}};
}

inline number from_bid(const BID_UINT128& bid) {
    const uint128 word = static_cast<uint128>(bid.w[1]) << 64 | bid.w[0];
    return {.negative = (word >> 127) != 0,
            .exponent = static_cast<int>(word >> bid_exponent_shift & 0x3fff) - bid_bias,
            .coefficient = word & ((uint128{1} << bid_exponent_shift) - 1)};
}

}  // namespace pefsim::power::decfloat
