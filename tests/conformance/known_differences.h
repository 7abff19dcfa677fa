// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "power/isa/instruction.h"
#include "tests/conformance/vector_file.h"

namespace pefsim::conformance {

/// One vector: what was executed, and the states before and after, the engine's and the other's.
struct sample {
    const power::isa::instruction* row = nullptr;
    std::uint32_t word = 0;
    const vector_state* before = nullptr;
    const vector_state* ours = nullptr;
    const vector_state* theirs = nullptr;
};

/// A part of the state.
enum class place : std::uint8_t {
    nothing,
    rt,       ///< the GPR in bits 6:10, or the pair
    ra,       ///< the GPR in bits 11:15
    target,   ///< both doublewords of FRT, VRT or XT, and of the second register of a pair
    target0,  ///< doubleword 0 of the first
    target1,  ///< doubleword 1 of it
    cr,
    xer,
    fpscr,
    vscr,
    signal,   ///< with its NIP and address
    address,  ///< of the fault
    memory,
};
struct part {
    place where = place::nothing;
    std::uint64_t bits = ~std::uint64_t{0};
};

/// Where qemu-ppc64le does not do what a POWER9 does, or both may do as they like.
struct known_difference {
    std::string_view rows;        ///< shell patterns of mnemonics
    bool (*when)(const sample&);  ///< null: always
    std::array<part, 4> parts;    ///< what is not compared
    std::string_view reason;      ///< what the Power ISA, or the processor, says
};

/// By chapter: one file each.
std::span<const known_difference> known_environment();
std::span<const known_difference> known_fixed();
std::span<const known_difference> known_floating();
std::span<const known_difference> known_decimal();
std::span<const known_difference> known_vector();
const std::vector<known_difference>& known_differences();

/// The number of the VSR of the first operand that is one; 64: there is none.
unsigned target_register(const sample& s);

/// True when the states after are equal but for what known differences allow.
bool equal_but_for_known(const sample& of);

/// The positions in known_differences() of those that cover a bit in which the states after differ.
std::vector<std::size_t> covering(const sample& of);

}  // namespace pefsim::conformance
