// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "power/isa/field.h"

namespace pefsim::power::isa {

/// Instruction formats (Power ISA 3.0B Book I 1.6). `dq_vsr` and `xx3_rc` are the variants of DQ and XX3 that
/// hold an extended opcode and a record bit.
// clang-format off
enum class form : std::uint8_t {
    i, b, sc, d, ds, dq, dq_vsr, dx, x, xl, xfx, xfl, xs, xo, a, m, md, mds,
    va, vx, vc, xx1, xx2, xx3, xx3_rc, xx4, z22, z23,
};
// clang-format on

/// Where a form keeps what selects an instruction, besides the primary opcode in bits 0:5.
struct form_layout {
    form id;
    std::string_view name;
    field extended_opcode;  ///< no bits: the primary opcode is all
    field record;           ///< Rc; no bits: the form has no dot form
};

// clang-format off
inline constexpr std::array form_layouts{
    form_layout{form::i,      "I",   {},            {}},
    form_layout{form::b,      "B",   {},            {}},
    form_layout{form::sc,     "SC",  {},            {}},
    form_layout{form::d,      "D",   {},            {}},
    form_layout{form::ds,     "DS",  bits(30, 31),  {}},
    form_layout{form::dq,     "DQ",  {},            {}},
    form_layout{form::dq_vsr, "DQ",  bits(29, 31),  {}},
    form_layout{form::dx,     "DX",  bits(26, 30),  {}},
    form_layout{form::x,      "X",   bits(21, 30),  bit(31)},
    form_layout{form::xl,     "XL",  bits(21, 30),  {}},
    form_layout{form::xfx,    "XFX", bits(21, 30),  {}},
    form_layout{form::xfl,    "XFL", bits(21, 30),  bit(31)},
    form_layout{form::xs,     "XS",  bits(21, 29),  bit(31)},
    form_layout{form::xo,     "XO",  bits(22, 30),  bit(31)},
    form_layout{form::a,      "A",   bits(26, 30),  bit(31)},
    form_layout{form::m,      "M",   {},            bit(31)},
    form_layout{form::md,     "MD",  bits(27, 29),  bit(31)},
    form_layout{form::mds,    "MDS", bits(27, 30),  bit(31)},
    form_layout{form::va,     "VA",  bits(26, 31),  {}},
    form_layout{form::vx,     "VX",  bits(21, 31),  {}},
    form_layout{form::vc,     "VC",  bits(22, 31),  bit(21)},
    form_layout{form::xx1,    "XX1", bits(21, 30),  {}},
    form_layout{form::xx2,    "XX2", bits(21, 29),  {}},
    form_layout{form::xx3,    "XX3", bits(21, 28),  {}},
    form_layout{form::xx3_rc, "XX3", bits(22, 28),  bit(21)},
    form_layout{form::xx4,    "XX4", bits(26, 27),  {}},
    form_layout{form::z22,    "Z22", bits(22, 30),  bit(31)},
    form_layout{form::z23,    "Z23", bits(23, 30),  bit(31)},
};
// clang-format on

constexpr const form_layout& layout_of(form which) { return form_layouts[static_cast<std::size_t>(which)]; }

/// Fields that select variants of an instruction.
inline constexpr field primary_opcode = bits(0, 5);
inline constexpr field opcode_in_ra = bits(11, 15);  ///< EO: an opcode where other instructions name RA
inline constexpr field overflow_enable = bit(21);    ///< OE
inline constexpr field absolute = bit(30);           ///< AA
inline constexpr field link = bit(31);               ///< LK
inline constexpr field round_to_odd = bit(31);       ///< RO; EX of xsrqpi

/// What a word must look like to be one instruction: word & mask == match. The mask covers opcode bits only,
/// so that reserved bits do not matter.
struct encoding {
    form format = form::i;
    std::uint32_t match = 0;
    std::uint32_t mask = 0;

