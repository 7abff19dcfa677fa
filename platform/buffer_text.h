// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "backend/frame_capture.h"
#include "exposure/ledger.h"
#include "memory/page_states.h"
#include "pci/host_bridge.h"
#include "pci/pci_function.h"

namespace pefsim::platform {

/// Bytes of a SWIOTLB slot: Linux's IO_TLB_SIZE.
inline constexpr std::uint64_t swiotlb_slot_size = 2048;

/// Where a buffer of a device lies, for people: "DMA 0x8012000, 1054 bytes, SWIOTLB slot 37, page 0x801 (SHARED)"; of
/// one that goes on into other slots or pages the last of them, too. The slot is counted from the begin of the pool
/// that the secure guest has shared; of an ordinary guest, which shares nothing, no pool is known.
std::string buffer_text(const backend::frame_buffer& buffer, const pci::pci_function& device,
                        const pci::host_bridge& bridge, const memory::page_states& states,
                        const exposure::ledger& ledger);

}  // namespace pefsim::platform
