// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "abi/address.h"
#include "cpu/traps.h"
#include "power/registers.h"
#include "ultravisor/firmware.h"

namespace pefsim::ultravisor {

/// The secure guest's memory as the Ultravisor reads and writes it for the guest, over the bus: private pages in their
/// secure frames, shared ones where the host sees them; a page that is out comes in first. What is written counts as
/// the guest's in the exposure report.
///
/// \returns false when not all of it lies in memory slots, or a page does not come (the guest may be no more then)
bool read_guest(firmware& here, abi::phys_addr from, std::span<std::byte> to, const power::registers& state,
                cpu::trap_context& context);
bool write_guest(firmware& here, abi::phys_addr to, std::span<const std::byte> from,
                 const power::registers& state, cpu::trap_context& context);

}  // namespace pefsim::ultravisor
