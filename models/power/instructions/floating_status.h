// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/core.h"
#include "power/ieee/environment.h"
#include "power/ieee/number.h"
#include "power/instructions/facility.h"

/// FPSCR as floating-point instructions leave it: Power ISA 3.0B Book I 4.2.2 and 4.4.
namespace pefsim::power::isa {

namespace fpscr = ieee::fpscr;

/// FPSCR with its summaries VX and FEX, which follow from the rest.
constexpr std::uint64_t summarised(std::uint64_t status) {
    const auto word = static_cast<std::uint32_t>(status);
    status &= ~std::uint64_t{fpscr::vx | fpscr::fex};
    status |= (word & fpscr::invalid) != 0 ? fpscr::vx : 0;
    status |= fpscr::enabled(word, word) != 0 ? fpscr::fex : 0;
    return status;
}

/// FPSCR after exceptions were raised: FX is set when one of them is new.
constexpr std::uint64_t with_exceptions(std::uint64_t status, std::uint32_t raised) {
    raised &= fpscr::exceptions;
    if ((raised & ~status) != 0) {
        status = summarised(status | raised | fpscr::fx);
    }
    return status;
}

/// The exceptions that leave a scalar target unchanged, when they are enabled.
inline constexpr std::uint32_t suppressing = fpscr::vx | fpscr::zx;

/// Records a scalar operation: exceptions, FR and FI. False when its target must not change.
inline bool report(core& c, const ieee::environment& e) {
    std::uint64_t status = c.state.fpscr & ~std::uint64_t{fpscr::fr | fpscr::fi};
    status |= e.raised & (fpscr::fr | fpscr::fi);
    c.state.fpscr = with_exceptions(status, e.raised);
    return (fpscr::enabled(e.raised, e.enabled) & suppressing) == 0;
}

/// Records a vector operation, which has neither FR nor FI. False when its target must not change.
inline bool report_vector(core& c, const ieee::environment& e) {
    c.state.fpscr = with_exceptions(c.state.fpscr, e.raised);
    return fpscr::enabled(e.raised, e.enabled) == 0;
}

/// Records an operation of scalar kind whose result is a normal number, and that raised inexact at most, which is not
/// enabled. The flags are 0 or 1, and bit 63 of `sign` is the sign: no branch waits for what nobody can predict.
[[gnu::always_inline]] inline void record_ordinary(core& c, std::uint64_t inexact, std::uint64_t incremented,
                                                   std::uint64_t sign) {
    const std::uint64_t status = c.state.fpscr;
    // FPRF is 0b00100, or 0b01000 of a negative number.
    const std::uint64_t normal = std::uint64_t{4} << (fpscr::fprf_shift + (sign >> 63));
    const std::uint64_t fresh = inexact << 25 & ~status;  // XX, and FX when XX is new
    c.state.fpscr = (status & ~std::uint64_t{fpscr::fr | fpscr::fi | fpscr::fprf}) | normal | inexact << 17 |
                    incremented << 18 | fresh | fresh << 6;
    static_assert(1U << 25 == fpscr::xx && fpscr::xx << 6 == fpscr::fx && 1U << 17 == fpscr::fi &&
                  1U << 18 == fpscr::fr);
}

inline void set_class(core& c, std::uint32_t result_class) {
    c.state.fpscr = (c.state.fpscr & ~std::uint64_t{fpscr::fprf}) | result_class << fpscr::fprf_shift;
}
inline void set_fpcc(core& c, std::uint8_t condition) {
    c.state.fpscr = (c.state.fpscr & ~std::uint64_t{fpscr::fpcc}) | std::uint64_t{condition}
                                                                        << fpscr::fprf_shift;
}
/// CR1 <- FX FEX VX OX.
inline void set_cr1(core& c) { c.state.cr.field[1] = c.state.fpscr >> 28 & 0xf; }

/// The Program interrupt of an enabled exception, at the instruction that raised it.
[[gnu::cold, gnu::noinline]] inline const op* enabled_exception(core& c, const op* o) {
    return c.raise(o, {.which = vector::program, .srr1 = program::enabled_fp});
}

/// Ends an instruction that has raised `raised`: CR1, and the interrupt when an exception is enabled and MSR[FE0 FE1]
/// do not say to ignore it (4.4, Book III 6.5.9).
template <bool dot = false>
[[gnu::always_inline]] inline const op* finish(core& c, const op* o, std::uint32_t raised) {
    if constexpr (dot) {
        set_cr1(c);
    }
    if (fpscr::enabled(raised, static_cast<std::uint32_t>(c.state.fpscr)) != 0 &&
        (c.state.msr & (msr_fe0 | msr_fe1)) != 0) [[unlikely]] {
        return enabled_exception(c, o);
    }
    return next(c, o);
}

/// What an instruction does up to its end: its work, apart from the call of the next instruction, since that call must
/// find the stack empty. \returns the exceptions raised
using work = std::uint32_t (*)(core&, const op*);

/// The handler of an instruction that is all in its work, which must not be inlined.
template <work run, bool dot = false>
const op* done(core& c, const op* o) {
    return finish<dot>(c, o, run(c, o));
}
/// The selector of such an instruction.
template <facility needs, work run>
handler when_done(std::uint32_t /*word*/, unsigned /*index*/, op& /*decoded*/) {
    return guarded<needs, done<run>>;
}

/// Writes a floating-point register; what stands behind it is undefined, and zero on the POWER9.
[[gnu::always_inline]] inline void set_scalar(core& c, std::uint8_t target, std::uint64_t bits) {
    c.state.vsr[target] = {.low = 0, .high = bits};
}
[[gnu::always_inline]] inline std::uint64_t scalar(const core& c, std::uint8_t source) {
    return c.state.vsr[source].high;
}

/// Records a scalar operation that delivers a number of `target`, kept as `stored`: binary64 unless it says so.
/// \returns the exceptions raised
template <ieee::format stored = ieee::binary64>
std::uint32_t deliver_scalar(core& c, const op* o, const ieee::number& result, const ieee::format& target,
                             const ieee::environment& e) {
    if (report(c, e)) {
        auto bits = static_cast<std::uint64_t>(ieee::encode(result, stored));
        if constexpr (stored.exponent_bits == ieee::binary32.exponent_bits) {
            bits |= bits << 32;  // in both words of the doubleword
        }
        set_scalar(c, o->t, bits);
        set_class(c, ieee::class_of(result, target));
    }
    return e.raised;
}

}  // namespace pefsim::power::isa
