// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/isa/instruction.h"

namespace pefsim::power::isa {

/// The instruction that a POWER9 executes for `word`, or null when the word is undefined (illegal). Reserved
/// bits are ignored, and invalid forms are instructions. Two table look-ups and at most most_candidates
/// comparisons.
const instruction* decode(std::uint32_t word);

/// No look-up meets more rows than this: instructions that share an extended opcode and differ in EO.
inline constexpr unsigned most_candidates = 16;

}  // namespace pefsim::power::isa
