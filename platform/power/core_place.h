// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "memory/memory_bus.h"
#include "power/debug/symbols.h"
#include "power/mmu/partition.h"
#include "power/registers.h"

namespace pefsim::platform {

/// Where a core stands, or with another NIP and MSR stood, for people: "0x10004 <main+0x4>: lwz r3,0(r4)". The symbol
/// if `symbols` (which may be null) knows one, the instruction if the core could fetch it now. Nothing of the machine
/// is changed by it, no reference bit and no metric.
std::string place_of(const power::registers& state, const memory::memory_bus& memory,
                     const power::mmu::partition& partition, const power::debug::symbol_lookup* symbols);

}  // namespace pefsim::platform
