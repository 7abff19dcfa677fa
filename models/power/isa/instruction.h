// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "power/isa/form.h"
#include "power/isa/operand.h"

namespace pefsim::power::isa {

/// What an instruction needs in order to run, and the interrupt when it lacks it.
enum class facility : std::uint8_t {
    branch,         ///< always there: branch facility, Book I chapter 2
    fixed,          ///< always there: fixed-point facility, chapter 3
    storage,        ///< always there: storage control and synchronisation, Book II
    system,         ///< always there: calls and what implementations define
    fp,             ///< MSR[FP], else Floating-Point Unavailable; chapter 4
    dfp,            ///< MSR[FP], else Floating-Point Unavailable; chapter 5
    vmx,            ///< MSR[VEC], else Vector Unavailable; chapter 6
    vsx,            ///< MSR[VSX], else VSX Unavailable; chapter 7
    vsx_or_vmx,     ///< MSR[VSX] for VSRs 0..31 as target or source, MSR[VEC] for VSRs 32..63
    fp_or_vmx,      ///< MSR[FP] for VSRs 0..31, MSR[VEC] for VSRs 32..63
    tm,             ///< MSR[TM], else Facility Unavailable; Book II chapter 5
    tm_privileged,  ///< privileged, then as tm
    ebb,            ///< FSCR[EBB] or MMCR0 and BHRB control, else Facility Unavailable; Book II chapter 6
    privileged,     ///< MSR[PR]=0, else Privileged Instruction
    hypervisor,     ///< MSR[HV PR]=0b10, else Privileged Instruction or Hypervisor Emulation Assistance
    ultravisor,     ///< MSR[S HV PR]=0b110
};

/// What an instruction does, in a word: the unit of coverage and of profiles.
enum class instruction_class : std::uint8_t {
    arithmetic,
    multiply_add,
    divide,
    compare,
    logical,
    shift,
    condition,  ///< condition register logic
    move,
    status,  ///< FPSCR, VSCR, XER and special purpose registers
    convert,
    round,
    estimate,
    permute,
    crypto,
    decimal,
    load,
    store,
    atomic,  ///< reservations, atomic memory operations, copy and paste
    cache,
    sync,
    jump,
    call,  ///< system calls and returns from interrupts
    trap,
    translation,
    message,
    power_save,
    transaction,
    reserved_nop,
};

/// Variants of an instruction that share its row, and side effects on XER that a row declares.
struct flag_set {
    std::uint16_t value = 0;

    constexpr bool has(flag_set other) const { return (value & other.value) == other.value; }
    friend constexpr flag_set operator|(flag_set a, flag_set b) {
        return {static_cast<std::uint16_t>(a.value | b.value)};
    }
    friend constexpr bool operator==(flag_set, flag_set) = default;
};

inline constexpr flag_set plain{};
inline constexpr flag_set rc{1U << 0};      ///< has a dot form (Rc=1), which sets CR0, CR1 or CR6
inline constexpr flag_set oe{1U << 1};      ///< has an "o" form (OE=1), which sets OV, OV32 and SO
inline constexpr flag_set lk{1U << 2};      ///< has an "l" form (LK=1), which sets LR
inline constexpr flag_set aa{1U << 3};      ///< has an "a" form (AA=1): the target is absolute
inline constexpr flag_set ro{1U << 4};      ///< has an "o" form (RO=1): rounds to odd
inline constexpr flag_set ex{1U << 5};      ///< has an "x" form (EX=1): inexact is signalled
inline constexpr flag_set ca_in{1U << 6};   ///< adds CA
inline constexpr flag_set ca{1U << 7};      ///< sets CA and CA32
inline constexpr flag_set update{1U << 8};  ///< RA receives the effective address

/// Operands in the order in which assembly language names them.
using operand_list = std::array<operand, 5>;

/// One instruction of the POWER9, as the Power ISA describes it: what it is called, how its words look, what it needs,
/// and what kind of thing it does. What it does exactly is the matter of instructions/.
struct instruction {
    std::string_view mnemonic;  ///< without the letters that the flags add
    encoding code;
    operand_list operands{};  ///< unused places at the end are operand::none
    flag_set flags;
    facility needs = facility::fixed;
    instruction_class kind = instruction_class::arithmetic;

    constexpr bool matches(std::uint32_t word) const { return (word & code.mask) == code.match; }

    /// Bits that select one of the row's variants.
    constexpr std::uint32_t variant_bits() const {
        return (flags.has(rc) ? layout_of(code.format).record.mask() : 0) |
               (flags.has(oe) ? overflow_enable.mask() : 0) | (flags.has(lk) ? link.mask() : 0) |
               (flags.has(aa) ? absolute.mask() : 0) |
               (flags.has(ro) || flags.has(ex) ? round_to_odd.mask() : 0);
    }

    /// Bits that the processor ignores: neither opcode, nor operand, nor variant.
    constexpr std::uint32_t reserved_bits() const {
        std::uint32_t used = code.mask | variant_bits();
        for (const operand each : operands) {
            used |= info_of(each).where.mask();
        }
        return ~used;
    }

    /// True when an operand of `word` makes the form invalid (Book I 1.8.2). POWER9 executes most of them.
    constexpr bool invalid_form(std::uint32_t word) const {
        for (const operand each : operands) {
            if (info_of(each).invalid != nullptr && info_of(each).invalid(word)) {
                return true;
            }
        }
        return false;
    }
};

std::string_view name_of(facility needs);
std::string_view name_of(instruction_class kind);

}  // namespace pefsim::power::isa
