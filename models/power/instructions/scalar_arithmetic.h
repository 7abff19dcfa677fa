// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "power/host_features.h"
#include "power/instructions/facility.h"
#include "power/instructions/floating_operation.h"
#include "power/instructions/floating_status.h"

/// Scalar arithmetic of both facilities that have it, FP and VSX: the same operations on the same registers (Power ISA
/// 3.0B Book I 4.6.6, 7.6.1.3).
namespace pefsim::power::isa {

/// A form of an arithmetic instruction.
struct scalar_form {
    facility needs = facility::fp;
    bool single = false;   ///< rounds to binary32
    bool negates = false;  ///< the result, after rounding
    bool dot = false;
};

/// T <- operation(A, B, C) for all operands, rounding modes and enables.
template <typename operation, scalar_form form>
[[gnu::noinline]] std::uint32_t exact_work(core& c, const op* o) {
    constexpr ieee::format target = form.single ? ieee::binary32 : ieee::binary64;
    ieee::environment e(c.state.fpscr);
    ieee::number result = operation::exactly(ieee::decode(scalar(c, o->a), ieee::binary64),
                                             ieee::decode(scalar(c, o->b), ieee::binary64),
                                             ieee::decode(scalar(c, o->c), ieee::binary64), e);
    result = ieee::round(result, target, e);
    return deliver_scalar(c, o, form.negates ? ieee::negated(result) : result, target, e);
}
template <typename operation, scalar_form form>
[[gnu::noinline]] const op* compute_exactly(core& c, const op* o) {
    if (!available<form.needs>(c)) [[unlikely]] {
        return unavailable<form.needs>(c, o);
    }
    return done<exact_work<operation, form>, form.dot>(c, o);
}

/// T <- a zero that is the result without rounding.
template <scalar_form form>
const op* deliver_zero(core& c, const op* o, std::uint64_t bits) {
    bits ^= std::uint64_t{form.negates} << 63;
    c.state.fpscr &= ~std::uint64_t{fpscr::fr | fpscr::fi};
    set_class(c, ieee::class_of(ieee::zero(bits != 0), ieee::binary64));
    set_scalar(c, o->t, bits);
    if constexpr (form.dot) {
        set_cr1(c);
    }
    return next(c, o);
}

/// The same where the host's arithmetic gives result and status.
template <typename operation, scalar_form form>
[[gnu::always_inline]] inline const op* compute(core& c, const op* o) {
    const std::uint64_t status = c.state.fpscr;
    const auto first = std::bit_cast<double>(scalar(c, o->a));
    const auto second = std::bit_cast<double>(scalar(c, o->b));
    const auto third = std::bit_cast<double>(scalar(c, o->c));
    const auto rounded = operation::on_host(first, second, third);
    const auto result = form.single ? ieee::host::deliver_single(rounded)
                                    : ieee::host::deliver_double(rounded);
    if ((status & (fpscr::xe | fpscr::rn)) != 0 || !available<form.needs>(c)) [[unlikely]] {
        return compute_exactly<operation, form>(c, o);
    }
    if (!result.good) [[unlikely]] {
        return rounded.value == 0 && operation::zero_is_exact(first, second, third)
                   ? deliver_zero<form>(c, o, std::bit_cast<std::uint64_t>(rounded.value))
                   : compute_exactly<operation, form>(c, o);
    }
    const std::uint64_t bits = result.bits ^ std::uint64_t{form.negates} << 63;
    record_ordinary(c, result.inexact, result.incremented, bits);
    set_scalar(c, o->t, bits);
    if constexpr (form.dot) {
        set_cr1(c);
    }
    return next(c, o);
}

template <typename operation, scalar_form form>
const op* compute_portably(core& c, const op* o) {
    return compute<operation, form>(c, o);
}
template <typename operation, scalar_form form>
#if defined(__x86_64__)
[[gnu::target("fma")]]
#endif
const op*
compute_fused(core& c, const op* o) {
    return compute<operation, form>(c, o);
}

template <typename operation, scalar_form form>
handler fastest() {
    if constexpr (!operation::fused) {
        return compute_portably<operation, form>;
    } else if (host_features::fused()) {
        return compute_fused<operation, form>;
    } else {
        return compute_exactly<operation, form>;
    }
}

}  // namespace pefsim::power::isa
