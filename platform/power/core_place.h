// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "memory/memory_bus.h"
#include "power/debug/symbols.h"
#include "power/mmu/partition.h"
#include "power/registers.h"

/// Where a core stands, or with another NIP and MSR stood, for people. Nothing of the machine is changed by it, no
/// reference bit and no metric. `symbols` may be null.
namespace pefsim::platform {

/// "0x10004 <main+0x4>", without the symbol where none is known.
std::string name_of_place(std::uint64_t ea, const power::debug::symbol_lookup* symbols);

/// The same, with the instruction if the core could fetch it now: "0x10004 <main+0x4>: lwz r3,0(r4)".
std::string place_of(const power::registers& state, const memory::memory_bus& memory,
                     const power::mmu::partition& partition, const power::debug::symbol_lookup* symbols);

/// Where the functions that stand on the core's stack return to, innermost first (power::debug::back_chain), as far as
/// the core could load its words. \param most addresses at most
std::vector<std::uint64_t> backtrace(const power::registers& state, const memory::memory_bus& memory,
                                     const power::mmu::partition& partition, std::size_t most = 24);

}  // namespace pefsim::platform
