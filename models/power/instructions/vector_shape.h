// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "power/engine/core.h"
#include "power/instructions/facility.h"
#include "power/instructions/instruction_row.h"
#include "power/instructions/vector_element.h"

/// Shapes of instructions on whole vector-scalar registers: which registers are read, what is written besides the
/// target. The semantic function knows values only. Rows name a shape and a function: from_ab<facility::vmx, each<u8,
/// add>> is VRT.byte[i] <- add(VRA.byte[i], VRB.byte[i]).
namespace pefsim::power::isa {

using vector_in = const vector_register&;

/// What a saturating instruction leaves: the result, and whether VSCR[SAT] becomes 1.
struct saturating {
    vector_register value;
    bool saturated = false;
};

/// What an instruction with Rc=1 leaves: the result and CR field 6.
struct with_cr6 {
    vector_register value;
    std::uint8_t cr6 = 0;
};

// --- Functions of elements made functions of registers

/// f of corresponding elements.
template <typename T, auto f>
inline constexpr auto each = [](const std::same_as<vector_register> auto&... v) -> vector_register {
    const auto apply = [](const auto&... e) {
        elements<T> result;
        for (unsigned i = 0; i < elements<T>::count; ++i) {
            // NOLINTNEXTLINE(bugprone-signed-char-misuse): bytes are numbers here, with their signs
            result.host[i] = static_cast<T>(f(e.host[i]...));
        }
        return result;
    };
    return apply(elements<T>(v)...);
};

/// f of the registers as numbers of 128 bits.
template <auto f>
inline constexpr auto whole = [](const std::same_as<vector_register> auto&... v) -> vector_register {
    return vector_of(f(quad(v)...));
};

/// `value` as T, or the end of T's range that it exceeds.
template <typename T, typename Exact>
[[gnu::always_inline]] constexpr T clamped(Exact value) {
    constexpr Exact least = std::numeric_limits<T>::min();  // NOLINT(bugprone-signed-char-misuse): a number
    constexpr Exact most = std::numeric_limits<T>::max();
    return static_cast<T>(value < least ? least : value > most ? most : value);
}

/// Elements f(...), which saturates; where that differs from g(...), which does not, VSCR[SAT] becomes 1.
template <typename T, auto f, auto g>
inline constexpr auto each_saturating = [](const std::same_as<vector_register> auto&... v) -> saturating {
    constexpr auto lost = [](auto... e) { return static_cast<T>(f(e...)) ^ static_cast<T>(g(e...)); };
    return {each<T, f>(v...), quad(each<T, lost>(v...)) != 0};
};

// --- Handlers. op holds numbers of VSRs: what the selectors below make of numbers of VRs.

template <typename Result>
[[gnu::always_inline]] inline const op* finish(core& c, const op* o, const Result& result) {
    if constexpr (std::same_as<Result, saturating>) {
        c.state.vsr[o->t] = result.value;
        c.state.vscr |= result.saturated ? 1 : 0;
    } else if constexpr (std::same_as<Result, with_cr6>) {
        c.state.vsr[o->t] = result.value;
        c.state.cr.field[6] = result.cr6;
    } else {
        c.state.vsr[o->t] = result;
    }
    return next(c, o);
}

template <auto f>
[[gnu::flatten]] const op* run_a(core& c, const op* o) {
    return finish(c, o, f(c.state.vsr[o->a]));
}
template <auto f>
[[gnu::flatten]] const op* run_b(core& c, const op* o) {
    return finish(c, o, f(c.state.vsr[o->b]));
}
template <auto f>
[[gnu::flatten]] const op* run_ab(core& c, const op* o) {
    return finish(c, o, f(c.state.vsr[o->a], c.state.vsr[o->b]));
}
template <auto f>
[[gnu::flatten]] const op* run_abc(core& c, const op* o) {
    return finish(c, o, f(c.state.vsr[o->a], c.state.vsr[o->b], c.state.vsr[o->c]));
}
template <auto f>
[[gnu::flatten]] const op* run_tab(core& c, const op* o) {
    return finish(c, o, f(c.state.vsr[o->t], c.state.vsr[o->a], c.state.vsr[o->b]));
}
template <auto f>
[[gnu::flatten]] const op* run_immediate(core& c, const op* o) {
    return finish(c, o, f(o->imm));
}
template <auto f>
[[gnu::flatten]] const op* run_a_immediate(core& c, const op* o) {
    return finish(c, o, f(c.state.vsr[o->a], static_cast<unsigned>(o->imm)));
}
template <auto f>
[[gnu::flatten]] const op* run_b_immediate(core& c, const op* o) {
    return finish(c, o, f(c.state.vsr[o->b], static_cast<unsigned>(o->imm)));
}
template <auto f>
[[gnu::flatten]] const op* run_tb_immediate(core& c, const op* o) {
    return finish(c, o, f(c.state.vsr[o->t], c.state.vsr[o->b], static_cast<unsigned>(o->imm)));
}
template <auto f>
[[gnu::flatten]] const op* run_ab_immediate(core& c, const op* o) {
    return finish(c, o, f(c.state.vsr[o->a], c.state.vsr[o->b], static_cast<unsigned>(o->imm)));
}

// --- Selectors, one for each shape: f(VSR[A]), f(VSR[B]), f(VSR[A], VSR[B]) ...

/// VR n is VSR n + 32.
template <facility needs>
void number_vsrs(op& decoded) {
    if constexpr (needs == facility::vmx) {
        for (std::uint8_t* each : {&decoded.t, &decoded.a, &decoded.b, &decoded.c}) {
            *each = static_cast<std::uint8_t>((*each & 31) + 32);
        }
    }
}
template <facility needs, handler run>
handler on_vsrs(std::uint32_t /*word*/, unsigned /*index*/, op& decoded) {
    number_vsrs<needs>(decoded);
    return guarded_by_target<needs, run>(decoded);
}
/// The same with the immediate in op::imm.
template <facility needs, handler run, field immediate>
handler on_vsrs_with(std::uint32_t word, unsigned index, op& decoded) {
    decoded.imm = immediate.of(word);
    return on_vsrs<needs, run>(word, index, decoded);
}

template <facility needs, auto f>
inline constexpr selector from_a = on_vsrs<needs, run_a<f>>;
template <facility needs, auto f>
inline constexpr selector from_b = on_vsrs<needs, run_b<f>>;
template <facility needs, auto f>
inline constexpr selector from_ab = on_vsrs<needs, run_ab<f>>;
template <facility needs, auto f>
inline constexpr selector from_abc = on_vsrs<needs, run_abc<f>>;
template <facility needs, auto f>
inline constexpr selector from_tab = on_vsrs<needs, run_tab<f>>;

// The shapes of most VMX instructions.
template <auto f>
inline constexpr selector vb = from_b<facility::vmx, f>;
template <auto f>
inline constexpr selector vab = from_ab<facility::vmx, f>;
template <auto f>
inline constexpr selector vabc = from_abc<facility::vmx, f>;

template <facility needs, operand immediate, auto f>
inline constexpr selector from_immediate = on_vsrs_with<needs, run_immediate<f>, info_of(immediate).where>;
template <facility needs, operand immediate, auto f>
inline constexpr selector from_b_immediate =
    on_vsrs_with<needs, run_b_immediate<f>, info_of(immediate).where>;
template <facility needs, operand immediate, auto f>
inline constexpr selector from_tb_immediate =
    on_vsrs_with<needs, run_tb_immediate<f>, info_of(immediate).where>;
template <facility needs, operand immediate, auto f>
inline constexpr selector from_ab_immediate =
    on_vsrs_with<needs, run_ab_immediate<f>, info_of(immediate).where>;

}  // namespace pefsim::power::isa
