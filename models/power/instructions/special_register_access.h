// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/op.h"

namespace pefsim::power::isa {

/// Selectors of mfspr, mftb and mtspr (Power ISA 3.0B Book I 3.3.17, Book III 4.4.4). They read SPR from the
/// instruction word; what they find there is in special_registers.h.
handler select_mfspr(std::uint32_t word, unsigned index, op& decoded);
handler select_mtspr(std::uint32_t word, unsigned index, op& decoded);

}  // namespace pefsim::power::isa
