// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "power/engine/core.h"
#include "power/instructions/facility.h"
#include "power/instructions/fixed_result.h"
#include "power/instructions/fixed_shape.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/special_register_access.h"

namespace pefsim::power::isa {
namespace {

// --- 3.3.16 Move to and from vector-scalar registers. Of a scalar only doubleword 0 is written:
// the ISA leaves the other one undefined.

/// RA <- f(VSR[XS])
template <u64 (*f)(const vector_register&)>
const op* from_vsr(core& c, const op* o) {
    c.state.gpr[o->a] = f(c.state.vsr[o->t]);
    return next(c, o);
}
u64 mfvsrd(const vector_register& x) { return x.high; }
u64 mfvsrld(const vector_register& x) { return x.low; }
u64 mfvsrwz(const vector_register& x) { return static_cast<u32>(x.high); }

/// VSR[XT].dword[0] <- f(RA)
template <u64 (*f)(u64)>
const op* to_vsr(core& c, const op* o) {
    c.state.vsr[o->t].high = f(c.state.gpr[o->a]);
    return next(c, o);
}
u64 mtvsrd(u64 a) { return a; }
u64 mtvsrwa(u64 a) { return extended(static_cast<i32>(a)); }
u64 mtvsrwz(u64 a) { return static_cast<u32>(a); }

const op* mtvsrws(core& c, const op* o) {
    const u64 word = static_cast<u32>(c.state.gpr[o->a]);
    const u64 twice = word << 32 | word;
    c.state.vsr[o->t] = {.low = twice, .high = twice};
    return next(c, o);
}
const op* mtvsrdd(core& c, const op* o) {
    c.state.vsr[o->t] = {.low = c.state.gpr[o->b], .high = c.state.gpr[o->a]};
    return next(c, o);
}

// --- 3.3.17 Move to and from system registers

/// CR field BF <- OV || OV32 || CA || CA32
const op* mcrxrx(core& c, const op* o) {
    c.state.cr.field[o->t] = static_cast<std::uint8_t>(xer_bit(c, xer::ov) << 3 | xer_bit(c, xer::ov32) << 2 |
                                                       xer_bit(c, xer::ca) << 1 | xer_bit(c, xer::ca32));
    return next(c, o);
}

const op* mfcr(core& c, const op* o) {
    c.state.gpr[o->t] = u32{c.state.cr};
    return next(c, o);
}
/// op::imm is FXM: the leftmost of its 8 bits stands for field 0.
const op* mtcrf(core& c, const op* o) {
    const condition_register from{static_cast<u32>(c.state.gpr[o->t])};
    for (unsigned i = 0; i < 8; ++i) {
        if ((static_cast<unsigned>(o->imm) & 0x80U >> i) != 0) {
            c.state.cr.field[i] = from.field[i];
        }
    }
    return next(c, o);
}

/// The forms for one field: op::c is its number. With several bits in FXM the leftmost counts; without any it is field
/// 7.
const op* mfocrf(core& c, const op* o) {
    c.state.gpr[o->t] = u64{c.state.cr.field[o->c]} << (28 - 4 * o->c);
    return next(c, o);
}
const op* mtocrf(core& c, const op* o) {
    c.state.cr.field[o->c] = static_cast<std::uint8_t>(c.state.gpr[o->t] >> (28 - 4 * o->c) & 0xf);
    return next(c, o);
}
template <handler one>
handler select_one_field(std::uint32_t word, unsigned /*index*/, op& decoded) {
    const auto fxm = static_cast<std::uint8_t>(fields::fxm.of(word));
    decoded.c = static_cast<std::uint8_t>(std::min(std::countl_zero(fxm), 7));
    return one;
}
handler select_mtcrf(std::uint32_t word, unsigned /*index*/, op& decoded) {
    decoded.imm = fields::fxm.of(word);
    return mtcrf;
}

const op* setb(core& c, const op* o) {
    const unsigned field = c.state.cr.field[o->a];
    c.state.gpr[o->t] = (field & 8) != 0 ? ~u64{0} : field >> 2 & 1;
    return next(c, o);
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Moves to and from registers that are not general: Power ISA 3.0B Book I 3.3.16 and 3.3.17.
// clang-format off
constexpr instruction_row rows[] = {
    // 3.3.16 Move to and from vector-scalar registers
    {"mfvsrd",   xx1_form(31, 51),  {ra, xs},           plain,                fp_or_vmx,  move, when_available<fp_or_vmx, from_vsr<mfvsrd>>},
    {"mfvsrwz",  xx1_form(31, 115), {ra, xs},           plain,                fp_or_vmx,  move, when_available<fp_or_vmx, from_vsr<mfvsrwz>>},
    {"mfvsrld",  xx1_form(31, 307), {ra, xs},           plain,                vsx_or_vmx, move, when_available<vsx_or_vmx, from_vsr<mfvsrld>>},
    {"mtvsrd",   xx1_form(31, 179), {xt, ra},           plain,                fp_or_vmx,  move, when_available<fp_or_vmx, to_vsr<mtvsrd>>},
    {"mtvsrwa",  xx1_form(31, 211), {xt, ra},           plain,                fp_or_vmx,  move, when_available<fp_or_vmx, to_vsr<mtvsrwa>>},
    {"mtvsrwz",  xx1_form(31, 243), {xt, ra},           plain,                fp_or_vmx,  move, when_available<fp_or_vmx, to_vsr<mtvsrwz>>},
    {"mtvsrdd",  xx1_form(31, 435), {xt, ra0, rb},      plain,                vsx_or_vmx, move, when_available<vsx_or_vmx, mtvsrdd>},
    {"mtvsrws",  xx1_form(31, 403), {xt, ra},           plain,                vsx_or_vmx, move, when_available<vsx_or_vmx, mtvsrws>},

    // 3.3.17 Move to and from system registers
    {"mtspr",    xfx_form(31, 467), {spr, rs},          plain,                fixed,      status, select_mtspr},
    {"mfspr",    xfx_form(31, 339), {rt, spr},          plain,                fixed,      status, select_mfspr},
    {"mcrxrx",   x_form(31, 576),   {bf},               plain,                fixed,      status, always<mcrxrx>},
    {"mtocrf",   xfx_form(31, 144).with(bit(11), 1), {fxm_one, rs}, plain,    fixed,      status, select_one_field<mtocrf>},
    {"mtcrf",    xfx_form(31, 144).with(bit(11), 0), {fxm, rs}, plain,        fixed,      status, select_mtcrf},
    {"mfocrf",   xfx_form(31, 19).with(bit(11), 1), {rt, fxm_one}, plain,     fixed,      status, select_one_field<mfocrf>},
    {"mfcr",     xfx_form(31, 19).with(bit(11), 0), {rt}, plain,              fixed,      status, always<mfcr>},
    {"setb",     x_form(31, 128),   {rt, bfa},          plain,                fixed,      status, always<setb>},
};
// clang-format on

}  // namespace

std::span<const instruction_row> fixed_move_rows() { return rows; }

}  // namespace pefsim::power::isa
