// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "abi/address.h"

/// The platform as firmware describes it to the guest: where things stand in the guest physical address space and how
/// interrupts are numbered. Guest RAM starts at 0 and ends below `mmio_base`.
namespace pefsim::abi::platform {

/// Guest RAM is at most 64 GiB; everything above is the host bridge's.
inline constexpr std::uint64_t max_ram_size = std::uint64_t{64} << 30;
inline constexpr phys_addr mmio_base{0x100'0000'0000};

/// ECAM: 4 KiB of configuration space for each of 256 device/functions of bus 0.
inline constexpr phys_addr ecam_base{mmio_base};
inline constexpr std::uint64_t ecam_size = std::uint64_t{1} << 20;

/// Window for 64-bit memory BARs; guest physical address and PCI bus address are the same.
inline constexpr phys_addr pci_memory_base{mmio_base + 0x1000'0000};
inline constexpr std::uint64_t pci_memory_size = std::uint64_t{1} << 28;

/// A device's write of a 32-bit source number to this bus address is a message-signalled interrupt.
inline constexpr dma_addr msi_address{0xffff'0000};

/// XICS numbers of the host bridge's MSI sources. Firmware routes source `first_msi_source + n` to interrupt server
/// n mod (number of servers); the guest allots sources to vectors accordingly.
inline constexpr std::uint32_t first_msi_source = 0x1000;
inline constexpr std::uint32_t msi_source_count = 256;
/// Priority that firmware gives these sources (0 is the most favoured, 0xff masks).
inline constexpr std::uint8_t msi_source_priority = 5;

/// XICS numbers of the host bridge's four level-sensitive sources. INTA..INTD of device d is the source
/// `first_lsi_source + (d + pin - 1) mod 4`; firmware leaves them masked and routed to server 0.
inline constexpr std::uint32_t first_lsi_source = first_msi_source + msi_source_count;
inline constexpr std::uint32_t lsi_source_count = 4;

inline constexpr std::uint32_t ipi_source = 2;  ///< XICS_IPI

/// Default 32-bit DMA window of each PCI function: bus addresses 0 .. dma_window_size, translated by TCEs of 4 KiB.
/// A function's logical I/O bus number is `liobn_base + (device/function << 8)`.
inline constexpr std::uint64_t liobn_base = 0x8000'0000;
inline constexpr std::uint64_t dma_window_size = std::uint64_t{1} << 30;
inline constexpr unsigned tce_page_shift = 12;
inline constexpr std::uint64_t liobn_of(unsigned devfn) { return liobn_base + (std::uint64_t{devfn} << 8); }

/// Unit address of the virtual terminal that H_PUT_TERM_CHAR and H_GET_TERM_CHAR name.
inline constexpr std::uint64_t console_termno = 0x7100'0000;

/// The only logical partition of this machine.
inline constexpr std::uint64_t lpid = 1;

}  // namespace pefsim::abi::platform
