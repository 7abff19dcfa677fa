// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "power/engine/core.h"
#include "power/host_features.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/vector_arithmetic.h"

namespace pefsim::power::isa {
namespace {

// Results are rounded to nearest, exceptions are not recorded (6.6). In non-Java mode, VSCR[NJ]=1, denormal operands
// and results, before rounding, are zeros of their sign.

constexpr u32 no_exceptions = 0;        ///< what all this work raises
constexpr u32 saturated = 1;            ///< VSCR[SAT]
constexpr u32 non_java = u32{1} << 16;  ///< VSCR[NJ]

ieee::number flushed(const ieee::number& n, bool flushes) {
    const bool denormal = n.is == ieee::kind::finite && n.exponent < ieee::binary32.emin();
    return flushes && denormal ? ieee::zero(n.negative) : n;
}

/// The elements of a VR, and back.
lanes<u32> words(const core& c, std::uint8_t number) { return lanes_of<u32>(c, 32 + number); }
void set_words(core& c, const op* o, const lanes<u32>& value) { set_lanes<u32>(c, 32 + o->t, value); }

struct context {
    bool flushes = false;

    explicit context(const core& c) : flushes((c.state.vscr & non_java) != 0) {}
    [[nodiscard]] ieee::number decoded(u32 word) const {
        return flushed(ieee::decode(word, ieee::binary32), flushes);
    }
    [[nodiscard]] u32 rounded(const ieee::number& exact) const {
        ieee::environment e;
        return encoded<u32>(ieee::round(flushed(exact, flushes), ieee::binary32, e));
    }
};

/// VRT <- operation(VRA, VRB, VRC).
template <typename operation, bool negates>
[[gnu::noinline]] u32 exact_words_work(core& c, const op* o) {
    const context in(c);
    const lanes<u32> a = words(c, o->a);
    const lanes<u32> b = words(c, o->b);
    const lanes<u32> third = words(c, o->c);
    lanes<u32> result;
    for (std::size_t i = 0; i < result.size(); ++i) {
        ieee::environment e;
        const ieee::number n = operation::exactly(in.decoded(a[i]), in.decoded(b[i]), in.decoded(third[i]),
                                                  e);
        const u32 bits = in.rounded(n);
        result[i] = negates && !n.is_nan() ? bits ^ 0x8000'0000 : bits;
    }
    set_words(c, o, result);
    return no_exceptions;
}

template <typename operation, bool negates>
[[gnu::noinline]] const op* compute_words_exactly(core& c, const op* o) {
    if (!available<facility::vmx>(c)) [[unlikely]] {
        return unavailable<facility::vmx>(c, o);
    }
    return done<exact_words_work<operation, negates>>(c, o);
}

constexpr u32 denormal(u32 word) { return (word & 0x7f80'0000) == 0 && word << 1 != 0 ? 1 : 0; }

/// True when an element is denormal.
[[gnu::always_inline]] inline bool any_denormal(floats<u32> value) {
    using word_register [[gnu::vector_size(16)]] = u32;
    const auto bits = std::bit_cast<word_register>(value);
    const auto found = std::bit_cast<ieee::host::register_of<u64>>(((bits & 0x7f80'0000) == 0) &
                                                                   (bits << 1 != 0));
    return (found[0] | found[1]) != 0;
}

/// The same where the host's arithmetic gives the result.
template <typename operation, bool negates>
[[gnu::always_inline]] inline const op* compute_words(core& c, const op* o) {
    const floats<u32> a = floats_of<u32>(c, 32 + o->a);
    const floats<u32> b = floats_of<u32>(c, 32 + o->b);
    const floats<u32> third = floats_of<u32>(c, 32 + o->c);
    const floats<u32> value = operation::plain(a, b, third);
    const auto result = negates ? with_sign_changed<u32>(value) : std::bit_cast<lanes<u32>>(value);
    const bool good = ieee::host::are_ordinary(value) ||
                      zeros_are_exact<operation, u32>(result, std::bit_cast<lanes<u32>>(a),
                                                      std::bit_cast<lanes<u32>>(b),
                                                      std::bit_cast<lanes<u32>>(third));
    const bool denormals = any_denormal(a) || any_denormal(b) || (operation::fused && any_denormal(third));
    if (!good || denormals || !available<facility::vmx>(c)) [[unlikely]] {
        return compute_words_exactly<operation, negates>(c, o);
    }
    set_lanes<u32>(c, 32 + o->t, result);
    return next(c, o);
}
template <typename operation>
const op* compute_words_portably(core& c, const op* o) {
    return compute_words<operation, false>(c, o);
}
template <typename operation, bool negates>
#if defined(__x86_64__)
[[gnu::target("fma")]]
#endif
const op*
compute_words_fused(core& c, const op* o) {
    return compute_words<operation, negates>(c, o);
}
template <typename operation, bool negates = false>
handler select_arithmetic(u32 /*word*/, unsigned /*index*/, op& /*decoded*/) {
    if constexpr (!operation::fused) {
        return compute_words_portably<operation>;
    } else if (host_features::fused()) {
        return compute_words_fused<operation, negates>;
    } else {
        return compute_words_exactly<operation, negates>;
    }
}
constexpr selector root_estimate = always<compute_words_exactly<floating::reciprocal_square_root, false>>;

/// VRT <- f(element of VRB).
template <auto f>
[[gnu::noinline]] u32 map_words(core& c, const op* o) {
    const context in(c);
    lanes<u32> elements = words(c, o->b);
    for (u32& each : elements) {
        each = in.rounded(f(in.decoded(each)));
    }
    set_words(c, o, elements);
    return no_exceptions;
}
/// VRT <- f(element of VRA, element of VRB).
template <auto f>
[[gnu::noinline]] u32 zip_words(core& c, const op* o) {
    const context in(c);
    const lanes<u32> a = words(c, o->a);
    const lanes<u32> b = words(c, o->b);
    lanes<u32> result;
    for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = f(in.decoded(a[i]), in.decoded(b[i]));
    }
    set_words(c, o, result);
    return no_exceptions;
}

template <ieee::rounding mode>
ieee::number to_integral(const ieee::number& n) {
    ieee::environment e;
    e.mode = mode;
    return ieee::round_to_integral(n, e);
}
/// VRT <- elements of VRB as integral numbers: on the host, unless one is denormal or a NaN.
template <ieee::rounding mode>
const op* to_integrals(core& c, const op* o) {
    lanes<u32> elements = lanes_of<u32>(c, 32 + o->b);
    u32 special = 0;
    for (u32& each : elements) {
        const auto result = ieee::host::to_integral<mode>(as_float(each));
        special |= denormal(each) | u32{!result.good};
        each = std::bit_cast<u32>(result.value);
    }
    if (special != 0) [[unlikely]] {
        return done<map_words<to_integral<mode>>>(c, o);
    }
    set_lanes<u32>(c, 32 + o->t, elements);
    return next(c, o);
}
/// Unlike in VSX, a NaN comes before a number.
template <auto extreme>
u32 extreme_of(const ieee::number& a, const ieee::number& b) {
    ieee::environment e;
    return encoded<u32>(a.is_nan() || b.is_nan() ? ieee::add(a, b, e) : extreme(a, b, e));
}

/// The same of numbers none of which is denormal, on the host. Where they are equal, only the signs of zeros may
/// differ.
template <bool maximum>
const op* select_extremes(core& c, const op* o) {
    const lanes<u32> a = lanes_of<u32>(c, 32 + o->a);
    const lanes<u32> b = lanes_of<u32>(c, 32 + o->b);
    lanes<u32> result;
    u32 special = 0;
    for (std::size_t i = 0; i < result.size(); ++i) {
        const float x = as_float(a[i]);
        const float y = as_float(b[i]);
        special |= denormal(a[i]) | denormal(b[i]) | u32{__builtin_isunordered(x, y) != 0};
        const u32 equal = maximum ? a[i] & b[i] : a[i] | b[i];
        result[i] = x == y ? equal : (x > y) == maximum ? a[i] : b[i];
    }
    if (special != 0) [[unlikely]] {
        return done<zip_words<extreme_of<maximum ? ieee::maximum : ieee::minimum>>>(c, o);
    }
    set_lanes<u32>(c, 32 + o->t, result);
    return next(c, o);
}

// --- Comparisons

template <std::uint8_t conditions>
u32 mask_of(const ieee::number& a, const ieee::number& b) {
    return (ieee::compare(a, b) & conditions) != 0 ? ~u32{0} : 0;
}
/// Bit 0: not A <= B; bit 1: not A >= -B.
u32 bounds_of(const ieee::number& a, const ieee::number& b) {
    const bool low_enough = (ieee::compare(a, b) & (8 | 2)) != 0;
    const bool high_enough = (ieee::compare(a, ieee::negated(b)) & (4 | 2)) != 0;
    return (low_enough ? 0 : 0x8000'0000) | (high_enough ? 0 : 0x4000'0000);
}
/// After zip_words of vcmpbfp: all elements are within their bounds.
void set_cr6_within(core& c, const lanes<u32>& bounds) {
    c.state.cr.field[6] = (bounds[0] | bounds[1] | bounds[2] | bounds[3]) == 0 ? 2 : 0;
}
template <auto f, auto set_condition>
[[gnu::noinline]] u32 compare_words(core& c, const op* o) {
    const context in(c);
    const lanes<u32> a = words(c, o->a);
    const lanes<u32> b = words(c, o->b);
    lanes<u32> result;
    for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = f(in.decoded(a[i]), in.decoded(b[i]));
    }
    set_words(c, o, result);
    set_condition(c, result);
    return no_exceptions;
}
/// Comparisons of numbers none of which is denormal, on the host.
template <std::uint8_t conditions, bool dot>
const op* compare_numbers(core& c, const op* o) {
    const lanes<u32> a = lanes_of<u32>(c, 32 + o->a);
    const lanes<u32> b = lanes_of<u32>(c, 32 + o->b);
    lanes<u32> masks;
    u32 special = 0;
    for (std::size_t i = 0; i < masks.size(); ++i) {
        const float x = as_float(a[i]);
        const float y = as_float(b[i]);
        special |= denormal(a[i]) | denormal(b[i]) | u32{__builtin_isunordered(x, y) != 0};
        const bool holds = conditions == 2 ? x == y : conditions == 4 ? x > y : x >= y;
        masks[i] = u32{0} - u32{holds};
    }
    if (special != 0) [[unlikely]] {
        if constexpr (dot) {
            return done<compare_words<mask_of<conditions>, set_cr6<u32>>>(c, o);
        } else {
            return done<zip_words<mask_of<conditions>>>(c, o);
        }
    }
    if constexpr (dot) {
        set_cr6<u32>(c, masks);
    }
    set_lanes<u32>(c, 32 + o->t, masks);
    return next(c, o);
}
template <std::uint8_t conditions>
handler select_compare_numbers(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word >> 10 & 1) != 0 ? guarded<facility::vmx, compare_numbers<conditions, true>>
                                 : guarded<facility::vmx, compare_numbers<conditions, false>>;
}
/// vcmpbfp, in the same way.
template <bool dot>
const op* compare_bounds(core& c, const op* o) {
    const lanes<u32> a = lanes_of<u32>(c, 32 + o->a);
    const lanes<u32> b = lanes_of<u32>(c, 32 + o->b);
    lanes<u32> bounds;
    u32 special = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        const float x = as_float(a[i]);
        const float y = as_float(b[i]);
        special |= denormal(a[i]) | denormal(b[i]) | u32{__builtin_isunordered(x, y) != 0};
        bounds[i] = u32{x > y} << 31 | u32{x < -y} << 30;
    }
    if (special != 0) [[unlikely]] {
        if constexpr (dot) {
            return done<compare_words<bounds_of, set_cr6_within>>(c, o);
        } else {
            return done<zip_words<bounds_of>>(c, o);
        }
    }
    if constexpr (dot) {
        set_cr6_within(c, bounds);
    }
    set_lanes<u32>(c, 32 + o->t, bounds);
    return next(c, o);
}
handler select_compare_bounds(u32 word, unsigned /*index*/, op& /*decoded*/) {
    return (word >> 10 & 1) != 0 ? guarded<facility::vmx, compare_bounds<true>>
                                 : guarded<facility::vmx, compare_bounds<false>>;
}

// --- Conversion; o->a: UIM

/// VRT <- VRB * 2^UIM truncated to a word integer, or the nearest there is, and then SAT is set; 0 of a NaN.
template <bool is_signed>
const op* to_integers(core& c, const op* o) {
    constexpr double lowest = is_signed ? -0x1p31 : 0;
    constexpr double highest = is_signed ? 0x1p31 - 1 : 0x1p32 - 1;
    const auto scale = static_cast<double>(u32{1} << o->a);
    lanes<u32> elements = lanes_of<u32>(c, 32 + o->b);
    bool saturates = false;
    for (u32& each : elements) {
        const double value = as_float(each) * scale;  // exact
        const bool high = value >= highest + 1;
        const bool low = value <= lowest - 1;
        const double within = high ? highest : low ? lowest : value;
        saturates |= high || low;
        each = value != value ? 0 : static_cast<u32>(static_cast<std::int64_t>(within));
    }
    c.state.vscr |= saturates ? saturated : 0;
    set_lanes<u32>(c, 32 + o->t, elements);
    return next(c, o);
}
/// VRT <- word integers / 2^UIM.
template <bool is_signed>
const op* from_integers(core& c, const op* o) {
    const float scale = 1 / static_cast<float>(u32{1} << o->a);
    lanes<u32> elements = lanes_of<u32>(c, 32 + o->b);
    for (u32& each : elements) {
        const float value = is_signed ? static_cast<float>(static_cast<std::int32_t>(each))
                                      : static_cast<float>(each);
        each = std::bit_cast<u32>(value * scale);  // rounded once: the product is exact
    }
    set_lanes<u32>(c, 32 + o->t, elements);
    return next(c, o);
}

// --- Estimates of 2^x and log2 x, with some 30 bits

/// 2^(2^-i) for i = 1 .. 30, with 62 bits behind the point.
constexpr std::array<u64, 31> roots_of_two = [] {
    std::array<u64, 31> roots{};
    uint128 square = uint128{2} << 124;
    for (std::size_t i = 1; i < roots.size(); ++i) {
        u64 root = 0;
        for (u64 digit = u64{1} << 63; digit != 0; digit >>= 1) {
            if (uint128{root | digit} * (root | digit) <= square) {
                root |= digit;
            }
        }
        roots.at(i) = root;
        square = uint128{root} << 62;
    }
    return roots;
}();

ieee::number power_of_two(const ieee::number& x) {
    if (x.is_nan()) {
        return x.is == ieee::kind::quiet_nan ? x : to_integral<ieee::rounding::nearest>(x);
    }
    if (x.is == ieee::kind::zero) {
        return ieee::from_unsigned(1);
    }
    if (x.is == ieee::kind::infinity || x.exponent > 8) {
        return x.negative ? ieee::zero(false) : ieee::infinity(false);
    }
    ieee::environment e;
    const ieee::number whole = to_integral<ieee::rounding::downward>(x);
    ieee::number fraction = ieee::subtract(x, whole, e);  // 0 .. 1
    fraction.exponent += 30;
    e.mode = ieee::rounding::toward_zero;
    const u64 digits = ieee::to_integer(fraction, 32, false, e);
    u64 result = u64{1} << 62;
    for (unsigned i = 1; i <= 30; ++i) {
        if ((digits >> (30 - i) & 1) != 0) {
            result = static_cast<u64>(uint128{result} * roots_of_two.at(i) >> 62);
        }
    }
    ieee::number power = ieee::from_unsigned(result);
    power.exponent += static_cast<int>(static_cast<std::int64_t>(ieee::to_integer(whole, 32, true, e))) - 62;
    return power;
}

ieee::number logarithm(const ieee::number& x) {
    if (x.is_nan()) {
        return to_integral<ieee::rounding::nearest>(x);
    }
    if (x.is == ieee::kind::zero) {
        return ieee::infinity(true);
    }
    if (x.negative) {
        return ieee::default_nan;
    }
    if (x.is == ieee::kind::infinity) {
        return x;
    }
    // log2 of the significand, digit by digit: its square is 2 or more when the next digit is 1.
    auto significand = static_cast<u64>(x.significand >> 64);
    u64 digits = 0;
    for (unsigned i = 0; i < 30; ++i) {
        const uint128 square = uint128{significand} * significand;
        const bool one = (square >> 127) != 0;
        significand = static_cast<u64>(square >> (one ? 64 : 63));
        digits = digits << 1 | (one ? 1 : 0);
    }
    ieee::number result = ieee::from_signed((std::int64_t{x.exponent} << 30) +
                                            static_cast<std::int64_t>(digits));
    result.exponent -= result.is == ieee::kind::finite ? 30 : 0;
    return result;
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Floating-point instructions of the vector facility (VMX): Power ISA 3.0B Book I 6.10.
// clang-format off
constexpr instruction_row rows[] = {
    // 6.10 Floating point
    {"vaddfp",       vx_form(4, 10),         {vrt, vra, vrb},      plain, vmx, arithmetic, select_arithmetic<floating::add>},
    {"vsubfp",       vx_form(4, 74),         {vrt, vra, vrb},      plain, vmx, arithmetic, select_arithmetic<floating::subtract>},
    {"vmaddfp",      va_form(4, 46),         {vrt, vra, vrc, vrb}, plain, vmx, multiply_add, select_arithmetic<floating::multiply_add>},
    {"vnmsubfp",     va_form(4, 47),         {vrt, vra, vrc, vrb}, plain, vmx, multiply_add, select_arithmetic<floating::multiply_subtract, true>},
    {"vmaxfp",       vx_form(4, 1034),       {vrt, vra, vrb},      plain, vmx, arithmetic, when_available<vmx, select_extremes<true>>},
    {"vminfp",       vx_form(4, 1098),       {vrt, vra, vrb},      plain, vmx, arithmetic, when_available<vmx, select_extremes<false>>},
    {"vctuxs",       vx_form(4, 906),        {vrt, vrb, uim},      plain, vmx, convert, when_available<vmx, to_integers<false>>},
    {"vctsxs",       vx_form(4, 970),        {vrt, vrb, uim},      plain, vmx, convert, when_available<vmx, to_integers<true>>},
    {"vcfux",        vx_form(4, 778),        {vrt, vrb, uim},      plain, vmx, convert, when_available<vmx, from_integers<false>>},
    {"vcfsx",        vx_form(4, 842),        {vrt, vrb, uim},      plain, vmx, convert, when_available<vmx, from_integers<true>>},
    {"vrfim",        vx_form(4, 714),        {vrt, vrb},           plain, vmx, round, when_available<vmx, to_integrals<ieee::rounding::downward>>},
    {"vrfin",        vx_form(4, 522),        {vrt, vrb},           plain, vmx, round, when_available<vmx, to_integrals<ieee::rounding::nearest>>},
    {"vrfip",        vx_form(4, 650),        {vrt, vrb},           plain, vmx, round, when_available<vmx, to_integrals<ieee::rounding::upward>>},
    {"vrfiz",        vx_form(4, 586),        {vrt, vrb},           plain, vmx, round, when_available<vmx, to_integrals<ieee::rounding::toward_zero>>},
    {"vcmpbfp",      vc_form(4, 966),        {vrt, vra, vrb},      rc,    vmx, compare, select_compare_bounds},
    {"vcmpeqfp",     vc_form(4, 198),        {vrt, vra, vrb},      rc,    vmx, compare, select_compare_numbers<2>},
    {"vcmpgefp",     vc_form(4, 454),        {vrt, vra, vrb},      rc,    vmx, compare, select_compare_numbers<4 | 2>},
    {"vcmpgtfp",     vc_form(4, 710),        {vrt, vra, vrb},      rc,    vmx, compare, select_compare_numbers<4>},
    {"vexptefp",     vx_form(4, 394),        {vrt, vrb},           plain, vmx, estimate, when_done<vmx, map_words<power_of_two>>},
    {"vlogefp",      vx_form(4, 458),        {vrt, vrb},           plain, vmx, estimate, when_done<vmx, map_words<logarithm>>},
    {"vrefp",        vx_form(4, 266),        {vrt, vrb},           plain, vmx, estimate, select_arithmetic<floating::reciprocal>},
    {"vrsqrtefp",    vx_form(4, 330),        {vrt, vrb},           plain, vmx, estimate, root_estimate},
};
// clang-format on

}  // namespace

std::span<const instruction_row> vmx_floating_rows() { return rows; }

}  // namespace pefsim::power::isa
