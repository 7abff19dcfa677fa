// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "power/engine/core.h"
#include "power/registers.h"

namespace pefsim::power::debug {

/// A register that one of the classes r0 .. r31, f0 .. f31, v0 .. v31 and vs0 .. vs63 does not name.
struct single_register {
    std::string_view
        name;  ///< lower case: "nip", "msr", "cr", "fpscr", "vscr", or of a special purpose register
    unsigned bits = 64;
    bool writable = true;
};

/// nip, msr, cr, fpscr and vscr, in this order, and then the special purpose registers that the core keeps, or can
/// tell: tb, vtb, ic and pvr are only to be read.
std::span<const single_register> single_registers();

/// The value of a single register, as the guest would read it now.
std::uint64_t read_register(core& of, const single_register& which);

/// Writes the register `name`: one of single_registers(), "pc" for nip, or rN, fN, vN (VSR N+32), vsN. What is narrower
/// than 128 bits takes the lower part of `value`.
/// \throws std::invalid_argument when there is no such register, it is not writable, or the value does not fit; nothing
///         is changed then
void write_register(core& of, std::string_view name, const vector_register& value);

}  // namespace pefsim::power::debug
