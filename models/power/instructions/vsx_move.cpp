// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/vector_shape.h"

namespace pefsim::power::isa {
namespace {

// --- 7.6.1.3 Moves: the sign, which is the leftmost bit, is changed, and nothing else

template <typename T>
inline constexpr T sign = static_cast<T>(T{1} << (sizeof(T) * 8 - 1));

template <typename T>
constexpr auto absolute = [](T b) { return static_cast<T>(b & ~sign<T>); };
template <typename T>
constexpr auto negative_absolute = [](T b) { return static_cast<T>(b | sign<T>); };
template <typename T>
constexpr auto negated = [](T b) { return static_cast<T>(b ^ sign<T>); };
template <typename T>
constexpr auto copied_sign = [](T a, T b) { return static_cast<T>((a & sign<T>) | (b & ~sign<T>)); };

/// f of doubleword 0; doubleword 1, which the ISA leaves undefined, is zero.
template <auto f>
constexpr auto scalar = [](const std::same_as<vector_register> auto&... v) {
    return vector_register{.low = 0, .high = f(v.high...)};
};
/// f of doubleword 0, which has the sign of a quad-precision number.
constexpr auto xsabsqp = [](vector_in b) { return vector_register{b.low, absolute<u64>(b.high)}; };
constexpr auto xsnabsqp = [](vector_in b) { return vector_register{b.low, negative_absolute<u64>(b.high)}; };
constexpr auto xsnegqp = [](vector_in b) { return vector_register{b.low, negated<u64>(b.high)}; };
constexpr auto xscpsgnqp = [](vector_in a, vector_in b) {
    return vector_register{b.low, copied_sign<u64>(a.high, b.high)};
};

/// Quad precision names VRs, but MSR[VSX] makes it available.
template <handler run>
handler on_vrs(std::uint32_t /*word*/, unsigned /*index*/, op& decoded) {
    number_vsrs<facility::vmx>(decoded);
    return guarded_by_target<facility::vsx, run>(decoded);
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Moves of the vector-scalar facility (VSX) that change signs: Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction_row rows[] = {
    // Scalar move
    {"xsabsdp",     xx2_form(60, 345),      {xt, xb},        plain, vsx,        move, from_b<vsx, scalar<absolute<u64>>>},
    {"xsnabsdp",    xx2_form(60, 361),      {xt, xb},        plain, vsx,        move, from_b<vsx, scalar<negative_absolute<u64>>>},
    {"xsnegdp",     xx2_form(60, 377),      {xt, xb},        plain, vsx,        move, from_b<vsx, scalar<negated<u64>>>},
    {"xscpsgndp",   xx3_form(60, 176),      {xt, xa, xb},    plain, vsx,        move, from_ab<vsx, scalar<copied_sign<u64>>>},
    {"xsabsqp",     x_form(63, 804).eo(0),  {vrt, vrb},      plain, vsx,        move, on_vrs<run_b<xsabsqp>>},
    {"xsnabsqp",    x_form(63, 804).eo(8),  {vrt, vrb},      plain, vsx,        move, on_vrs<run_b<xsnabsqp>>},
    {"xsnegqp",     x_form(63, 804).eo(16), {vrt, vrb},      plain, vsx,        move, on_vrs<run_b<xsnegqp>>},
    {"xscpsgnqp",   x_form(63, 100),        {vrt, vra, vrb}, plain, vsx,        move, on_vrs<run_ab<xscpsgnqp>>},

    // Vector move
    {"xvabsdp",     xx2_form(60, 473),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u64, absolute<u64>>>},
    {"xvabssp",     xx2_form(60, 409),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u32, absolute<u32>>>},
    {"xvnabsdp",    xx2_form(60, 489),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u64, negative_absolute<u64>>>},
    {"xvnabssp",    xx2_form(60, 425),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u32, negative_absolute<u32>>>},
    {"xvnegdp",     xx2_form(60, 505),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u64, negated<u64>>>},
    {"xvnegsp",     xx2_form(60, 441),      {xt, xb},        plain, vsx,        move, from_b<vsx, each<u32, negated<u32>>>},
    {"xvcpsgndp",   xx3_form(60, 240),      {xt, xa, xb},    plain, vsx,        move, from_ab<vsx, each<u64, copied_sign<u64>>>},
    {"xvcpsgnsp",   xx3_form(60, 208),      {xt, xa, xb},    plain, vsx,        move, from_ab<vsx, each<u32, copied_sign<u32>>>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vsx_move_rows() { return rows; }

}  // namespace pefsim::power::isa
