// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include "power/engine/core.h"
#include "power/instructions/comparison.h"
#include "power/instructions/fixed_result.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"

namespace pefsim::power::isa {
namespace {

// --- 3.3.10 Compare

template <typename T, bool immediate>
const op* compare_as(core& c, const op* o) {
    c.state.cr.field[o->t] = ordering(c, left_of<T>(c, o), right_of<T, immediate>(c, o));
    return next(c, o);
}
template <typename wide, typename narrow, bool immediate>
handler select_compare(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return info_of(operand::l).value(word) != 0 ? compare_as<wide, immediate> : compare_as<narrow, immediate>;
}

/// Byte `n` of `word`, counted from the right.
unsigned byte(u64 word, unsigned n) { return static_cast<unsigned>(word >> 8 * n & 0xff); }

/// CR field BF <- 0b0 || found || 0b00
const op* say_found(core& c, const op* o, bool found) {
    c.state.cr.field[o->t] = found ? 4 : 0;
    return next(c, o);
}
template <bool two_ranges>
const op* cmprb(core& c, const op* o) {
    const unsigned value = byte(c.state.gpr[o->a], 0);
    const u64 ranges = c.state.gpr[o->b];
    const auto within = [&](unsigned low) {
        return byte(ranges, low) <= value && value <= byte(ranges, low + 1);
    };
    return say_found(c, o, within(0) || (two_ranges && within(2)));
}
handler select_cmprb(std::uint32_t word, unsigned /*index*/, op& /*decoded*/) {
    return info_of(operand::l).value(word) != 0 ? cmprb<true> : cmprb<false>;
}
const op* cmpeqb(core& c, const op* o) {
    const unsigned value = byte(c.state.gpr[o->a], 0);
    bool found = false;
    for (unsigned n = 0; n < 8; ++n) {
        found = found || byte(c.state.gpr[o->b], n) == value;
    }
    return say_found(c, o, found);
}

// --- 3.3.11 Trap

[[gnu::cold, gnu::noinline]] const op* trap_taken(core& c, const op* o) {
    return c.raise(o, {.which = vector::program, .srr1 = program::trap});
}

/// TO: less, greater, equal, logically less, logically greater.
template <typename T, bool immediate>
const op* trap_if(core& c, const op* o) {
    using unsigned_t = std::make_unsigned_t<T>;
    const T a = static_cast<T>(c.state.gpr[o->a]);
    const T b = immediate ? static_cast<T>(o->imm) : static_cast<T>(c.state.gpr[o->b]);
    const bool logically_less = static_cast<unsigned_t>(a) < static_cast<unsigned_t>(b);
    const unsigned holds = a == b ? 4U : (a < b ? 16U : 8U) | (logically_less ? 2U : 1U);
    if ((holds & o->t) != 0) [[unlikely]] {
        return trap_taken(c, o);
    }
    return next(c, o);
}

// --- 3.3.12 Select. RA may be the zero.

/// \tparam bit of the field that op::c names. What is selected is seldom foreseeable: no branch of the host decides.
template <unsigned bit>
const op* isel(core& c, const op* o) {
    const u64 mask = -u64{(c.state.cr.field[o->c] & bit) != 0};
    const u64 otherwise = c.state.gpr[o->b];
    c.state.gpr[o->t] = otherwise ^ ((c.state.gpr[o->a] ^ otherwise) & mask);
    return next(c, o);
}
handler select_isel(std::uint32_t /*word*/, unsigned /*index*/, op& decoded) {
    constexpr handler by_bit[] = {isel<8>, isel<4>, isel<2>, isel<1>};
    const handler chosen = by_bit[decoded.c % 4];
    decoded.c /= 4;
    return chosen;
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Comparing, trapping and selecting: Power ISA 3.0B Book I 3.3.10 to 3.3.12.
// clang-format off
constexpr instruction_row rows[] = {
    // 3.3.10 Compare
    {"cmpi",     d_form(11),        {bf, l, ra, si},    plain,                fixed,      compare, select_compare<i64, i32, true>},
    {"cmp",      x_form(31, 0),     {bf, l, ra, rb},    plain,                fixed,      compare, select_compare<i64, i32, false>},
    {"cmpli",    d_form(10),        {bf, l, ra, ui},    plain,                fixed,      compare, select_compare<u64, u32, true>},
    {"cmpl",     x_form(31, 32),    {bf, l, ra, rb},    plain,                fixed,      compare, select_compare<u64, u32, false>},
    {"cmprb",    x_form(31, 192),   {bf, l, ra, rb},    plain,                fixed,      compare, select_cmprb},
    {"cmpeqb",   x_form(31, 224),   {bf, ra, rb},       plain,                fixed,      compare, always<cmpeqb>},

    // 3.3.11 Trap
    {"twi",      d_form(3),         {to, ra, si},       plain,                fixed,      trap, always<trap_if<i32, true>>},
    {"tdi",      d_form(2),         {to, ra, si},       plain,                fixed,      trap, always<trap_if<i64, true>>},
    {"tw",       x_form(31, 4),     {to, ra, rb},       plain,                fixed,      trap, always<trap_if<i32, false>>},
    {"td",       x_form(31, 68),    {to, ra, rb},       plain,                fixed,      trap, always<trap_if<i64, false>>},

    // 3.3.12 Select
    {"isel",     a_form(31, 15),    {rt, ra0, rb, bc},  plain,                fixed,      move, select_isel},
};
// clang-format on

}  // namespace

std::span<const instruction_row> fixed_compare_rows() { return rows; }

}  // namespace pefsim::power::isa
