// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "power/instructions/instruction_row.h"
#include "power/isa/instruction.h"

namespace pefsim::power::isa {

/// Every instruction of a POWER9 (Power ISA 3.0B), chapter by chapter: the rows that instructions.h lists. The position
/// of a row is a dense index for tables beside this one.
std::span<const instruction> instructions();

/// The position of `row`, which must be one of instructions().
std::size_t index_of(const instruction& row);

/// Its semantics; null when the core has none.
selector selector_of(const instruction& row);

/// The row of that mnemonic as the table spells it ("add", not "addo."), or null.
const instruction* find(std::string_view mnemonic);

}  // namespace pefsim::power::isa
