// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/op.h"

namespace pefsim::power::isa {

/// decoder::fused() of a POWER9: a compare and the conditional branch on its result are a fifth of all integer code.
handler fused(std::uint32_t first, std::uint32_t second, unsigned index);

}  // namespace pefsim::power::isa
