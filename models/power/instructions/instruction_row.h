// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/op.h"
#include "power/isa/instruction.h"

namespace pefsim::power::isa {

/// Chooses the handler of an instruction word and may rewrite the operands, which hold what op says when it is called.
/// \param index of the word in its 4 KiB page, 0..1023
using selector = handler (*)(std::uint32_t word, unsigned index, op& decoded);

/// A row of the instruction table: what an instruction is, and what it does. Written without inner braces, as
/// {mnemonic, encoding, {operands}, flags, facility, class, selector}.
struct instruction_row {
    instruction description;
    selector select = nullptr;
};

}  // namespace pefsim::power::isa
