// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/data_class.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/scalar_compare.h"
#include "power/instructions/single_format.h"

namespace pefsim::power::isa {
namespace {

constexpr u64 sign_bit = u64{1} << 63;

ieee::number double_of(const core& c, std::uint8_t source) {
    return ieee::decode(scalar(c, source), ieee::binary64);
}

/// XT <- result unless an enabled exception forbids; FR, FI and FPRF are kept.
u32 deliver_selection(core& c, const op* o, u64 result, const ieee::environment& e) {
    if (report_vector(c, e)) {
        set_scalar(c, o->t, result);
    }
    return e.raised;
}

/// XT <- ones when A relates to B as one of `conditions` (of CR) says, else zeros.
template <std::uint8_t conditions, bool ordered>
[[gnu::noinline]] u32 compare_to_mask(core& c, const op* o) {
    const ieee::number a = double_of(c, o->a);
    const ieee::number b = double_of(c, o->b);
    ieee::environment e(c.state.fpscr);
    e.raised = comparison_exceptions(a, b, ordered, c.state.fpscr);
    return deliver_selection(c, o, (ieee::compare(a, b) & conditions) != 0 ? ~u64{0} : 0, e);
}

template <auto f>
[[gnu::noinline]] u32 select_extreme(core& c, const op* o) {
    ieee::environment e(c.state.fpscr);
    const ieee::number result = f(double_of(c, o->a), double_of(c, o->b), e);
    return deliver_selection(c, o, static_cast<u64>(ieee::encode(result, ieee::binary64)), e);
}

/// The conditional expression of C, A > B ? A : B: B when they are equal or unordered; no NaN is quieted.
template <std::uint8_t condition>
[[gnu::noinline]] u32 extreme_of_c(core& c, const op* o) {
    const ieee::number a = double_of(c, o->a);
    const ieee::number b = double_of(c, o->b);
    ieee::environment e(c.state.fpscr);
    e.raised = comparison_exceptions(a, b, false, c.state.fpscr);
    return deliver_selection(c, o, scalar(c, ieee::compare(a, b) == condition ? o->a : o->b), e);
}

/// Java's Math.max and Math.min: the first NaN, as it is; -0 is below +0.
template <std::uint8_t condition>
[[gnu::noinline]] u32 extreme_of_java(core& c, const op* o) {
    const ieee::number a = double_of(c, o->a);
    const ieee::number b = double_of(c, o->b);
    ieee::environment e(c.state.fpscr);
    e.raised = comparison_exceptions(a, b, false, c.state.fpscr);
    bool first = a.is_nan() || (!b.is_nan() && ieee::compare(a, b) == condition);
    if (a.is == ieee::kind::zero && b.is == ieee::kind::zero) {
        first = a.negative == (condition == 8);  // the smaller zero is the negative one
    }
    return deliver_selection(c, o, scalar(c, first ? o->a : o->b), e);
}

/// CR[BF] and FPCC <- how the exponents of A and B compare.
const op* xscmpexpdp(core& c, const op* o) {
    const u64 a = scalar(c, o->a) >> 52 & 0x7ff;
    const u64 b = scalar(c, o->b) >> 52 & 0x7ff;
    const bool unordered = double_of(c, o->a).is_nan() || double_of(c, o->b).is_nan();
    const std::uint8_t condition = unordered ? 1 : a < b ? 8 : a > b ? 4 : 2;
    set_fpcc(c, condition);
    c.state.cr.field[o->t] = condition;
    return next(c, o);
}

/// CR[BF] and FPCC <- sign, 0, whether B belongs to a class of DCMX, and whether binary32 cannot hold it.
const op* finish_class_test(core& c, const op* o, bool matches, bool not_single) {
    const bool negative = (scalar(c, o->b) & sign_bit) != 0;
    const auto condition = static_cast<std::uint8_t>((negative ? 8 : 0) | (matches ? 2 : 0) |
                                                     (not_single ? 1 : 0));
    set_fpcc(c, condition);
    c.state.cr.field[o->t] = condition;
    return next(c, o);
}
const op* xststdcdp(core& c, const op* o) {
    return finish_class_test(c, o, in_class(double_of(c, o->b), ieee::binary64.emin(), o->a), false);
}
/// Denormal is what lies below the normal numbers of binary32.
const op* xststdcsp(core& c, const op* o) {
    const u64 bits = scalar(c, o->b);
    const bool matches = in_class(double_of(c, o->b), ieee::binary32.emin(), o->a);
    return finish_class_test(c, o, matches, double_of_single(single_of_double(bits)) != bits);
}
template <handler test>
handler select_class_test(u32 word, unsigned /*index*/, op& decoded) {
    decoded.a = word >> 16 & 0x7f;  // DCMX
    return guarded<facility::vsx, test>;
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Scalar comparisons of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction_row rows[] = {
    // Compare, minimum and maximum
    {"xscmpeqdp",   xx3_form(60, 3),        {xt, xa, xb},    plain, vsx,        compare, when_done<vsx, compare_to_mask<2, false>>},
    {"xscmpgtdp",   xx3_form(60, 11),       {xt, xa, xb},    plain, vsx,        compare, when_done<vsx, compare_to_mask<4, true>>},
    {"xscmpgedp",   xx3_form(60, 19),       {xt, xa, xb},    plain, vsx,        compare, when_done<vsx, compare_to_mask<4 | 2, true>>},
    {"xscmpodp",    xx3_form(60, 43),       {bf, xa, xb},    plain, vsx,        compare, when_available<vsx, compare_scalar<true>>},
    {"xscmpudp",    xx3_form(60, 35),       {bf, xa, xb},    plain, vsx,        compare, when_available<vsx, compare_scalar<false>>},
    {"xscmpexpdp",  xx3_form(60, 59),       {bf, xa, xb},    plain, vsx,        compare, when_available<vsx, xscmpexpdp>},
    {"xsmaxdp",     xx3_form(60, 160),      {xt, xa, xb},    plain, vsx,        compare, when_done<vsx, select_extreme<ieee::maximum>>},
    {"xsmindp",     xx3_form(60, 168),      {xt, xa, xb},    plain, vsx,        compare, when_done<vsx, select_extreme<ieee::minimum>>},
    {"xsmaxcdp",    xx3_form(60, 128),      {xt, xa, xb},    plain, vsx,        compare, when_done<vsx, extreme_of_c<4>>},
    {"xsmincdp",    xx3_form(60, 136),      {xt, xa, xb},    plain, vsx,        compare, when_done<vsx, extreme_of_c<8>>},
    {"xsmaxjdp",    xx3_form(60, 144),      {xt, xa, xb},    plain, vsx,        compare, when_done<vsx, extreme_of_java<4>>},
    {"xsminjdp",    xx3_form(60, 152),      {xt, xa, xb},    plain, vsx,        compare, when_done<vsx, extreme_of_java<8>>},
    {"xststdcdp",   xx2_form(60, 362),      {bf, xb, dcmx},  plain, vsx,        compare, select_class_test<xststdcdp>},
    {"xststdcsp",   xx2_form(60, 298),      {bf, xb, dcmx},  plain, vsx,        compare, select_class_test<xststdcsp>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vsx_scalar_compare_rows() { return rows; }

}  // namespace pefsim::power::isa
