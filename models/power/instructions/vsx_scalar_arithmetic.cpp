// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/scalar_arithmetic.h"
#include "power/instructions/scalar_compare.h"

namespace pefsim::power::isa {
namespace {

template <typename operation, bool single, bool negates = false>
handler select_arithmetic(u32 /*word*/, unsigned /*index*/, op& /*decoded*/) {
    return fastest<operation, scalar_form{facility::vsx, single, negates, false}>();
}
template <bool single>
constexpr selector root_estimate = always<
    compute_exactly<floating::reciprocal_square_root, scalar_form{facility::vsx, single, false, false}>>;

/// The A-type forms, XT <- XA * XB + XT, as T <- A * C + B.
template <typename operation, bool single, bool negates = false>
handler select_a_type(u32 /*word*/, unsigned /*index*/, op& decoded) {
    decoded.c = decoded.b;
    decoded.b = decoded.t;
    return fastest<operation, scalar_form{facility::vsx, single, negates, false}>();
}
/// The M-type forms, XT <- XA * XT + XB.
template <typename operation, bool single, bool negates = false>
handler select_m_type(u32 /*word*/, unsigned /*index*/, op& decoded) {
    decoded.c = decoded.t;
    return fastest<operation, scalar_form{facility::vsx, single, negates, false}>();
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Scalar arithmetic and estimates of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction_row rows[] = {
    // Arithmetic
    {"xsadddp",     xx3_form(60, 32),       {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::add, false>},
    {"xsaddsp",     xx3_form(60, 0),        {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::add, true>},
    {"xssubdp",     xx3_form(60, 40),       {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::subtract, false>},
    {"xssubsp",     xx3_form(60, 8),        {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::subtract, true>},
    {"xsmuldp",     xx3_form(60, 48),       {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::multiply, false>},
    {"xsmulsp",     xx3_form(60, 16),       {xt, xa, xb},    plain, vsx,        arithmetic, select_arithmetic<floating::multiply, true>},
    {"xsdivdp",     xx3_form(60, 56),       {xt, xa, xb},    plain, vsx,        divide, select_arithmetic<floating::divide, false>},
    {"xsdivsp",     xx3_form(60, 24),       {xt, xa, xb},    plain, vsx,        divide, select_arithmetic<floating::divide, true>},
    {"xssqrtdp",    xx2_form(60, 75),       {xt, xb},        plain, vsx,        divide, select_arithmetic<floating::square_root, false>},
    {"xssqrtsp",    xx2_form(60, 11),       {xt, xb},        plain, vsx,        divide, select_arithmetic<floating::square_root, true>},
    {"xsredp",      xx2_form(60, 90),       {xt, xb},        plain, vsx,        estimate, select_arithmetic<floating::reciprocal, false>},
    {"xsresp",      xx2_form(60, 26),       {xt, xb},        plain, vsx,        estimate, select_arithmetic<floating::reciprocal, true>},
    {"xsrsqrtedp",  xx2_form(60, 74),       {xt, xb},        plain, vsx,        estimate, root_estimate<false>},
    {"xsrsqrtesp",  xx2_form(60, 10),       {xt, xb},        plain, vsx,        estimate, root_estimate<true>},
    {"xstdivdp",    xx3_form(60, 61),       {bf, xa, xb},    plain, vsx,        compare, when_available<vsx, test_scalar_divide>},
    {"xstsqrtdp",   xx2_form(60, 106),      {bf, xb},        plain, vsx,        compare, when_available<vsx, test_scalar_square_root>},
    {"xsmaddadp",   xx3_form(60, 33),       {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_add, false>},
    {"xsmaddasp",   xx3_form(60, 1),        {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_add, true>},
    {"xsmaddmdp",   xx3_form(60, 41),       {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_add, false>},
    {"xsmaddmsp",   xx3_form(60, 9),        {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_add, true>},
    {"xsmsubadp",   xx3_form(60, 49),       {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_subtract, false>},
    {"xsmsubasp",   xx3_form(60, 17),       {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_subtract, true>},
    {"xsmsubmdp",   xx3_form(60, 57),       {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_subtract, false>},
    {"xsmsubmsp",   xx3_form(60, 25),       {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_subtract, true>},
    {"xsnmaddadp",  xx3_form(60, 161),      {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_add, false, true>},
    {"xsnmaddasp",  xx3_form(60, 129),      {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_add, true, true>},
    {"xsnmaddmdp",  xx3_form(60, 169),      {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_add, false, true>},
    {"xsnmaddmsp",  xx3_form(60, 137),      {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_add, true, true>},
    {"xsnmsubadp",  xx3_form(60, 177),      {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_subtract, false, true>},
    {"xsnmsubasp",  xx3_form(60, 145),      {xt, xa, xb},    plain, vsx,        multiply_add, select_a_type<floating::multiply_subtract, true, true>},
    {"xsnmsubmdp",  xx3_form(60, 185),      {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_subtract, false, true>},
    {"xsnmsubmsp",  xx3_form(60, 153),      {xt, xa, xb},    plain, vsx,        multiply_add, select_m_type<floating::multiply_subtract, true, true>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vsx_scalar_arithmetic_rows() { return rows; }

}  // namespace pefsim::power::isa
