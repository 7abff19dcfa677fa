// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace pefsim::power::isa {

/// Words for which GNU objdump -M power9 writes something else than disassemble(), and who is right.
struct known_difference {
    std::uint32_t match;
    std::uint32_t mask;
    std::string_view objdump;  ///< the mnemonics that it writes
    std::string_view reason;

    constexpr bool covers(std::uint32_t word) const { return (word & mask) == match; }
};

std::span<const known_difference> known_differences();

/// The one that covers `word`, or null.
const known_difference* known_difference_of(std::uint32_t word);

}  // namespace pefsim::power::isa
