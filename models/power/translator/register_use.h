// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "power/engine/op.h"
#include "power/isa/instruction.h"

namespace pefsim::power::host_code {

/// Guest registers that may stand in a register of the host, by number: r0 to r31, the zero that (RA|0) names, LR and
/// CTR.
inline constexpr unsigned zero_register = 32;
inline constexpr unsigned link_register = 33;
inline constexpr unsigned count_register = 34;
inline constexpr unsigned register_count = 35;

/// A set of guest registers.
struct register_set {
    std::uint64_t bits = 0;

    constexpr void add(unsigned which) {
        if (which != zero_register) {
            bits |= std::uint64_t{1} << which;
        }
    }
    constexpr void remove(unsigned which) { bits &= ~(std::uint64_t{1} << which); }
    [[nodiscard]] constexpr bool has(unsigned which) const { return (bits >> which & 1) != 0; }
    [[nodiscard]] constexpr bool empty() const { return bits == 0; }
    friend constexpr register_set operator|(register_set a, register_set b) { return {a.bits | b.bits}; }
    friend constexpr register_set operator&(register_set a, register_set b) { return {a.bits & b.bits}; }
    friend constexpr register_set operator-(register_set a, register_set b) { return {a.bits & ~b.bits}; }
    friend constexpr bool operator==(register_set, register_set) = default;

    template <typename Visit>
    void for_each(Visit visit) const {
        for (std::uint64_t rest = bits; rest != 0; rest &= rest - 1) {
            visit(static_cast<unsigned>(std::countr_zero(rest)));
        }
    }
};

/// What an instruction does to them.
struct register_use {
    register_set reads;
    register_set writes;
};

/// Of an instruction as its row describes it (Power ISA 3.0B Book I 1.6). Of those whose row does not tell (multiples,
/// strings, pairs) too little: nobody asks.
register_use use_of(const isa::instruction& row, std::uint32_t word);

/// True when it names no general purpose register, so that its handler leaves all of them alone.
bool names_no_gpr(const isa::instruction& row);

}  // namespace pefsim::power::host_code
