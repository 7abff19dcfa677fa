// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "power/translator/emitter.h"

/// Vector-scalar registers stay in memory, where a register is a 128-bit integer in the host's order: its leftmost
/// element is the host's last.
namespace pefsim::power::host_code {

inline constexpr std::int32_t high = 8;  ///< doubleword 0, in bytes of a register

/// The VSR that the operand of the row in a place names: the target or what is stored first, then sources.
unsigned vsr_at(const guest_op& o, std::size_t place);

/// The instruction's handler, which causes the interrupt, is called when its facility is not available.
void require_facility(emitter& to, const guest_op& o);

}  // namespace pefsim::power::host_code
