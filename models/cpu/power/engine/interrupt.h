// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "cpu/power/engine/environment.h"
#include "cpu/registers.h"

namespace pefsim::cpu::power {

/// Interrupt vectors, as effective address offsets (Power ISA 3.0B Book III 6.5).
enum class vector : std::uint16_t {
    system_reset = 0x100,
    machine_check = 0x200,
    data_storage = 0x300,
    data_segment = 0x380,
    instruction_storage = 0x400,
    instruction_segment = 0x480,
    external = 0x500,
    alignment = 0x600,
    program = 0x700,
    fp_unavailable = 0x800,
    decrementer = 0x900,
    directed_doorbell = 0xa00,
    system_call = 0xc00,
    trace = 0xd00,
    hypervisor_emulation_assistance = 0xe40,
    performance_monitor = 0xf00,
    vector_unavailable = 0xf20,
    vsx_unavailable = 0xf40,
    facility_unavailable = 0xf60,
    system_call_vectored = 0x3000,
};

/// An interrupt and what it reports, besides the state it saves.
struct interrupt_cause {
    vector which = vector::program;
    std::uint64_t srr1 = 0;  ///< bits that the interrupt sets in SRR1
    bool has_dar = false;    ///< sets DAR
    std::uint64_t dar = 0;
    bool has_dsisr = false;  ///< sets DSISR
    std::uint32_t dsisr = 0;
    bool completes = false;  ///< the instruction is complete: SRR0 is the address behind it
};

/// SRR1 bits of a Program interrupt (6.5.9).
namespace program {
inline constexpr std::uint64_t enabled_fp = std::uint64_t{1} << (63 - 43);
inline constexpr std::uint64_t illegal = std::uint64_t{1} << (63 - 44);
inline constexpr std::uint64_t privileged = std::uint64_t{1} << (63 - 45);
inline constexpr std::uint64_t trap = std::uint64_t{1} << (63 - 46);
}  // namespace program

/// The interrupt that a failed translation of an instruction's address causes.
interrupt_cause instruction_fault(const translation& failed);
/// The same for data at `ea`.
interrupt_cause data_fault(const translation& failed, std::uint64_t ea, access_kind kind);

/// Saves state and enters the interrupt's vector: Power ISA 3.0B Book III 6.4 and 6.5.
/// \param nip what SRR0 receives
void enter_interrupt(registers& state, std::uint64_t nip, const interrupt_cause& cause);

}  // namespace pefsim::cpu::power
