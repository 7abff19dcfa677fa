// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "cpu/host_interrupt.h"
#include "power/registers.h"
#include "ultravisor/random_stream.h"

namespace pefsim::ultravisor {

/// What the hypervisor sees instead of a secure guest's registers, and the cookie that it must leave where it is.
struct disguise {
    power::registers shown;
    std::uint64_t cookie = 0;
};

/// Register hygiene between a secure guest and the hypervisor (doc/reflecting-exceptions.rst and core/masked-sprs-raw.h
/// of the public Ultravisor).
///
/// Shown to the hypervisor:
///
/// | register              | value                                                                        |
/// |-----------------------|------------------------------------------------------------------------------|
/// | R3 .. R3 + inputs - 1 | the call's number and arguments                                              |
/// | R31, SRR0, HSRR0      | a random cookie                                                              |
/// | other GPRs            | random                                                                       |
/// | VSRs                  | 0                                                                            |
/// | SRR1, HSRR1           | the guest's MSR with S=1, and at a call system call level 1                  |
/// | DEC                   | 0x7fffffff; the guest's own at H_CEDE, which sleeps until it expires         |
/// | PPR                   | 0x0010000000000000                                                           |
/// | LPIDR, PIDR           | the guest's                                                                  |
/// | DSISR                 | the guest's at a Machine Check                                               |
/// | all other SPRs, CR    | 0                                                                            |
/// | MSR                   | SF, HV, ME, LE                                                               |
/// | NIP                   | the vector: 0xc00 at a call                                                  |
///
/// An interrupt that the guest did not ask for (cpu/host_interrupt.h) declares no inputs and no outputs.
///
/// Back to the guest come only R3 .. R3 + outputs - 1, and only when the hypervisor has left LPIDR, PIDR and the cookie
/// as they were. (The public Ultravisor randomises the first register only: get_next_random64() never refills.)
class reflection {
public:
    static constexpr std::uint64_t masked_decrementer = 0x7fff'ffff;
    static constexpr std::uint64_t masked_ppr = 0x0010'0000'0000'0000;
    static constexpr std::uint64_t srr1_system_call_level = std::uint64_t{3} << (63 - 43);
    static constexpr std::uint64_t srr1_system_call_level_1 = std::uint64_t{1} << (63 - 43);
    static constexpr std::uint64_t system_call_vector = 0xc00;
    static constexpr std::uint64_t msr_me = std::uint64_t{1} << (63 - 51);

    explicit reflection(std::uint64_t seed) : noise_(seed) {}

    /// \param inputs the registers from R3 on that the call declares
    [[nodiscard]] disguise hide(const power::registers& guest, std::span<const std::uint64_t> inputs);
    [[nodiscard]] disguise hide(const power::registers& guest, cpu::host_interrupt which);
    /// \returns false when the hypervisor has changed LPIDR, PIDR, or the cookie in R31, SRR0 or HSRR0
    [[nodiscard]] static bool intact(const power::registers& guest, const disguise& back);
    /// \param n_out registers from R3 on
    static void take_back(const disguise& back, unsigned n_out, power::registers& guest);

private:
    disguise hide_all(const power::registers& guest, std::uint64_t vector);

    random_stream noise_;
};

}  // namespace pefsim::ultravisor
