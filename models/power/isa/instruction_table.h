// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "power/isa/instruction.h"

namespace pefsim::power::isa {

/// Every instruction of a POWER9 (Power ISA 3.0B), chapter by chapter: the rows of branch.h, fixed_point.h,
/// fixed_load_store.h, floating.h, decimal.h, vector.h, vector_scalar.h, system.h and transactional.h. The
/// position of a row is a dense index for tables beside this one.
std::span<const instruction> instructions();

/// The position of `row`, which must be one of instructions().
std::size_t index_of(const instruction& row);

/// The row of that mnemonic as the table spells it ("add", not "addo."), or null.
const instruction* find(std::string_view mnemonic);

std::string_view name_of(facility needs);
std::string_view name_of(instruction_class kind);

}  // namespace pefsim::power::isa
