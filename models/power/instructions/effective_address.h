// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/core.h"

/// Effective addresses of storage operands (Power ISA 3.0B Book I 1.10.3). In 32-bit mode an access uses the lower
/// half; what an update puts into RA is the sum.
namespace pefsim::power::isa {

enum class ea : std::uint8_t {
    displaced,  ///< (RA|0) + displacement
    indexed,    ///< (RA|0) + RB
    direct,     ///< (RA|0)
};

template <ea how>
[[gnu::always_inline]] inline std::uint64_t address(const core& c, const op* o) {
    const std::uint64_t base = c.state.gpr[o->a];
    if constexpr (how == ea::displaced) {
        return base + static_cast<std::uint64_t>(std::int64_t{o->imm});
    } else if constexpr (how == ea::indexed) {
        return base + c.state.gpr[o->b];
    } else {
        return base;
    }
}

[[nodiscard]] inline bool little_endian(const core& c) { return (c.state.msr & msr_le) != 0; }

/// The Alignment interrupt of an instruction that cannot access `at`.
[[gnu::cold, gnu::noinline]] inline const op* misaligned(core& c, const op* o, std::uint64_t at) {
    return c.raise(o, alignment_fault(at & c.ea_mask()));
}

}  // namespace pefsim::power::isa
