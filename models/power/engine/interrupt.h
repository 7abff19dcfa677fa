// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "power/engine/environment.h"
#include "power/registers.h"

namespace pefsim::power {

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

/// A row of the table of vectors.
struct vector_info {
    vector which;
    std::string_view name;
    bool relocated = true;  ///< LPCR[AIL] applies
};

// clang-format off
inline constexpr std::array vectors{
    vector_info{vector::system_reset,         "system_reset", false},
    vector_info{vector::machine_check,        "machine_check", false},
    vector_info{vector::data_storage,         "data_storage"},
    vector_info{vector::data_segment,         "data_segment"},
    vector_info{vector::instruction_storage,  "instruction_storage"},
    vector_info{vector::instruction_segment,  "instruction_segment"},
    vector_info{vector::external,             "external"},
    vector_info{vector::alignment,            "alignment"},
    vector_info{vector::program,              "program"},
    vector_info{vector::fp_unavailable,       "fp_unavailable"},
    vector_info{vector::decrementer,          "decrementer"},
    vector_info{vector::directed_doorbell,    "directed_doorbell"},
    vector_info{vector::system_call,          "system_call"},
    vector_info{vector::trace,                "trace"},
    vector_info{vector::hypervisor_emulation_assistance, "hypervisor_emulation_assistance"},
    vector_info{vector::performance_monitor,  "performance_monitor"},
    vector_info{vector::vector_unavailable,   "vector_unavailable"},
    vector_info{vector::vsx_unavailable,      "vsx_unavailable"},
    vector_info{vector::facility_unavailable, "facility_unavailable"},
    vector_info{vector::system_call_vectored, "system_call_vectored"},
};
// clang-format on

/// The row of `which`.
constexpr std::size_t row_of(vector which) {
    std::size_t row = 0;
    while (row + 1 < vectors.size() && vectors[row].which != which) {
        ++row;
    }
    return row;
}

/// An interrupt and what it reports, besides the state it saves.
struct interrupt_cause {
    vector which = vector::program;
    std::uint64_t srr1 = 0;  ///< bits that the interrupt sets in SRR1
    bool has_dar = false;    ///< sets DAR
    std::uint64_t dar = 0;
    bool has_dsisr = false;  ///< sets DSISR
    std::uint32_t dsisr = 0;
    bool completes = false;         ///< the instruction is complete: SRR0 is the address behind it
    bool has_facility = false;      ///< sets FSCR[IC]
    std::uint8_t facility = 0;      ///< interruption cause, of facility:: below
    std::uint8_t level = 0;         ///< of System Call Vectored
    std::uint32_t instruction = 0;  ///< for HEIR
};

/// SRR1 bits of a Program interrupt (6.5.9).
namespace program {
inline constexpr std::uint64_t enabled_fp = std::uint64_t{1} << (63 - 43);
inline constexpr std::uint64_t illegal = std::uint64_t{1} << (63 - 44);
inline constexpr std::uint64_t privileged = std::uint64_t{1} << (63 - 45);
inline constexpr std::uint64_t trap = std::uint64_t{1} << (63 - 46);
inline constexpr std::uint64_t behind = std::uint64_t{1} << (63 - 47);  ///< SRR0 is behind the cause
}  // namespace program

/// DSISR bits of a Data Storage interrupt (6.5.3), and where they differ SRR1 bits of an Instruction Storage interrupt
/// (6.5.5), which has the same in the same places.
namespace storage_status {
inline constexpr std::uint32_t no_translation = 0x4000'0000;
inline constexpr std::uint32_t no_execute = 0x1000'0000;  ///< SRR1: no-execute or guarded storage
inline constexpr std::uint32_t unsuitable =
    0x0400'0000;  ///< DSISR: caching-inhibited, and the instruction needs caches
inline constexpr std::uint32_t protection = 0x0800'0000;
inline constexpr std::uint32_t store = 0x0200'0000;
inline constexpr std::uint32_t watchpoint = 0x0040'0000;
inline constexpr std::uint32_t key = 0x0020'0000;  ///< virtual page class key, or AMR and IAMR under radix
inline constexpr std::uint32_t unsupported_mmu = 0x0008'0000;
}  // namespace storage_status

/// Bits of the Facility Status and Control Register, and the causes that it reports (6.2.10).
namespace facility_cause {
inline constexpr std::uint8_t dscr = 0x02;
inline constexpr std::uint8_t pmu = 0x03;
inline constexpr std::uint8_t bhrb = 0x04;
inline constexpr std::uint8_t tm = 0x05;
inline constexpr std::uint8_t ebb = 0x07;
inline constexpr std::uint8_t tar = 0x08;
inline constexpr std::uint8_t scv = 0x0c;
}  // namespace facility_cause
inline constexpr unsigned fscr_cause_shift = 56;
constexpr bool fscr_enables(std::uint64_t fscr, std::uint8_t cause) { return (fscr >> cause & 1) != 0; }

/// Bits of the Logical Partitioning Control Register that a guest's interrupts and timers obey (2.2).
namespace lpcr {
inline constexpr std::uint64_t ail = std::uint64_t{3} << (63 - 40);
inline constexpr std::uint64_t ail_3 = std::uint64_t{3} << (63 - 40);
inline constexpr std::uint64_t ail_2 = std::uint64_t{2} << (63 - 40);
inline constexpr std::uint64_t ile = std::uint64_t{1} << (63 - 38);
inline constexpr std::uint64_t evirt = std::uint64_t{1} << (63 - 42);
inline constexpr std::uint64_t hr = std::uint64_t{1} << (63 - 43);  ///< radix translation
inline constexpr std::uint64_t ld = std::uint64_t{1} << (63 - 45);  ///< large decrementer
inline constexpr std::uint64_t gtse = std::uint64_t{1}
                                      << (63 - 53);  ///< the guest may invalidate translations
}  // namespace lpcr

/// The interrupt that a failed translation of an instruction's address causes.
interrupt_cause instruction_fault(const translation& failed);
/// The same for data at `ea`.
interrupt_cause data_fault(const translation& failed, std::uint64_t ea, access_kind kind);
/// Alignment interrupt of an access at `ea`.
interrupt_cause alignment_fault(std::uint64_t ea);
/// Data Storage interrupt of an access that DAWR matches.
interrupt_cause watchpoint_match(std::uint64_t ea, access_kind kind);
/// Data Storage interrupt of an instruction that caching-inhibited storage does not serve.
interrupt_cause unsuitable_storage(std::uint64_t ea, access_kind kind);
/// Program interrupt of a floating-point exception that has come to be enabled by MSR[FE0 FE1], behind the instruction
/// that has changed them.
interrupt_cause enabled_by_msr();
/// Facility Unavailable, for a cause of facility_cause.
interrupt_cause facility_unavailable(std::uint8_t cause);
/// Program interrupt of a privileged instruction in problem state.
interrupt_cause privileged_instruction();
/// Hypervisor Emulation Assistance: an instruction that this processor, or this guest, has not.
interrupt_cause emulation_assistance(std::uint32_t instruction);

/// Saves state and enters the interrupt's vector: Power ISA 3.0B Book III 6.4 and 6.5, with LPCR[AIL] and LPCR[ILE].
///
/// Interrupts go to the guest (MSR[HV] and MSR[S] stay as they are). Hypervisor Emulation Assistance is the
/// hypervisor's; from a guest (MSR[HV]=0) it comes back as every hypervisor reflects it: a Program interrupt of the
/// illegal instruction type.
/// \param nip what SRR0 receives
void enter_interrupt(registers& state, std::uint64_t nip, const interrupt_cause& cause);

}  // namespace pefsim::power
