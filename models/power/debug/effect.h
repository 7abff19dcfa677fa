// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "power/engine/observer.h"
#include "power/registers.h"

namespace pefsim::power::debug {

/// What is to be known of an instruction so that its execution can be shown: one result and one effective address.
///
/// The result is 8 bytes of `registers` after the instruction: the general purpose register or the doubleword 0 of the
/// floating-point, vector or vector-scalar register that is its target (its source, of a store), the eight fields of CR
/// of a comparison, LR of a branch that sets it, CTR of one that counts. Instructions with several targets show the
/// first. Fills everything in `decoded` besides `execute` and `word`.
void describe_effect(observed_op& decoded);

/// The effective address of a load, store or other access, before the instruction; 0 of any other instruction.
[[gnu::always_inline]] inline std::uint64_t effective_address(const observed_op& decoded,
                                                              const registers& state) {
    return state.gpr[decoded.base] + state.gpr[decoded.index] +
           static_cast<std::uint64_t>(std::int64_t{decoded.displacement});
}

/// True when effective_address() means something.
bool accesses_storage(const observed_op& decoded);

/// Assembly language's name of the result at an offset in `registers`: "r3", "vs34", "cr", "ctr"; empty: there is none.
std::string result_name(std::uint16_t offset);

/// The number of the general purpose register at an offset in `registers`, if one is there.
std::optional<std::size_t> gpr_of(std::uint16_t offset);

/// True of loads that change more general purpose registers than the one that is shown.
bool loads_many(const observed_op& decoded);

/// The result of an instruction that shows none.
std::uint16_t no_result();

}  // namespace pefsim::power::debug
