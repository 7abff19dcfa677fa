// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/scalar_arithmetic.h"
#include "power/instructions/scalar_convert.h"
#include "power/instructions/single_format.h"

namespace pefsim::power::isa {
namespace {

constexpr handler xsrsp_portably =
    compute_portably<floating::identity, scalar_form{.needs = facility::vsx, .single = true}>;

/// XT <- the number of format `source` in the bits of B from `shift` upwards, in binary64.
template <ieee::format source, unsigned shift>
[[gnu::noinline]] u32 widen(core& c, const op* o) {
    ieee::environment e(c.state.fpscr);
    const ieee::number n = ieee::decode(scalar(c, o->b) >> shift, source);
    return deliver_scalar(c, o, ieee::quieted(n, e), ieee::binary64, e);
}

/// XT <- B rounded to `target`, in that format: a word stands in both words of the doubleword, a halfword at its right.
template <ieee::format target>
[[gnu::noinline]] u32 narrow(core& c, const op* o) {
    ieee::environment e(c.state.fpscr);
    const ieee::number n = ieee::quieted(ieee::decode(scalar(c, o->b), ieee::binary64), e);
    return deliver_scalar<target>(c, o, ieee::round(n, target, e), target, e);
}

const op* xscvspdpn(core& c, const op* o) {
    set_scalar(c, o->t, double_of_single(static_cast<u32>(scalar(c, o->b) >> 32)));
    return next(c, o);
}
/// Of what binary32 cannot hold, fraction and exponent bits get lost.
const op* xscvdpspn(core& c, const op* o) {
    const u64 single = single_of_double(scalar(c, o->b));
    set_scalar(c, o->t, single << 32 | single);
    return next(c, o);
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Scalar conversion and rounding of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction_row rows[] = {
    // Conversion and rounding
    {"xscvdpsp",    xx2_form(60, 265),      {xt, xb},        plain, vsx,        convert, when_done<vsx, narrow<ieee::binary32>>},
    {"xscvdpspn",   xx2_form(60, 267),      {xt, xb},        plain, vsx,        convert, when_available<vsx, xscvdpspn>},
    {"xscvspdp",    xx2_form(60, 329),      {xt, xb},        plain, vsx,        convert, when_done<vsx, widen<ieee::binary32, 32>>},
    {"xscvspdpn",   xx2_form(60, 331),      {xt, xb},        plain, vsx,        convert, when_available<vsx, xscvspdpn>},
    {"xsrsp",       xx2_form(60, 281),      {xt, xb},        plain, vsx,        convert, always<xsrsp_portably>},
    {"xscvhpdp",    xx2_form(60, 347).eo(16), {xt, xb},      plain, vsx,        convert, when_done<vsx, widen<ieee::binary16, 0>>},
    {"xscvdphp",    xx2_form(60, 347).eo(17), {xt, xb},      plain, vsx,        convert, when_done<vsx, narrow<ieee::binary16>>},
    {"xscvdpsxds",  xx2_form(60, 344),      {xt, xb},        plain, vsx,        convert, when_available<vsx, to_integer<integer{64, true}, rounds::toward_zero, leaves::as_vsx>>},
    {"xscvdpsxws",  xx2_form(60, 88),       {xt, xb},        plain, vsx,        convert, when_available<vsx, to_integer<integer{32, true}, rounds::toward_zero, leaves::as_vsx>>},
    {"xscvdpuxds",  xx2_form(60, 328),      {xt, xb},        plain, vsx,        convert, when_available<vsx, to_integer<integer{64, false}, rounds::toward_zero, leaves::as_vsx>>},
    {"xscvdpuxws",  xx2_form(60, 72),       {xt, xb},        plain, vsx,        convert, when_available<vsx, to_integer<integer{32, false}, rounds::toward_zero, leaves::as_vsx>>},
    {"xscvsxddp",   xx2_form(60, 376),      {xt, xb},        plain, vsx,        convert, when_available<vsx, from_integer<true, false>>},
    {"xscvsxdsp",   xx2_form(60, 312),      {xt, xb},        plain, vsx,        convert, when_available<vsx, from_integer<true, true>>},
    {"xscvuxddp",   xx2_form(60, 360),      {xt, xb},        plain, vsx,        convert, when_available<vsx, from_integer<false, false>>},
    {"xscvuxdsp",   xx2_form(60, 296),      {xt, xb},        plain, vsx,        convert, when_available<vsx, from_integer<false, true>>},
    {"xsrdpi",      xx2_form(60, 73),       {xt, xb},        plain, vsx,        round, when_available<vsx, to_integral<rounds::nearest_away>>},
    {"xsrdpic",     xx2_form(60, 107),      {xt, xb},        plain, vsx,        round, when_available<vsx, to_integral<rounds::as_fpscr>>},
    {"xsrdpim",     xx2_form(60, 121),      {xt, xb},        plain, vsx,        round, when_available<vsx, to_integral<rounds::downward>>},
    {"xsrdpip",     xx2_form(60, 105),      {xt, xb},        plain, vsx,        round, when_available<vsx, to_integral<rounds::upward>>},
    {"xsrdpiz",     xx2_form(60, 89),       {xt, xb},        plain, vsx,        round, when_available<vsx, to_integral<rounds::toward_zero>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vsx_scalar_convert_rows() { return rows; }

}  // namespace pefsim::power::isa
