// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>

#include "power/host_features.h"
#include "power/ieee/host_convert.h"
#include "power/instructions/facility.h"
#include "power/instructions/floating_operation.h"
#include "power/instructions/floating_status.h"

/// Floating-point operations on the elements of vector registers. An exception that is enabled, in any element, leaves
/// the whole target as it was (Power ISA 3.0B Book I 7.4).
namespace pefsim::power::isa {

/// A vector register as elements of one type, the rightmost first.
template <typename T>
using lanes = std::array<T, 16 / sizeof(T)>;

template <typename T>
[[gnu::always_inline]] inline lanes<T> lanes_of(const core& c, std::uint8_t source) {
    return std::bit_cast<lanes<T>>(c.state.vsr[source]);
}
template <typename T>
[[gnu::always_inline]] inline void set_lanes(core& c, std::uint8_t target, const lanes<T>& value) {
    c.state.vsr[target] = std::bit_cast<vector_register>(value);
}

/// The floating-point format as wide as the unsigned integer T.
template <typename T>
inline constexpr ieee::format format_of = sizeof(T) == 8 ? ieee::binary64 : ieee::binary32;

template <typename T>
T encoded(const ieee::number& n) {
    return static_cast<T>(ieee::encode(n, format_of<T>));
}

/// T <- result unless an enabled exception forbids. \returns the exceptions raised
template <typename T>
std::uint32_t deliver_lanes(core& c, const op* o, const lanes<T>& result, const ieee::environment& e) {
    if (report_vector(c, e)) {
        set_lanes<T>(c, o->t, result);
    }
    return e.raised;
}

/// T <- operation(A, B, C) for all operands, rounding modes and enables. T: the unsigned integer of an element's width.
template <typename operation, typename T, bool negates>
[[gnu::noinline]] std::uint32_t exact_lanes_work(core& c, const op* o) {
    ieee::environment e(c.state.fpscr);
    const lanes<T> a = lanes_of<T>(c, o->a);
    const lanes<T> b = lanes_of<T>(c, o->b);
    const lanes<T> third = lanes_of<T>(c, o->c);
    lanes<T> result;
    for (std::size_t i = 0; i < result.size(); ++i) {
        constexpr ieee::format f = format_of<T>;
        ieee::number n = operation::exactly(ieee::decode(a[i], f), ieee::decode(b[i], f),
                                            ieee::decode(third[i], f), e);
        n = ieee::round(n, f, e);
        result[i] = encoded<T>(negates ? ieee::negated(n) : n);
    }
    return deliver_lanes<T>(c, o, result, e);
}

template <typename operation, typename T, bool negates>
[[gnu::noinline]] const op* compute_lanes_exactly(core& c, const op* o) {
    if (!available<facility::vsx>(c)) [[unlikely]] {
        return unavailable<facility::vsx>(c, o);
    }
    return done<exact_lanes_work<operation, T, negates>>(c, o);
}

/// An element as the host has it.
[[gnu::always_inline]] inline double as_float(std::uint64_t bits) { return std::bit_cast<double>(bits); }
[[gnu::always_inline]] inline float as_float(std::uint32_t bits) { return std::bit_cast<float>(bits); }

/// True when every result is ordinary, or a zero without rounding.
template <typename operation, typename T>
[[gnu::always_inline]] inline bool zeros_are_exact(const lanes<T>& result, const lanes<T>& a,
                                                   const lanes<T>& b, const lanes<T>& third) {
    bool good = true;
    for (std::size_t i = 0; i < result.size(); ++i) {
        const auto value = as_float(result[i]);
        const bool zero = value == 0 &&
                          operation::zero_is_exact(as_float(a[i]), as_float(b[i]), as_float(third[i]));
        good &= zero || ieee::host::is_ordinary(value);
    }
    return good;
}

/// A vector register as the host has it.
template <typename T>
using floats = ieee::host::register_of<decltype(as_float(T{}))>;

template <typename T>
[[gnu::always_inline]] inline floats<T> floats_of(const core& c, std::uint8_t source) {
    return std::bit_cast<floats<T>>(c.state.vsr[source]);
}
template <typename T>
[[gnu::always_inline]] inline lanes<T> with_sign_changed(const floats<T>& value) {
    using bits [[gnu::vector_size(16)]] = T;
    return std::bit_cast<lanes<T>>(std::bit_cast<bits>(value) ^ T{1} << (8 * sizeof(T) - 1));
}

/// The same where the host's arithmetic gives the result, and nobody asks for the error: XX is set already.
template <typename operation, typename T, bool negates>
[[gnu::always_inline]] inline const op* compute_plain_lanes(core& c, const op* o) {
    const floats<T> a = floats_of<T>(c, o->a);
    const floats<T> b = floats_of<T>(c, o->b);
    const floats<T> third = floats_of<T>(c, o->c);
    const floats<T> value = operation::plain(a, b, third);
    const auto result = negates ? with_sign_changed<T>(value) : std::bit_cast<lanes<T>>(value);
    if (!ieee::host::are_ordinary(value) &&
        !zeros_are_exact<operation, T>(result, std::bit_cast<lanes<T>>(a), std::bit_cast<lanes<T>>(b),
                                       std::bit_cast<lanes<T>>(third))) [[unlikely]] {
        return compute_lanes_exactly<operation, T, negates>(c, o);
    }
    set_lanes<T>(c, o->t, result);
    return next(c, o);
}
/// The same where it gives the status too.
template <typename operation, typename T, bool negates>
[[gnu::always_inline]] inline const op* compute_tracked_lanes(core& c, const op* o) {
    const lanes<T> a = lanes_of<T>(c, o->a);
    const lanes<T> b = lanes_of<T>(c, o->b);
    const lanes<T> third = lanes_of<T>(c, o->c);
    lanes<T> result;
    std::uint64_t inexact = 0;
    bool good = true;
    for (std::size_t i = 0; i < result.size(); ++i) {
        constexpr T sign = T{negates} << (8 * sizeof(T) - 1);
        const auto rounded = operation::on_host(as_float(a[i]), as_float(b[i]), as_float(third[i]));
        const auto delivered = sizeof(T) == 8 ? ieee::host::deliver_double(rounded)
                                              : ieee::host::deliver_single(rounded);
        const auto value = static_cast<decltype(as_float(T{}))>(std::bit_cast<double>(delivered.bits));
        result[i] = std::bit_cast<T>(value) ^ sign;
        inexact |= delivered.inexact;
        good &= delivered.good;
    }
    if (!good) [[unlikely]] {
        return compute_lanes_exactly<operation, T, negates>(c, o);
    }
    const std::uint64_t fresh = inexact << 25;  // XX is not set
    c.state.fpscr |= fresh | fresh << 6;
    set_lanes<T>(c, o->t, result);
    return next(c, o);
}
template <typename operation, typename T, bool negates>
[[gnu::always_inline]] inline const op* compute_lanes(core& c, const op* o) {
    const std::uint64_t status = c.state.fpscr;
    if ((status & (fpscr::xe | fpscr::rn)) != 0 || !available<facility::vsx>(c)) [[unlikely]] {
        return compute_lanes_exactly<operation, T, negates>(c, o);
    }
    return (status & fpscr::xx) != 0 ? compute_plain_lanes<operation, T, negates>(c, o)
                                     : compute_tracked_lanes<operation, T, negates>(c, o);
}

template <typename operation, typename T, bool negates>
const op* compute_lanes_portably(core& c, const op* o) {
    return compute_lanes<operation, T, negates>(c, o);
}
template <typename operation, typename T, bool negates>
#if defined(__x86_64__)
[[gnu::target("fma")]]
#endif
const op*
compute_lanes_fused(core& c, const op* o) {
    return compute_lanes<operation, T, negates>(c, o);
}

template <typename operation, typename T, bool negates = false>
handler fastest_lanes() {
    if constexpr (!operation::fused) {
        return compute_lanes_portably<operation, T, negates>;
    } else if (host_features::fused()) {
        return compute_lanes_fused<operation, T, negates>;
    } else {
        return compute_lanes_exactly<operation, T, negates>;
    }
}

/// T <- f(element of B, environment), element by element.
template <typename T, auto f>
[[gnu::noinline]] std::uint32_t map_lanes(core& c, const op* o) {
    ieee::environment e(c.state.fpscr);
    const lanes<T> b = lanes_of<T>(c, o->b);
    lanes<T> result;
    for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = f(b[i], e);
    }
    return deliver_lanes<T>(c, o, result, e);
}

