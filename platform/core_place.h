// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cpu/power/debug/symbols.h"
#include "cpu/power/mmu/partition.h"
#include "cpu/power/power_cpu.h"
#include "memory/memory_bus.h"

namespace pefsim::platform {

/// Where a core stands, for people: "0x10004 <main+0x4>: lwz r3,0(r4)". The symbol if `symbols` (which may be null) knows one,
/// the instruction if the core could fetch it now. Nothing of the machine is changed by it, no reference bit and no metric.
std::string place_of(const cpu::power::power_cpu& core, const memory::memory_bus& memory,
                     const cpu::power::mmu::partition& partition,
                     const cpu::power::debug::symbol_lookup* symbols);

}  // namespace pefsim::platform
