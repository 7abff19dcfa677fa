// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "power/engine/core.h"
#include "power/instructions/facility.h"

/// Special purpose registers: one row for each number that mfspr and mtspr may name (Power ISA 3.0B Book I 3.3.17, Book
/// III 4.4.4 and figure 18).
namespace pefsim::power::isa {

/// The PVR: a POWER9 DD2.2.
inline constexpr std::uint64_t processor_version = 0x004e'1202;

/// The least privilege that an access needs.
enum class privilege : std::uint8_t { problem, supervisor, hypervisor, ultravisor, nobody };

/// A row. Reads and writes that are more than a move are handlers of their own: they run after the checks, find RT or
/// RS in op::t, and go on with next(), or wherever they must.
struct special_register {
    std::uint16_t number = 0;
    spr held_in = spr::xer;
    privilege reads = privilege::problem;
    privilege writes = privilege::problem;
    std::uint64_t writable = ~std::uint64_t{0};  ///< bits that mtspr changes
    std::uint8_t needs = 0;   ///< a facility_cause that FSCR controls in problem state; 0: none
    handler read = nullptr;   ///< null: RT <- the register
    handler write = nullptr;  ///< null: the register <- RS, where writable
};

/// All of them, by number: those of problem state, and those of a guest's kernel and the performance monitor
/// (supervisor_registers.cpp).
std::span<const special_register> special_registers();
std::span<const special_register> supervisor_registers();
/// The row of that number, or null when the processor has none.
const special_register* find_special_register(unsigned number);

/// Selectors of mfspr, mftb and mtspr. They read SPR from the instruction word.
handler select_mfspr(std::uint32_t word, unsigned index, op& decoded);
handler select_mtspr(std::uint32_t word, unsigned index, op& decoded);

/// PPR[PRI] <- priority, when the state that the thread is in may ask for it; else nothing (Book II 3.1).
void set_program_priority(registers& state, unsigned priority);

}  // namespace pefsim::power::isa
