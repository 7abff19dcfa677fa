// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/data_class.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/scalar_compare.h"
#include "power/instructions/vector_arithmetic.h"

namespace pefsim::power::isa {
namespace {

/// Ones when A relates to B as one of `conditions` (of CR) says, else zeros.
template <typename T, std::uint8_t conditions, bool ordered>
T mask_of(T a_bits, T b_bits, ieee::environment& e) {
    const ieee::number a = ieee::decode(a_bits, format_of<T>);
    const ieee::number b = ieee::decode(b_bits, format_of<T>);
    e.raised |= comparison_exceptions(a, b, ordered, e.enabled);
    return (ieee::compare(a, b) & conditions) != 0 ? static_cast<T>(~T{0}) : T{0};
}
/// The same of numbers, on the host; a NaN is for the caller to find.
template <typename T, std::uint8_t conditions>
[[gnu::always_inline]] inline T mask_on_host(double a, double b) {
    const bool holds = conditions == 2 ? a == b : conditions == 4 ? a > b : a >= b;
    return static_cast<T>(T{0} - T{holds});
}

template <typename T, std::uint8_t conditions, bool ordered, bool dot>
[[gnu::noinline]] u32 compare_lanes_exactly(core& c, const op* o) {
    ieee::environment e(c.state.fpscr);
    const lanes<T> a = lanes_of<T>(c, o->a);
    const lanes<T> b = lanes_of<T>(c, o->b);
    lanes<T> masks;
    for (std::size_t i = 0; i < masks.size(); ++i) {
        masks[i] = mask_of<T, conditions, ordered>(a[i], b[i], e);
    }
    if constexpr (dot) {
        set_cr6<T>(c, masks);
    }
    return deliver_lanes<T>(c, o, masks, e);
}
template <typename T, std::uint8_t conditions, bool ordered, bool dot>
const op* compare_lanes(core& c, const op* o) {
    const lanes<T> a = lanes_of<T>(c, o->a);
    const lanes<T> b = lanes_of<T>(c, o->b);
    lanes<T> masks;
    bool numbers = true;
    for (std::size_t i = 0; i < masks.size(); ++i) {
        numbers &= !__builtin_isunordered(as_float(a[i]), as_float(b[i]));
        masks[i] = mask_on_host<T, conditions>(as_float(a[i]), as_float(b[i]));
    }
    if (!numbers) [[unlikely]] {
        return done<compare_lanes_exactly<T, conditions, ordered, dot>>(c, o);
    }
    if constexpr (dot) {
        set_cr6<T>(c, masks);
    }
    set_lanes<T>(c, o->t, masks);
    return next(c, o);
}
template <typename T, std::uint8_t conditions, bool ordered>
handler select_compare(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word >> 10 & 1) != 0 ? guarded<facility::vsx, compare_lanes<T, conditions, ordered, true>>
                                 : guarded<facility::vsx, compare_lanes<T, conditions, ordered, false>>;
}

template <typename T, auto extreme>
T extreme_of(T a, T b, ieee::environment& e) {
    return encoded<T>(extreme(ieee::decode(a, format_of<T>), ieee::decode(b, format_of<T>), e));
}

/// The same of numbers, on the host. Where they are equal, only the signs of zeros may differ.
template <typename T, bool maximum>
const op* select_extremes(core& c, const op* o) {
    const lanes<T> a = lanes_of<T>(c, o->a);
    const lanes<T> b = lanes_of<T>(c, o->b);
    lanes<T> result;
    bool numbers = true;
    for (std::size_t i = 0; i < result.size(); ++i) {
        const auto x = as_float(a[i]);
        const auto y = as_float(b[i]);
        numbers &= !__builtin_isunordered(x, y);
        const T equal = maximum ? a[i] & b[i] : a[i] | b[i];
        result[i] = x == y ? equal : (x > y) == maximum ? a[i] : b[i];
    }
    if (!numbers) [[unlikely]] {
        return done<zip_lanes<T, extreme_of<T, maximum ? ieee::maximum : ieee::minimum>>>(c, o);
    }
    set_lanes<T>(c, o->t, result);
    return next(c, o);
}

/// Ones when the element of B belongs to a class of DCMX, else zeros.
template <typename T>
const op* test_lanes_class(core& c, const op* o) {
    lanes<T> elements = lanes_of<T>(c, o->b);
    for (T& each : elements) {
        const bool matches = in_class(ieee::decode(each, format_of<T>), format_of<T>.emin(), o->a);
        each = matches ? static_cast<T>(~T{0}) : T{0};
    }
    set_lanes<T>(c, o->t, elements);
    return next(c, o);
}
template <typename T>
handler select_class_test(u32 word, unsigned /*index*/, op& decoded) {
    decoded.a = static_cast<std::uint8_t>(info_of(operand::dcmx_split).value(word));
    return guarded<facility::vsx, test_lanes_class<T>>;
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Vector comparisons of the vector-scalar facility (VSX): Power ISA 3.0B Book I chapter 7.
// clang-format off
constexpr instruction_row rows[] = {
    // Compare, minimum and maximum
    {"xvcmpeqdp",   xx3_rc_form(60, 99),    {xt, xa, xb},    rc,    vsx,        compare, select_compare<u64, 2, false>},
    {"xvcmpeqsp",   xx3_rc_form(60, 67),    {xt, xa, xb},    rc,    vsx,        compare, select_compare<u32, 2, false>},
    {"xvcmpgedp",   xx3_rc_form(60, 115),   {xt, xa, xb},    rc,    vsx,        compare, select_compare<u64, 4 | 2, true>},
    {"xvcmpgesp",   xx3_rc_form(60, 83),    {xt, xa, xb},    rc,    vsx,        compare, select_compare<u32, 4 | 2, true>},
    {"xvcmpgtdp",   xx3_rc_form(60, 107),   {xt, xa, xb},    rc,    vsx,        compare, select_compare<u64, 4, true>},
    {"xvcmpgtsp",   xx3_rc_form(60, 75),    {xt, xa, xb},    rc,    vsx,        compare, select_compare<u32, 4, true>},
    {"xvmaxdp",     xx3_form(60, 224),      {xt, xa, xb},    plain, vsx,        compare, when_available<vsx, select_extremes<u64, true>>},
    {"xvmaxsp",     xx3_form(60, 192),      {xt, xa, xb},    plain, vsx,        compare, when_available<vsx, select_extremes<u32, true>>},
    {"xvmindp",     xx3_form(60, 232),      {xt, xa, xb},    plain, vsx,        compare, when_available<vsx, select_extremes<u64, false>>},
    {"xvminsp",     xx3_form(60, 200),      {xt, xa, xb},    plain, vsx,        compare, when_available<vsx, select_extremes<u32, false>>},
    {"xvtstdcdp",   xx2_dcmx_form(60, 15, 5), {xt, xb, dcmx_split}, plain, vsx, compare, select_class_test<u64>},
    {"xvtstdcsp",   xx2_dcmx_form(60, 13, 5), {xt, xb, dcmx_split}, plain, vsx, compare, select_class_test<u32>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vsx_vector_compare_rows() { return rows; }

}  // namespace pefsim::power::isa
