// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "power/engine/op.h"
#include "power/registers.h"

/// The special purpose registers of a POWER9: one table, which mfspr and mtspr, the disassembler and the debugger read
/// (Power ISA 3.0B Book I 3.3.17, Book III 4.4.4 and figure 18, POWER9 Processor User's Manual).
namespace pefsim::power::isa {

/// The PVR: a POWER9 DD2.2.
inline constexpr std::uint64_t processor_version = 0x004e'1202;

/// How GNU binutils names the moves of a special purpose register.
enum class spr_mnemonics : std::uint8_t {
    number,  ///< mfspr, mtspr and its number
    from,    ///< mfNAME; written by number
    to,      ///< mtNAME; read by number
    both,    ///< mfNAME and mtNAME
};

/// The least privilege that an access needs.
enum class privilege : std::uint8_t { problem, supervisor, hypervisor, ultravisor, nobody };

/// A register under one of its numbers. Some have a second number for problem state, for reading or for writing.
///
/// Reads and writes that are more than a move are handlers of their own: they run after the checks, find RT or RS in
/// op::t, and go on with next(), or wherever they must.
struct special_register {
    /// Of a register that the core keeps and no instruction names.
    static constexpr std::uint16_t no_number = 1024;

    std::uint16_t number = 0;
    /// Lower case; a problem-state number has a u before the name where the ISA has none. Empty: reserved.
    std::string_view name;
    spr_mnemonics mnemonics = spr_mnemonics::number;
    std::uint8_t bits = 64;
    privilege reads = privilege::problem;  ///< nobody, as below: the processor of a guest has it not
    privilege writes = privilege::problem;
    std::optional<spr> held_in{};                ///< the state that it is; none: its handlers know
    handler read = nullptr;                      ///< null: RT <- the register
    handler write = nullptr;                     ///< null: the register <- RS, where writable
    std::uint64_t writable = ~std::uint64_t{0};  ///< those of its bits that mtspr changes
    std::uint8_t needs = 0;  ///< a facility_cause that FSCR controls in problem state; 0: none

    [[nodiscard]] constexpr std::uint64_t writable_bits() const {
        return writable & ~std::uint64_t{0} >> (64 - bits);
    }
};

/// All of them, by number.
std::span<const special_register> special_registers();
/// The row of that number, or null when the processor has none.
const special_register* find_special_register(unsigned number);
/// The row under whose number all of the register is moved: of several, the one of most privilege.
const special_register& special_register_of(spr which);

/// The privilege of the state that the thread is in.
privilege privilege_of(const registers& state);

/// PPR[PRI] <- priority, when the state that the thread is in may ask for it; else nothing (Book II 3.1).
void set_program_priority(registers& state, unsigned priority);

}  // namespace pefsim::power::isa
