// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstdint>
#include <type_traits>

#include "power/engine/core.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/vector_arithmetic.h"

namespace pefsim::power::isa {
namespace {

// Elements of 64 and 32 bits share a doubleword: the narrow one is its left word, and a narrow result stands in both.
// Of words and halfwords, the halfword is the right one, and the rest of the word becomes zero.

constexpr u64 in_both_words(u64 word) { return word << 32 | (word & 0xffff'ffff); }

template <typename T, typename Datum>
constexpr unsigned place = sizeof(T) == 8 && sizeof(Datum) == 4 ? 32 : 0;
template <typename Datum>
constexpr ieee::format format_named = sizeof(Datum) == 8   ? ieee::binary64
                                      : sizeof(Datum) == 4 ? ieee::binary32
                                                           : ieee::binary16;
using half = std::uint16_t;  // binary16 has no type of the host

template <typename T, typename Result>
constexpr T stored(u64 bits) {
    return static_cast<T>(place<T, Result> != 0 ? in_both_words(bits) : bits);
}

// --- The same conversions for all operands, rounding modes and enables, and on the host

template <typename T, typename From>
ieee::number number_in(T element) {
    return ieee::decode(element >> place<T, From>, format_named<From>);
}
template <typename T, typename To>
T exactly_stored(const ieee::number& exact, ieee::environment& e) {
    const ieee::format f = format_named<To>;
    return stored<T, To>(static_cast<u64>(ieee::encode(ieee::round(exact, f, e), f)));
}
template <typename T, typename From>
From datum_in(T element) {
    using bits = std::conditional_t<sizeof(From) == 8, u64, std::conditional_t<sizeof(From) == 4, u32, half>>;
    return std::bit_cast<From>(static_cast<bits>(element >> place<T, From>));
}
template <typename T, typename To>
ieee::host::converted<T> quickly_stored(const ieee::host::converted<To>& result) {
    using bits = std::conditional_t<sizeof(To) == 8, u64, std::conditional_t<sizeof(To) == 4, u32, half>>;
    return {stored<T, To>(std::bit_cast<bits>(result.value)), result.inexact, result.good};
}

/// Between formats.
template <typename T, typename From, typename To>
T reformatted_exactly(T element, ieee::environment& e) {
    return exactly_stored<T, To>(ieee::quieted(number_in<T, From>(element), e), e);
}
template <typename T, typename From, typename To>
ieee::host::converted<T> reformatted(T element) {
    const auto from = datum_in<T, From>(element);
    if constexpr (sizeof(To) > sizeof(From)) {
        return quickly_stored<T>(ieee::host::widened(from));
    } else if constexpr (sizeof(To) == sizeof(half)) {
        return quickly_stored<T>(ieee::host::narrowed_to_half(from));
    } else {
        return quickly_stored<T>(ieee::host::narrowed(from));
    }
}
template <typename T, typename From, typename To>
constexpr selector reformat =
    when_available<facility::vsx, map_quickly<T, reformatted<T, From, To>, reformatted_exactly<T, From, To>>>;

/// Truncated to an integer.
template <typename T, typename From, typename Integer>
T truncated_exactly(T element, ieee::environment& e) {
    e.mode = ieee::rounding::toward_zero;
    return stored<T, Integer>(
        ieee::to_integer(number_in<T, From>(element), 8 * sizeof(Integer), std::is_signed_v<Integer>, e));
}
template <typename T, typename From, typename Integer>
ieee::host::converted<T> truncated(T element) {
    return quickly_stored<T>(ieee::host::truncated<Integer>(datum_in<T, From>(element)));
}
template <typename T, typename From, typename Integer>
constexpr selector truncate = when_available<
    facility::vsx, map_quickly<T, truncated<T, From, Integer>, truncated_exactly<T, From, Integer>>>;

/// An integer as a number.
template <typename T, typename Integer, typename To>
T from_integer_exactly(T element, ieee::environment& e) {
    const auto value = datum_in<T, Integer>(element);
    return exactly_stored<T, To>(std::is_signed_v<Integer>
                                     ? ieee::from_signed(static_cast<std::int64_t>(value))
                                     : ieee::from_unsigned(static_cast<u64>(value)),
                                 e);
}
template <typename T, typename Integer, typename To>
ieee::host::converted<T> from_integer_quickly(T element) {
    return quickly_stored<T>(ieee::host::from_integer<To>(datum_in<T, Integer>(element)));
}
template <typename T, typename Integer, typename To>
constexpr selector from_integer =
    when_available<facility::vsx, map_quickly<T, from_integer_quickly<T, Integer, To>,
                                              from_integer_exactly<T, Integer, To>>>;

/// To an integral number, without inexact but where the current mode rounds: then `signals`.
template <typename T, ieee::rounding mode, bool signals>
T integral_exactly(T element, ieee::environment& e) {
    ieee::environment here = e;
    if constexpr (!signals) {
        here.mode = mode;
    }
    const ieee::number n = ieee::round_to_integral(ieee::decode(element, format_of<T>), here);
    e.raised |= here.raised & (signals ? ~u32{0} : fpscr::vxsnan);
    return encoded<T>(n);
}
template <typename T, ieee::rounding mode, bool signals>
ieee::host::converted<T> integral(T element) {
    const auto result = ieee::host::to_integral<mode>(as_float(element));
    return {std::bit_cast<T>(result.value), signals && result.inexact, result.good};
}
template <typename T, ieee::rounding mode, bool signals = false>
constexpr selector round_to_integral = when_available<
    facility::vsx, map_quickly<T, integral<T, mode, signals>, integral_exactly<T, mode, signals>>>;
/// As FPSCR[RN] says: to nearest, where the host does it.
template <typename T>
constexpr selector round_as_fpscr = round_to_integral<T, ieee::rounding::nearest, true>;

using enum operand;
using enum facility;
using enum instruction_class;

/// Vector conversion and rounding of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction_row rows[] = {
    // Conversion and rounding
    {"xvcvdpsp",    xx2_form(60, 393),      {xt, xb},        plain, vsx,        convert, reformat<u64, double, float>},
    {"xvcvspdp",    xx2_form(60, 457),      {xt, xb},        plain, vsx,        convert, reformat<u64, float, double>},
    {"xvcvhpsp",    xx2_form(60, 475).eo(24), {xt, xb},      plain, vsx,        convert, reformat<u32, half, float>},
    {"xvcvsphp",    xx2_form(60, 475).eo(25), {xt, xb},      plain, vsx,        convert, reformat<u32, float, half>},
    {"xvcvdpsxds",  xx2_form(60, 472),      {xt, xb},        plain, vsx,        convert, truncate<u64, double, i64>},
    {"xvcvdpsxws",  xx2_form(60, 216),      {xt, xb},        plain, vsx,        convert, truncate<u64, double, i32>},
    {"xvcvdpuxds",  xx2_form(60, 456),      {xt, xb},        plain, vsx,        convert, truncate<u64, double, u64>},
    {"xvcvdpuxws",  xx2_form(60, 200),      {xt, xb},        plain, vsx,        convert, truncate<u64, double, u32>},
    {"xvcvspsxds",  xx2_form(60, 408),      {xt, xb},        plain, vsx,        convert, truncate<u64, float, i64>},
    {"xvcvspsxws",  xx2_form(60, 152),      {xt, xb},        plain, vsx,        convert, truncate<u32, float, i32>},
    {"xvcvspuxds",  xx2_form(60, 392),      {xt, xb},        plain, vsx,        convert, truncate<u64, float, u64>},
    {"xvcvspuxws",  xx2_form(60, 136),      {xt, xb},        plain, vsx,        convert, truncate<u32, float, u32>},
    {"xvcvsxddp",   xx2_form(60, 504),      {xt, xb},        plain, vsx,        convert, from_integer<u64, i64, double>},
    {"xvcvsxdsp",   xx2_form(60, 440),      {xt, xb},        plain, vsx,        convert, from_integer<u64, i64, float>},
    {"xvcvsxwdp",   xx2_form(60, 248),      {xt, xb},        plain, vsx,        convert, from_integer<u64, i32, double>},
    {"xvcvsxwsp",   xx2_form(60, 184),      {xt, xb},        plain, vsx,        convert, from_integer<u32, i32, float>},
    {"xvcvuxddp",   xx2_form(60, 488),      {xt, xb},        plain, vsx,        convert, from_integer<u64, u64, double>},
    {"xvcvuxdsp",   xx2_form(60, 424),      {xt, xb},        plain, vsx,        convert, from_integer<u64, u64, float>},
    {"xvcvuxwdp",   xx2_form(60, 232),      {xt, xb},        plain, vsx,        convert, from_integer<u64, u32, double>},
    {"xvcvuxwsp",   xx2_form(60, 168),      {xt, xb},        plain, vsx,        convert, from_integer<u32, u32, float>},
    {"xvrdpi",      xx2_form(60, 201),      {xt, xb},        plain, vsx,        round, round_to_integral<u64, ieee::rounding::nearest_away>},
    {"xvrdpic",     xx2_form(60, 235),      {xt, xb},        plain, vsx,        round, round_as_fpscr<u64>},
    {"xvrdpim",     xx2_form(60, 249),      {xt, xb},        plain, vsx,        round, round_to_integral<u64, ieee::rounding::downward>},
    {"xvrdpip",     xx2_form(60, 233),      {xt, xb},        plain, vsx,        round, round_to_integral<u64, ieee::rounding::upward>},
    {"xvrdpiz",     xx2_form(60, 217),      {xt, xb},        plain, vsx,        round, round_to_integral<u64, ieee::rounding::toward_zero>},
    {"xvrspi",      xx2_form(60, 137),      {xt, xb},        plain, vsx,        round, round_to_integral<u32, ieee::rounding::nearest_away>},
    {"xvrspic",     xx2_form(60, 171),      {xt, xb},        plain, vsx,        round, round_as_fpscr<u32>},
    {"xvrspim",     xx2_form(60, 185),      {xt, xb},        plain, vsx,        round, round_to_integral<u32, ieee::rounding::downward>},
    {"xvrspip",     xx2_form(60, 169),      {xt, xb},        plain, vsx,        round, round_to_integral<u32, ieee::rounding::upward>},
    {"xvrspiz",     xx2_form(60, 153),      {xt, xb},        plain, vsx,        round, round_to_integral<u32, ieee::rounding::toward_zero>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vsx_vector_convert_rows() { return rows; }

}  // namespace pefsim::power::isa
