// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "power/isa/instruction.h"

namespace pefsim::conformance {

/// Rows that a user program cannot execute in the way of the vectors, and why.
struct exclusion {
    std::string_view rows;  ///< a shell pattern of mnemonics
    std::string_view reason;
};

std::span<const exclusion> exclusions();

/// Why the row has no vectors; empty: it has some.
std::string_view exclusion_of(const power::isa::instruction& row);

/// True when one of the shell patterns in `patterns`, separated by blanks, matches the mnemonic.
bool matches(std::string_view patterns, std::string_view mnemonic);

}  // namespace pefsim::conformance
