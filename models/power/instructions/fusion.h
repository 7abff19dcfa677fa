// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/op.h"

namespace pefsim::power::isa {

/// A handler for two neighbouring instructions of a small page, of which the first stands at `index`; null when there
/// is none. It finds the second instruction's operands in the op behind its own. The second can still be entered by
/// itself, so nothing but speed depends on fusion: a compare and the conditional branch on its result are a fifth of
/// all integer code.
handler fused(std::uint32_t first, std::uint32_t second, unsigned index);

}  // namespace pefsim::power::isa
