// SPDX-License-Identifier: Apache-2.0
#include "power/decfloat/number.h"

#include "power/decfloat/bid.h"

namespace pefsim::power::decfloat {
namespace {

/// How the library converts one width: a finite number of it, in densely packed digits, to decimal128 and back.
struct short_width {
    using word = std::uint32_t;
    static constexpr unsigned bits = 32;
    static constexpr unsigned trailing = 20;
    static BID_UINT128 unpack(word dpd) {
        unsigned flags = 0;
        return bid32_to_bid128(bid_dpd_to_bid32(dpd), &flags);
    }
    static word pack(const BID_UINT128& bid) {
        unsigned flags = 0;
        return bid_to_dpd32(bid128_to_bid32(bid, BID_ROUNDING_TO_ZERO, &flags));
    }
};
struct long_width {
    using word = std::uint64_t;
    static constexpr unsigned bits = 64;
    static constexpr unsigned trailing = 50;
    static BID_UINT128 unpack(word dpd) {
        unsigned flags = 0;
        return bid64_to_bid128(bid_dpd_to_bid64(dpd), &flags);
    }
    static word pack(const BID_UINT128& bid) {
        unsigned flags = 0;
        return bid_to_dpd64(bid128_to_bid64(bid, BID_ROUNDING_TO_ZERO, &flags));
    }
};
struct extended_width {
    using word = uint128;
    static constexpr unsigned bits = 128;
    static constexpr unsigned trailing = 110;
    static BID_UINT128 unpack(word dpd) {
        return bid_dpd_to_bid128({{static_cast<BID_UINT64>(dpd), static_cast<BID_UINT64>(dpd >> 64)}});
    }
    static word pack(const BID_UINT128& bid) {
        const BID_UINT128 dpd = bid_to_dpd128(bid);
        return static_cast<uint128>(dpd.w[1]) << 64 | dpd.w[0];
    }
};

/// The five bits behind the sign, and the one behind them, tell what is no number (5.4.2).
constexpr unsigned infinity_code = 0b11110;
constexpr unsigned nan_code = 0b11111;

template <typename width>
constexpr typename width::word trailing_mask = (typename width::word{1} << width::trailing) - 1;

template <typename width>
number decode(typename width::word dpd) {
    const auto code = static_cast<unsigned>(dpd >> (width::bits - 6) & 0b11111);
    if (code < infinity_code) {
        return from_bid(width::unpack(dpd));
    }
    number value = from_bid(width::unpack(dpd & trailing_mask<width>));  // the digits behind, as a number
    value.negative = (dpd >> (width::bits - 1)) != 0;
    value.exponent = 0;
    const bool signals = (dpd >> (width::bits - 7) & 1) != 0;
    value.what = code == infinity_code ? kind::infinity : signals ? kind::signalling_nan : kind::quiet_nan;
    return value;
}

template <typename width>
typename width::word encode(const number& value) {
    using word = typename width::word;
    if (value.finite()) {
        return width::pack(to_bid(value.negative, value.coefficient, value.exponent));
    }
    constexpr int places = width::trailing / 10 * 3;
    const uint128 payload = value.coefficient % powers_of_ten[places];
    const word digits = width::pack(to_bid(false, payload, 0)) & trailing_mask<width>;
    const word code = value.infinite() ? infinity_code << 1 : nan_code << 1 | (value.signalling() ? 1 : 0);
    return static_cast<word>(word{value.negative} << (width::bits - 1) | code << (width::bits - 7) | digits);
}

}  // namespace

number decode_short(std::uint32_t dpd) { return decode<short_width>(dpd); }
number decode_long(std::uint64_t dpd) { return decode<long_width>(dpd); }
number decode_extended(uint128 dpd) { return decode<extended_width>(dpd); }

std::uint32_t encode_short(const number& value) { return encode<short_width>(value); }
std::uint64_t encode_long(const number& value) { return encode<long_width>(value); }
uint128 encode_extended(const number& value) { return encode<extended_width>(value); }

std::uint32_t class_of(const number& value, const format& in) {
    switch (value.what) {
    case kind::signalling_nan:
        return 0b00001;
    case kind::quiet_nan:
        return 0b10001;
    case kind::infinity:
        return value.negative ? 0b01001 : 0b00101;
    case kind::finite:
        break;
    }
    if (value.zero()) {
        return value.negative ? 0b10010 : 0b00010;
    }
    const bool subnormal = value.exponent + digits_of(value.coefficient) - 1 < in.emin();
    if (subnormal) {
        return value.negative ? 0b11000 : 0b10100;
    }
    return value.negative ? 0b01000 : 0b00100;
}

}  // namespace pefsim::power::decfloat
