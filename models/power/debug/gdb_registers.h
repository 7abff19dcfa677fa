// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "power/registers.h"

namespace pefsim::power::debug::gdb {

/// Byte order in which registers travel: what the user's gdb believes of the target ("set endian").
enum class byte_order : std::uint8_t { little, big };

/// Registers by the numbers that the target description gives them: GPRs 0, FPRs 32, pc 64, msr, cr, lr, ctr, xer,
/// fpscr, orig_r3, trap, VRs 73, vscr, vrsave, doublewords 1 of VSRs 0..31 from 107 on.
inline constexpr std::size_t register_count = 107 + 32;
/// The packet "g" has all of them, in this order.

/// Bytes of register `number`; 0: there is no such register.
std::size_t register_size(std::size_t number);
std::vector<std::byte> read_register(const registers& state, std::size_t number, byte_order order);
/// \param value of register_size() bytes. Registers that only Linux has, orig_r3 and trap, keep 0.
void write_register(registers& state, std::size_t number, byte_order order, std::span<const std::byte> value);

/// The target description in XML: powerpc:common64 with features core, fpu, altivec, vsx and linux.
const std::string& target_description();

}  // namespace pefsim::power::debug::gdb
