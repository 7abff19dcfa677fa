// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "abi/address.h"
#include "cpu/traps.h"
#include "power/registers.h"
#include "ultravisor/firmware.h"
#include "ultravisor/page_machine.h"
#include "ultravisor/service.h"

namespace pefsim::ultravisor {

/// Shares pages of the secure guest with the host, all or none. They read as zero afterwards; a pseudo-shared page does
/// so for the host only.
/// \param pages 64 KiB pages from `first` on
/// \returns u_parameter, u_p2: which page could not be shared, and why
answer share(firmware& here, abi::gfn first, std::uint64_t pages, share_kind kind,
             const power::registers& state, cpu::trap_context& context);

}  // namespace pefsim::ultravisor
