// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "power/isa/instruction.h"

namespace pefsim::power::debug {

/// When an alias stands for its instruction: fields with fixed values, and a relation between fields if there
/// is one.
struct alias_condition {
    std::uint32_t match = 0;
    std::uint32_t mask = 0;
    bool (*also)(std::uint32_t word) = nullptr;

    constexpr bool holds(std::uint32_t word) const {
        return (word & mask) == match && (also == nullptr || also(word));
    }
};

/// An extended mnemonic (Power ISA 3.0B Book I appendix C): another way to write some words of an
/// instruction. The letters that the instruction's flags add ("." "o" "l" "a") are added to the alias too.
struct alias {
    std::string mnemonic;
    const isa::instruction* base = nullptr;
    alias_condition when;
    isa::operand_list operands{};
};

/// The aliases of `row` that GNU objdump writes for a POWER9, in the order in which it tries them.
std::span<const alias> aliases_of(const isa::instruction& row);

}  // namespace pefsim::power::debug
