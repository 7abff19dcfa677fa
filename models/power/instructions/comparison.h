// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "power/engine/core.h"

/// The operands of compare instructions, as T: a signed or unsigned integer of 32 or 64 bits (Power ISA 3.0B Book I
/// 3.3.10).
namespace pefsim::power::isa {

template <typename T>
[[gnu::always_inline]] inline T left_of(const core& c, const op* o) {
    return static_cast<T>(c.state.gpr[o->a]);
}
template <typename T, bool immediate>
[[gnu::always_inline]] inline T right_of(const core& c, const op* o) {
    return immediate ? static_cast<T>(o->imm) : static_cast<T>(c.state.gpr[o->b]);
}

}  // namespace pefsim::power::isa
