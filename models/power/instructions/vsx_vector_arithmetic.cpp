// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/scalar_compare.h"
#include "power/instructions/vector_arithmetic.h"

namespace pefsim::power::isa {
namespace {

template <typename operation, typename T>
handler select_arithmetic(u32 /*word*/, unsigned /*index*/, op& /*decoded*/) {
    return fastest_lanes<operation, T>();
}
template <typename T>
constexpr selector root_estimate = always<compute_lanes_exactly<floating::reciprocal_square_root, T, false>>;

/// The A-type forms, XT <- XA * XB + XT, as T <- A * C + B.
template <typename operation, typename T, bool negates = false>
handler select_a_type(u32 /*word*/, unsigned /*index*/, op& decoded) {
    decoded.c = decoded.b;
    decoded.b = decoded.t;
    return fastest_lanes<operation, T, negates>();
}
/// The M-type forms, XT <- XA * XT + XB.
template <typename operation, typename T, bool negates = false>
handler select_m_type(u32 /*word*/, unsigned /*index*/, op& decoded) {
    decoded.c = decoded.t;
    return fastest_lanes<operation, T, negates>();
}

template <typename T>
constexpr const test_limits& limits_of = sizeof(T) == 8 ? double_limits : single_limits;

/// CR[BF] <- what a software division, or root, must know of any element.
template <typename T>
const op* test_lanes_divide(core& c, const op* o) {
    const lanes<T> a = lanes_of<T>(c, o->a);
    const lanes<T> b = lanes_of<T>(c, o->b);
    std::uint8_t any = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        any |= test_divide(a[i], b[i], limits_of<T>);
    }
    c.state.cr.field[o->t] = any;
    return next(c, o);
}
template <typename T>
const op* test_lanes_square_root(core& c, const op* o) {
    std::uint8_t any = 0;
    for (const T each : lanes_of<T>(c, o->b)) {
        any |= test_square_root(each, limits_of<T>);
    }
    c.state.cr.field[o->t] = any;
    return next(c, o);
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Vector arithmetic and estimates of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction_row rows[] = {
    // Arithmetic
    {"xvadddp",     xx3_form(60, 96),       {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::add, u64>},
    {"xvaddsp",     xx3_form(60, 64),       {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::add, u32>},
    {"xvsubdp",     xx3_form(60, 104),      {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::subtract, u64>},
    {"xvsubsp",     xx3_form(60, 72),       {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::subtract, u32>},
    {"xvmuldp",     xx3_form(60, 112),      {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::multiply, u64>},
    {"xvmulsp",     xx3_form(60, 80),       {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::multiply, u32>},
    {"xvdivdp",     xx3_form(60, 120),      {xt, xa, xb},    plain, vsx,        divide, select_arithmetic<floating::divide, u64>},
    {"xvdivsp",     xx3_form(60, 88),       {xt, xa, xb},    plain, vsx,        divide, select_arithmetic<floating::divide, u32>},
    {"xvsqrtdp",    xx2_form(60, 203),      {xt, xb},        plain, vsx,        divide, select_arithmetic<floating::square_root, u64>},
    {"xvsqrtsp",    xx2_form(60, 139),      {xt, xb},        plain, vsx,        divide, select_arithmetic<floating::square_root, u32>},
    {"xvredp",      xx2_form(60, 218),      {xt, xb},        plain, vsx,        estimate, select_arithmetic<floating::reciprocal, u64>},
    {"xvresp",      xx2_form(60, 154),      {xt, xb},        plain, vsx,        estimate, select_arithmetic<floating::reciprocal, u32>},
    {"xvrsqrtedp",  xx2_form(60, 202),      {xt, xb},        plain, vsx,        estimate, root_estimate<u64>},
    {"xvrsqrtesp",  xx2_form(60, 138),      {xt, xb},        plain, vsx,        estimate, root_estimate<u32>},
    {"xvtdivdp",    xx3_form(60, 125),      {bf, xa, xb},    plain, vsx,        compare, when_available<vsx, test_lanes_divide<u64>>},
    {"xvtdivsp",    xx3_form(60, 93),       {bf, xa, xb},    plain, vsx,        compare, when_available<vsx, test_lanes_divide<u32>>},
    {"xvtsqrtdp",   xx2_form(60, 234),      {bf, xb},        plain, vsx,        compare, when_available<vsx, test_lanes_square_root<u64>>},
    {"xvtsqrtsp",   xx2_form(60, 170),      {bf, xb},        plain, vsx,        compare, when_available<vsx, test_lanes_square_root<u32>>},
    {"xvmaddadp",   xx3_form(60, 97),       {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_add, u64>},
    {"xvmaddasp",   xx3_form(60, 65),       {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_add, u32>},
    {"xvmaddmdp",   xx3_form(60, 105),      {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_add, u64>},
    {"xvmaddmsp",   xx3_form(60, 73),       {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_add, u32>},
    {"xvmsubadp",   xx3_form(60, 113),      {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_subtract, u64>},
    {"xvmsubasp",   xx3_form(60, 81),       {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_subtract, u32>},
    {"xvmsubmdp",   xx3_form(60, 121),      {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_subtract, u64>},
    {"xvmsubmsp",   xx3_form(60, 89),       {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_subtract, u32>},
    {"xvnmaddadp",  xx3_form(60, 225),      {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_add, u64, true>},
    {"xvnmaddasp",  xx3_form(60, 193),      {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_add, u32, true>},
    {"xvnmaddmdp",  xx3_form(60, 233),      {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_add, u64, true>},
    {"xvnmaddmsp",  xx3_form(60, 201),      {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_add, u32, true>},
    {"xvnmsubadp",  xx3_form(60, 241),      {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_subtract, u64, true>},
    {"xvnmsubasp",  xx3_form(60, 209),      {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_subtract, u32, true>},
    {"xvnmsubmdp",  xx3_form(60, 249),      {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_subtract, u64, true>},
    {"xvnmsubmsp",  xx3_form(60, 217),      {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_subtract, u32, true>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vsx_vector_arithmetic_rows() { return rows; }

}  // namespace pefsim::power::isa
