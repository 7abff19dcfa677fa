// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/memory_port.h"
#include "cpu/power_cpu/call_site.h"
#include "exposure/attribution.h"

namespace pefsim::cpu {

/// What a POWER CPU says of who writes and who calls: itself, with the instruction and its callers as origin.
struct authorship {
    authorship(const power::core& core, const memory_port& memory, const power::mmu::partition& partition,
               exposure::ledger& ledger)
        : writer(memory.writer()),
          site(core, memory, partition, ledger),
          watched_site(core, memory, partition, ledger) {}

    exposure::attribution writer;
    call_site site;
    call_site watched_site;  ///< of calls, and of stores that only a story tells
};

}  // namespace pefsim::cpu
