// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "power/engine/core.h"

namespace pefsim::power::debug::gdb {

/// Byte order in which registers travel: what the user's gdb believes of the target ("set endian").
enum class byte_order : std::uint8_t { little, big };

/// Registers by the numbers that the target description gives them: GPRs 0, FPRs 32, pc 64, msr, cr, lr, ctr, xer,
/// fpscr, orig_r3, trap, VRs 73, vscr, vrsave, doublewords 1 of VSRs 0..31 from 107 on. The packet "g" has all of them,
/// in this order. The special purpose registers that gdb does not know come behind, in the order of
/// single_registers(): gdb asks for each of them when its user does.
inline constexpr std::size_t register_count = 107 + 32;

/// Bytes of register `number`; 0: there is no such register.
std::size_t register_size(std::size_t number);
/// \param of the core; nothing of it is changed
std::vector<std::byte> read_register(core& of, std::size_t number, byte_order order);
/// \param value of register_size() bytes. Registers that only Linux has, orig_r3 and trap, keep 0.
/// \returns false for a special purpose register that is only to be read
bool write_register(core& of, std::size_t number, byte_order order, std::span<const std::byte> value);

/// The target description in XML: powerpc:common64 with features core, fpu, altivec, vsx and linux, and a feature of
/// pefsim's own with the special purpose registers by name: "info registers spr" shows them.
const std::string& target_description();

}  // namespace pefsim::power::debug::gdb
