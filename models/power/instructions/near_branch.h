// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "power/engine/op.h"

namespace pefsim::power::isa {

/// The target of a branch within its small page, which is resolved when it is decoded: op::imm is the distance in bytes
/// of ops.
[[gnu::always_inline]] inline const op* near_target(const op* o) {
    return std::bit_cast<const op*>(std::bit_cast<std::uintptr_t>(o) +
                                    static_cast<std::uintptr_t>(std::intptr_t{o->imm}));
}

/// True when the instruction at `index` of its small page, branching by `displacement` bytes, stays in it.
bool stays_in_page(unsigned index, std::int32_t displacement);

}  // namespace pefsim::power::isa