/// T <- quickly(element of B), where that is good for all of them; else as map_lanes does it with `exactly`.
template <typename T, auto quickly, auto exactly>
const op* map_quickly(core& c, const op* o) {
    const std::uint64_t status = c.state.fpscr;
    const lanes<T> b = lanes_of<T>(c, o->b);
    lanes<T> result;
    std::uint64_t inexact = 0;
    bool good = (status & (fpscr::xe | fpscr::rn)) == 0;
    for (std::size_t i = 0; i < result.size(); ++i) {
        const ieee::host::converted<T> element = quickly(b[i]);
        result[i] = element.value;
        inexact |= std::uint64_t{element.inexact};
        good &= element.good;
    }
    if (!good) [[unlikely]] {
        return done<map_lanes<T, exactly>>(c, o);
    }
    const std::uint64_t fresh = inexact << 25 & ~status;  // XX, and FX when XX is new
    c.state.fpscr = status | fresh | fresh << 6;
    set_lanes<T>(c, o->t, result);
    return next(c, o);
}

/// T <- f(element of A, element of B, environment), element by element.
template <typename T, auto f>
[[gnu::noinline]] std::uint32_t zip_lanes(core& c, const op* o) {
    ieee::environment e(c.state.fpscr);
    const lanes<T> a = lanes_of<T>(c, o->a);
    const lanes<T> b = lanes_of<T>(c, o->b);
    lanes<T> result;
    for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = f(a[i], b[i], e);
    }
    return deliver_lanes<T>(c, o, result, e);
}

/// CR6 after a comparison into masks: all true, 0, all false, 0.
template <typename T>
void set_cr6(core& c, const lanes<T>& masks) {
    const auto value = std::bit_cast<vector_register>(masks);
    const bool all = (value.low & value.high) == ~std::uint64_t{0};
    const bool none = (value.low | value.high) == 0;
    c.state.cr.field[6] = static_cast<std::uint8_t>((all ? 8 : 0) | (none ? 2 : 0));
}

}  // namespace pefsim::power::isa
