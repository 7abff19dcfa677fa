// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "power/ieee/arithmetic.h"
#include "power/ieee/host.h"
#include "power/ieee/quad.h"

/// The arithmetic of the floating-point facilities. exactly(): for all operands and modes; on_host(): for the common
/// case, with the error of the rounding; plain(): the same in binary64 or binary32 when nobody asks for the error;
/// zero_is_exact(): whether a result of zero, which is far from no end of the range, is one without rounding;
/// on_quads(): the common case of quad precision.
namespace pefsim::power::isa::floating {

using ieee::environment;
using ieee::number;

// All operations have the parameters a, b, c in the places of FRA, FRB, FRC; most need only some of them.

struct add {
    static constexpr bool fused = false;
    static number exactly(const number& a, const number& b, const number&, environment& e) {
        return ieee::add(a, b, e);
    }
    [[gnu::always_inline]] static ieee::host::rounded on_host(double a, double b, double) {
        return ieee::host::add(a, b);
    }
    template <typename F>
    [[gnu::always_inline]] static F plain(F a, F b, F) {
        return a + b;
    }
    template <typename F>
    [[gnu::always_inline]] static bool zero_is_exact(F, F, F) {
        return true;
    }
    static ieee::quad::delivered on_quads(uint128 a, uint128 b, uint128) { return ieee::quad::add(a, b); }
};
struct subtract {
    static constexpr bool fused = false;
    static number exactly(const number& a, const number& b, const number&, environment& e) {
        return ieee::subtract(a, b, e);
    }
    [[gnu::always_inline]] static ieee::host::rounded on_host(double a, double b, double) {
        return ieee::host::add(a, -b);
    }
    template <typename F>
    [[gnu::always_inline]] static F plain(F a, F b, F) {
        return a - b;
    }
    template <typename F>
    [[gnu::always_inline]] static bool zero_is_exact(F, F, F) {
        return true;
    }
    static ieee::quad::delivered on_quads(uint128 a, uint128 b, uint128) {
        return ieee::quad::subtract(a, b);
    }
};
/// a * b: fmul names its operands a and c, and is decoded to this.
struct multiply {
    static constexpr bool fused = true;
    static number exactly(const number& a, const number& b, const number&, environment& e) {
        return ieee::multiply(a, b, e);
    }
    [[gnu::always_inline]] static ieee::host::rounded on_host(double a, double b, double) {
        return ieee::host::multiply(a, b);
    }
    template <typename F>
    [[gnu::always_inline]] static F plain(F a, F b, F) {
        return a * b;
    }
    template <typename F>
    [[gnu::always_inline]] static bool zero_is_exact(F a, F b, F) {
        return a == 0 || b == 0;
    }
    static ieee::quad::delivered on_quads(uint128 a, uint128 b, uint128) {
        return ieee::quad::multiply(a, b);
    }
};
struct divide {
    static constexpr bool fused = true;
    static number exactly(const number& a, const number& b, const number&, environment& e) {
        return ieee::divide(a, b, e);
    }
    [[gnu::always_inline]] static ieee::host::rounded on_host(double a, double b, double) {
        return ieee::host::divide(a, b);
    }
    template <typename F>
    [[gnu::always_inline]] static F plain(F a, F b, F) {
        return a / b;
    }
    template <typename F>
    [[gnu::always_inline]] static bool zero_is_exact(F a, F, F) {
        return a == 0;
    }
    static ieee::quad::delivered on_quads(uint128 a, uint128 b, uint128) { return ieee::quad::divide(a, b); }
};
struct square_root {
    static constexpr bool fused = true;
    static number exactly(const number&, const number& b, const number&, environment& e) {
        return ieee::square_root(b, e);
    }
    [[gnu::always_inline]] static ieee::host::rounded on_host(double, double b, double) {
        return ieee::host::square_root(b);
    }
    template <typename F>
    [[gnu::always_inline]] static F plain(F, F b, F) {
        return ieee::host::plain_square_root(b);
    }
    template <typename F>
    [[gnu::always_inline]] static bool zero_is_exact(F, F b, F) {
        return b == 0;
    }
    static ieee::quad::delivered on_quads(uint128, uint128 b, uint128) { return ieee::quad::square_root(b); }
};
struct multiply_add {
    static constexpr bool fused = true;
    static number exactly(const number& a, const number& b, const number& c, environment& e) {
        return ieee::multiply_add(a, c, b, e);
    }
    [[gnu::always_inline]] static ieee::host::rounded on_host(double a, double b, double c) {
        return ieee::host::multiply_add(a, c, b);
    }
    template <typename F>
    [[gnu::always_inline]] static F plain(F a, F b, F c) {
        return ieee::host::plain_multiply_add(a, c, b);
    }
    template <typename F>
    [[gnu::always_inline]] static bool zero_is_exact(F a, F, F c) {
        return a == 0 || c == 0 || ieee::host::is_cancelled_exactly(a * c);
    }
    static ieee::quad::delivered on_quads(uint128 a, uint128 b, uint128 c) {
        return ieee::quad::multiply_add(a, c, b);
    }
};
struct multiply_subtract {
    static constexpr bool fused = true;
    static number exactly(const number& a, const number& b, const number& c, environment& e) {
        return ieee::multiply_subtract(a, c, b, e);
    }
    [[gnu::always_inline]] static ieee::host::rounded on_host(double a, double b, double c) {
        return ieee::host::multiply_add(a, c, -b);
    }
    template <typename F>
    [[gnu::always_inline]] static F plain(F a, F b, F c) {
        return ieee::host::plain_multiply_add(a, c, -b);
    }
    template <typename F>
    [[gnu::always_inline]] static bool zero_is_exact(F a, F, F c) {
        return a == 0 || c == 0 || ieee::host::is_cancelled_exactly(a * c);
    }
    static ieee::quad::delivered on_quads(uint128 a, uint128 b, uint128 c) {
        return ieee::quad::multiply_subtract(a, c, b);
    }
};

/// The operand itself: what frsp rounds.
struct identity {
    static constexpr bool fused = false;
    static number exactly(const number&, const number& b, const number&, environment& e) {
        return ieee::quieted(b, e);
    }
    [[gnu::always_inline]] static ieee::host::rounded on_host(double, double b, double) {
        return {.value = b};
    }
    template <typename F>
    [[gnu::always_inline]] static bool zero_is_exact(F, F b, F) {
        return b == 0;
    }
};

// The estimates are what division and square root give: the ISA asks for 14 bits at most, leaves their inexactness
// open, and a simulator wants the same bits everywhere.

struct reciprocal {
    static constexpr bool fused = true;
    static number exactly(const number&, const number& b, const number&, environment& e) {
        return ieee::divide(ieee::from_unsigned(1), b, e);
    }
    [[gnu::always_inline]] static ieee::host::rounded on_host(double, double b, double) {
        return ieee::host::divide(1, b);
    }
    template <typename F>
    [[gnu::always_inline]] static F plain(F, F b, F) {
        return ieee::host::plain_reciprocal(b);
    }
    template <typename F>
    [[gnu::always_inline]] static bool zero_is_exact(F, F, F) {
        return false;
    }
};
/// 1 / sqrt(b): rounded once, from the quotient by the first 60 bits of the root.
struct reciprocal_square_root {
    static constexpr bool fused = true;
    static number exactly(const number&, const number& b, const number&, environment& e) {
        number root = ieee::square_root(b, e);
        root.significand = root.significand >> 68 << 68;
        return ieee::divide(ieee::from_unsigned(1), root, e);
    }
};

}  // namespace pefsim::power::isa::floating
