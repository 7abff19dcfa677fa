// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include "cpu/power/engine/core.h"
#include "cpu/power/instructions/instructions.h"
#include "cpu/power/instructions/vector_arithmetic.h"

namespace pefsim::cpu::power::isa {
namespace {

using u64 = std::uint64_t;
using u32 = std::uint32_t;

// Elements of 64 and 32 bits share a doubleword: the narrow one is its left word, and a narrow result stands in both.

constexpr u64 in_both_words(u64 word) { return word << 32 | (word & 0xffff'ffff); }

/// Elements of format `from`, in the bits from `shift` upwards, to the format of T.
template <typename T, ieee::format from, unsigned shift>
T widen(T bits, ieee::environment& e) {
    return encoded<T>(ieee::quieted(ieee::decode(bits >> shift, from), e));
}
/// Elements of the format of T to format `to`.
template <typename T, ieee::format to>
T narrow(T bits, ieee::environment& e) {
    const ieee::number n = ieee::quieted(ieee::decode(bits, format_of<T>), e);
    return static_cast<T>(ieee::encode(ieee::round(n, to, e), to));
}
u64 double_to_single(u64 bits, ieee::environment& e) {
    return in_both_words(narrow<u64, ieee::binary32>(bits, e));
}

/// Truncated to an integer, which has the width of T or stands in both words.
template <typename T, ieee::format from, unsigned shift, unsigned width, bool is_signed>
T to_integer(T bits, ieee::environment& e) {
    e.mode = ieee::rounding::toward_zero;
    const u64 value = ieee::to_integer(ieee::decode(bits >> shift, from), width, is_signed, e);
    return static_cast<T>(width < 8 * sizeof(T) ? in_both_words(value) : value);
}
template <unsigned width, bool is_signed>
constexpr auto from_double = to_integer<u64, ieee::binary64, 0, width, is_signed>;
template <bool is_signed>
constexpr auto from_left_single = to_integer<u64, ieee::binary32, 32, 64, is_signed>;
template <bool is_signed>
constexpr auto from_single = to_integer<u32, ieee::binary32, 0, 32, is_signed>;

/// The integer in the bits from `shift` upwards, of type I, to format `to`.
template <typename T, typename I, unsigned shift, ieee::format to>
T from_integer(T bits, ieee::environment& e) {
    const auto value = static_cast<I>(bits >> shift);
    const ieee::number n = std::is_signed_v<I> ? ieee::from_signed(static_cast<std::int64_t>(value))
                                               : ieee::from_unsigned(static_cast<u64>(value));
    const auto result = static_cast<T>(ieee::encode(ieee::round(n, to, e), to));
    return to.fraction_bits < format_of<T>.fraction_bits ? static_cast<T>(in_both_words(result)) : result;
}

/// To an integral number, without inexact but where the current mode rounds.
template <typename T, ieee::rounding mode>
T to_integral(T bits, ieee::environment& e) {
    ieee::environment here = e;
    here.mode = mode;
    here.raised = 0;
    const ieee::number n = ieee::round_to_integral(ieee::decode(bits, format_of<T>), here);
    e.raised |= here.raised & fpscr::vxsnan;
    return encoded<T>(n);
}
template <typename T>
T to_integral_as_fpscr(T bits, ieee::environment& e) {
    return encoded<T>(ieee::round_to_integral(ieee::decode(bits, format_of<T>), e));
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Vector conversion and rounding of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction rows[] = {
    // Conversion and rounding
    {"xvcvdpsp",    xx2_form(60, 393),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, double_to_single>>},
    {"xvcvspdp",    xx2_form(60, 457),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, widen<u64, ieee::binary32, 32>>>},
    {"xvcvhpsp",    xx2_form(60, 475).eo(24), {xt, xb},      plain, vsx,        convert, when_done<vsx, map_lanes<u32, widen<u32, ieee::binary16, 0>>>},
    {"xvcvsphp",    xx2_form(60, 475).eo(25), {xt, xb},      plain, vsx,        convert, when_done<vsx, map_lanes<u32, narrow<u32, ieee::binary16>>>},
    {"xvcvdpsxds",  xx2_form(60, 472),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_double<64, true>>>},
    {"xvcvdpsxws",  xx2_form(60, 216),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_double<32, true>>>},
    {"xvcvdpuxds",  xx2_form(60, 456),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_double<64, false>>>},
    {"xvcvdpuxws",  xx2_form(60, 200),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_double<32, false>>>},
    {"xvcvspsxds",  xx2_form(60, 408),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_left_single<true>>>},
    {"xvcvspsxws",  xx2_form(60, 152),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u32, from_single<true>>>},
    {"xvcvspuxds",  xx2_form(60, 392),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_left_single<false>>>},
    {"xvcvspuxws",  xx2_form(60, 136),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u32, from_single<false>>>},
    {"xvcvsxddp",   xx2_form(60, 504),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_integer<u64, std::int64_t, 0, ieee::binary64>>>},
    {"xvcvsxdsp",   xx2_form(60, 440),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_integer<u64, std::int64_t, 0, ieee::binary32>>>},
    {"xvcvsxwdp",   xx2_form(60, 248),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_integer<u64, std::int32_t, 32, ieee::binary64>>>},
    {"xvcvsxwsp",   xx2_form(60, 184),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u32, from_integer<u32, std::int32_t, 0, ieee::binary32>>>},
    {"xvcvuxddp",   xx2_form(60, 488),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_integer<u64, std::uint64_t, 0, ieee::binary64>>>},
    {"xvcvuxdsp",   xx2_form(60, 424),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_integer<u64, std::uint64_t, 0, ieee::binary32>>>},
    {"xvcvuxwdp",   xx2_form(60, 232),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u64, from_integer<u64, std::uint32_t, 32, ieee::binary64>>>},
    {"xvcvuxwsp",   xx2_form(60, 168),      {xt, xb},        plain, vsx,        convert, when_done<vsx, map_lanes<u32, from_integer<u32, std::uint32_t, 0, ieee::binary32>>>},
    {"xvrdpi",      xx2_form(60, 201),      {xt, xb},        plain, vsx,        round, when_done<vsx, map_lanes<u64, to_integral<u64, ieee::rounding::nearest_away>>>},
    {"xvrdpic",     xx2_form(60, 235),      {xt, xb},        plain, vsx,        round, when_done<vsx, map_lanes<u64, to_integral_as_fpscr<u64>>>},
    {"xvrdpim",     xx2_form(60, 249),      {xt, xb},        plain, vsx,        round, when_done<vsx, map_lanes<u64, to_integral<u64, ieee::rounding::downward>>>},
    {"xvrdpip",     xx2_form(60, 233),      {xt, xb},        plain, vsx,        round, when_done<vsx, map_lanes<u64, to_integral<u64, ieee::rounding::upward>>>},
    {"xvrdpiz",     xx2_form(60, 217),      {xt, xb},        plain, vsx,        round, when_done<vsx, map_lanes<u64, to_integral<u64, ieee::rounding::toward_zero>>>},
    {"xvrspi",      xx2_form(60, 137),      {xt, xb},        plain, vsx,        round, when_done<vsx, map_lanes<u32, to_integral<u32, ieee::rounding::nearest_away>>>},
    {"xvrspic",     xx2_form(60, 171),      {xt, xb},        plain, vsx,        round, when_done<vsx, map_lanes<u32, to_integral_as_fpscr<u32>>>},
    {"xvrspim",     xx2_form(60, 185),      {xt, xb},        plain, vsx,        round, when_done<vsx, map_lanes<u32, to_integral<u32, ieee::rounding::downward>>>},
    {"xvrspip",     xx2_form(60, 169),      {xt, xb},        plain, vsx,        round, when_done<vsx, map_lanes<u32, to_integral<u32, ieee::rounding::upward>>>},
    {"xvrspiz",     xx2_form(60, 153),      {xt, xb},        plain, vsx,        round, when_done<vsx, map_lanes<u32, to_integral<u32, ieee::rounding::toward_zero>>>},
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_vector_convert_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
