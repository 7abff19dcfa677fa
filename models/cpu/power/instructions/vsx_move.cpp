// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/engine/core.h"
#include "cpu/power/instructions/facility.h"
#include "cpu/power/instructions/floating_status.h"
#include "cpu/power/instructions/instructions.h"
#include "cpu/power/instructions/vector_element.h"
#include "cpu/power/instructions/vector_shape.h"

namespace pefsim::cpu::power::isa {
namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

template <typename T>
constexpr T sign_of = T{1} << (8 * sizeof(T) - 1);

template <typename T>
T abs(T b) {
    return static_cast<T>(b & ~sign_of<T>);
}
template <typename T>
T nabs(T b) {
    return b | sign_of<T>;
}
template <typename T>
T neg(T b) {
    return b ^ sign_of<T>;
}
template <typename T>
T cpsgn(T a, T b) {
    return static_cast<T>((a & sign_of<T>) | (b & ~sign_of<T>));
}

template <auto f>
const op* scalar_from_b(core& c, const op* o) {
    set_scalar(c, o->t, f(c.state.vsr[o->b].high));
    return next(c, o);
}
template <auto f>
const op* scalar_from_ab(core& c, const op* o) {
    set_scalar(c, o->t, f(c.state.vsr[o->a].high, c.state.vsr[o->b].high));
    return next(c, o);
}
/// Quad-precision operands are VRs: VSR 32 to 63.
template <auto f>
const op* quad_from_b(core& c, const op* o) {
    c.state.vsr[32 + o->t] = vector_of(f(quad(c.state.vsr[32 + o->b])));
    return next(c, o);
}
template <auto f>
const op* quad_from_ab(core& c, const op* o) {
    c.state.vsr[32 + o->t] = vector_of(f(quad(c.state.vsr[32 + o->a]), quad(c.state.vsr[32 + o->b])));
    return next(c, o);
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Moves of the vector-scalar facility (VSX) that change signs: Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction rows[] = {
    // Scalar move
    {"xsabsdp",     xx2_form(60, 345),      {xt, xb},        plain, vsx,        move, when_available<vsx, scalar_from_b<abs<u64>>>},
    {"xsnabsdp",    xx2_form(60, 361),      {xt, xb},        plain, vsx,        move, when_available<vsx, scalar_from_b<nabs<u64>>>},
    {"xsnegdp",     xx2_form(60, 377),      {xt, xb},        plain, vsx,        move, when_available<vsx, scalar_from_b<neg<u64>>>},
    {"xscpsgndp",   xx3_form(60, 176),      {xt, xa, xb},    plain, vsx,        move, when_available<vsx, scalar_from_ab<cpsgn<u64>>>},
    {"xsabsqp",     x_form(63, 804).eo(0),  {vrt, vrb},      plain, vsx,        move, when_available<vsx, quad_from_b<abs<quadword>>>},
    {"xsnabsqp",    x_form(63, 804).eo(8),  {vrt, vrb},      plain, vsx,        move, when_available<vsx, quad_from_b<nabs<quadword>>>},
    {"xsnegqp",     x_form(63, 804).eo(16), {vrt, vrb},      plain, vsx,        move, when_available<vsx, quad_from_b<neg<quadword>>>},
    {"xscpsgnqp",   x_form(63, 100),        {vrt, vra, vrb}, plain, vsx,        move, when_available<vsx, quad_from_ab<cpsgn<quadword>>>},

    // Vector move
    {"xvabsdp",     xx2_form(60, 473),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u64, abs<u64>>>},
    {"xvabssp",     xx2_form(60, 409),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u32, abs<u32>>>},
    {"xvnabsdp",    xx2_form(60, 489),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u64, nabs<u64>>>},
    {"xvnabssp",    xx2_form(60, 425),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u32, nabs<u32>>>},
    {"xvnegdp",     xx2_form(60, 505),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u64, neg<u64>>>},
    {"xvnegsp",     xx2_form(60, 441),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u32, neg<u32>>>},
    {"xvcpsgndp",   xx3_form(60, 240),      {xt, xa, xb},    plain, vsx,        move, from_ab<vsx, each<u64, cpsgn<u64>>>},
    {"xvcpsgnsp",   xx3_form(60, 208),      {xt, xa, xb},    plain, vsx,        move, from_ab<vsx, each<u32, cpsgn<u32>>>},
};
// clang-format on

}  // namespace

std::span<const instruction> vsx_move_rows() { return rows; }

}  // namespace pefsim::cpu::power::isa
