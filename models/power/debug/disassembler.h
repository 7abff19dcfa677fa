// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace pefsim::power::debug {

/// What to write for words that a POWER9 executes though no assembler writes them: reserved bits set, invalid
/// forms (Book I 1.8.2), reserved no-operations.
enum class unwritable : std::uint8_t {
    as_data,          ///< .long 0x..., as GNU objdump does
    as_instructions,  ///< what is executed
};

/// The assembly language of `word`, which stands at `address`, as GNU objdump -M power9 writes it: extended
/// mnemonics where there are any, branch targets as addresses. An undefined word gives ".long 0x...".
std::string disassemble(std::uint32_t word, std::uint64_t address, unwritable words = unwritable::as_data);

/// The same, at the end of `out`.
void append_disassembly(std::string& out, std::uint32_t word, std::uint64_t address,
                        unwritable words = unwritable::as_data);

}  // namespace pefsim::power::debug