    /// The same with `value` as opcode in `where`.
    consteval encoding with(const field& where, std::int32_t value) const {
        if ((mask & where.mask()) != 0 || where.of(where.put(value)) != value) {
            throw std::logic_error("an opcode that does not fit, or lies upon another");
        }
        return {format, match | where.put(value), mask | where.mask()};
    }
    /// The same with an opcode in bits 11:15.
    consteval encoding eo(std::int32_t value) const { return with(opcode_in_ra, value); }
    /// The same with Rc=1 as part of the opcode: an instruction that has no other form, such as stwcx.
    consteval encoding dot() const { return with(layout_of(format).record, 1); }
};

consteval encoding encode(form format, std::int32_t primary) {
    return encoding{.format = format}.with(primary_opcode, primary);
}
consteval encoding encode(form format, std::int32_t primary, std::int32_t extended) {
    return encode(format, primary).with(layout_of(format).extended_opcode, extended);
}

consteval encoding i_form(int po) { return encode(form::i, po); }
consteval encoding b_form(int po) { return encode(form::b, po); }
consteval encoding sc_form(int po) { return encode(form::sc, po); }
consteval encoding d_form(int po) { return encode(form::d, po); }
consteval encoding m_form(int po) { return encode(form::m, po); }
consteval encoding dq_form(int po) { return encode(form::dq, po); }
consteval encoding dq_form(int po, int xo) { return encode(form::dq_vsr, po, xo); }
consteval encoding ds_form(int po, int xo) { return encode(form::ds, po, xo); }
consteval encoding dx_form(int po, int xo) { return encode(form::dx, po, xo); }
consteval encoding x_form(int po, int xo) { return encode(form::x, po, xo); }
consteval encoding xl_form(int po, int xo) { return encode(form::xl, po, xo); }
consteval encoding xfx_form(int po, int xo) { return encode(form::xfx, po, xo); }
consteval encoding xfl_form(int po, int xo) { return encode(form::xfl, po, xo); }
consteval encoding xs_form(int po, int xo) { return encode(form::xs, po, xo); }
consteval encoding xo_form(int po, int xo) { return encode(form::xo, po, xo); }
consteval encoding a_form(int po, int xo) { return encode(form::a, po, xo); }
consteval encoding md_form(int po, int xo) { return encode(form::md, po, xo); }
consteval encoding mds_form(int po, int xo) { return encode(form::mds, po, xo); }
consteval encoding va_form(int po, int xo) { return encode(form::va, po, xo); }
consteval encoding vx_form(int po, int xo) { return encode(form::vx, po, xo); }
consteval encoding vc_form(int po, int xo) { return encode(form::vc, po, xo); }
consteval encoding xx1_form(int po, int xo) { return encode(form::xx1, po, xo); }
consteval encoding xx2_form(int po, int xo) { return encode(form::xx2, po, xo); }
consteval encoding xx3_form(int po, int xo) { return encode(form::xx3, po, xo); }
consteval encoding xx3_rc_form(int po, int xo) { return encode(form::xx3_rc, po, xo); }
consteval encoding xx4_form(int po, int xo) { return encode(form::xx4, po, xo); }
consteval encoding z22_form(int po, int xo) { return encode(form::z22, po, xo); }
consteval encoding z23_form(int po, int xo) { return encode(form::z23, po, xo); }

consteval encoding x_form(int po) { return encode(form::x, po); }

/// XX2-form with DCMX split around the extended opcode.
consteval encoding xx2_dcmx_form(int po, int high, int low) {
    return encode(form::xx2, po).with(bits(21, 24), high).with(bits(26, 28), low);
}

/// XX3-form with DM or SHW in bits 22:23.
consteval encoding xx3_dm_form(int po, int xo) {
    return encode(form::xx3, po).with(bit(21) || bits(24, 28), xo);
}

/// VX-form with PS in bit 22: the decimal instructions of VMX, whose opcode is bit 21 = 1 and bits 23:31.
consteval encoding vx_bcd_form(int po, int xo) {
    return encode(form::vx, po).with(bit(21) || bits(23, 31), 1 << 9 | xo);
}

}  // namespace pefsim::power::isa
