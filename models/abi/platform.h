// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "abi/address.h"

/// The platform as firmware describes it to the guest: where things stand in the guest physical address space and how
/// interrupts are numbered. Guest RAM starts at 0 and ends below `mmio_base`. That no two things answer at one address
/// is proved at the end of this file, for a machine with all the RAM that one may have.
namespace pefsim::abi::platform {

/// Guest RAM is at most 64 GiB; everything above is the host bridge's.
inline constexpr std::uint64_t max_ram_size = std::uint64_t{64} << 30;
inline constexpr phys_addr mmio_base{0x100'0000'0000};

/// ECAM: 4 KiB of configuration space for each of 256 device/functions of bus 0.
inline constexpr phys_addr ecam_base{mmio_base};
inline constexpr std::uint64_t ecam_size = std::uint64_t{1} << 20;

/// The host bridge's unit ID (BUID), by which RTAS names it. PAPR 2.8, 7.3.4.
inline constexpr std::uint64_t bridge_unit = 0x800'0000'2000'0000;

/// Window for 64-bit memory BARs; guest physical address and PCI bus address are the same.
inline constexpr phys_addr pci_memory_base{mmio_base + 0x1000'0000};
inline constexpr std::uint64_t pci_memory_size = std::uint64_t{1} << 28;

/// A device's write of a 32-bit source number to this bus address is a message-signalled interrupt. Bit 60 marks 64-bit
/// messages, as on the host bridges of POWER8 and POWER9: above all RAM, which a device in bypass reaches at its guest
/// physical address. The customary 32-bit address (0xffff0000) is RAM on a machine with 4 GiB.
inline constexpr dma_addr msi_address{std::uint64_t{1} << 60};
inline constexpr std::uint64_t msi_window_size = 4;

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

/// XICS numbers of the virtual devices' sources, which are edge-triggered; firmware leaves them masked and routed to
/// server 0. LoPAR 2.9, VIO infrastructure, general requirements.
inline constexpr std::uint32_t first_virtual_source = first_lsi_source + lsi_source_count;
inline constexpr std::uint32_t virtual_source_count = 1;
/// The virtual terminal has characters for the guest.
inline constexpr std::uint32_t terminal_source = first_virtual_source;
/// Every number from first_msi_source on and below this one is a source, and no other is.
inline constexpr std::uint32_t source_end = first_virtual_source + virtual_source_count;

inline constexpr std::uint32_t ipi_source = 2;  ///< XICS_IPI

// --- XIVE (abi/xive.h), on a machine that has one, once the guest has chosen it. interrupt/xive_controller.h says what
// the device tree must tell of it.

/// Logical interrupt source numbers (LISN): 0 .. servers - 1 are the guest's to use for inter-processor interrupts; the
/// other sources have the numbers that they have in XICS. Each number below lisn_count has its two ESB pages.
inline constexpr std::uint32_t lisn_count = 0x2000;
inline constexpr unsigned xive_page_shift = 16;
inline constexpr std::uint64_t xive_page_size = std::uint64_t{1} << xive_page_shift;

/// Priorities of event queues: 0, the most favoured, to 6. The others are the platform's, as pairs of first and number
/// in `ibm,plat-res-int-priorities`.
inline constexpr unsigned xive_priorities = 7;
inline constexpr std::array<std::uint32_t, 2> reserved_priorities{xive_priorities, 0xff - xive_priorities};
/// What an event queue's size may be, as powers of two: `ibm,xive-eq-sizes` lists some or all of them.
inline constexpr std::array<unsigned, 4> event_queue_shifts{12, 16, 21, 24};

/// Event state buffers: for each LISN the trigger page, then the management page.
inline constexpr phys_addr esb_base{mmio_base + 0x10'0000'0000};
inline constexpr std::uint64_t esb_size = lisn_count * 2 * xive_page_size;
inline constexpr phys_addr esb_trigger_page(std::uint32_t lisn) {
    return esb_base + std::uint64_t{lisn} * 2 * xive_page_size;
}
inline constexpr phys_addr esb_management_page(std::uint32_t lisn) {
    return esb_trigger_page(lisn) + xive_page_size;
}

/// Notification pages of the event queues: one for each priority, 0 to 7, of each server.
inline constexpr unsigned max_servers = 64;
inline constexpr phys_addr notification_base{esb_base + 0x8000'0000};
inline constexpr std::uint64_t notification_size = max_servers * 8 * xive_page_size;
inline constexpr phys_addr notification_page(std::uint32_t server, unsigned priority) {
    return notification_base + (std::uint64_t{server} * 8 + priority) * xive_page_size;
}

/// Thread interrupt management area: the same registers seen in four pages, by privilege. A guest has the last two.
inline constexpr phys_addr tima_base{esb_base + 0xc000'0000};
inline constexpr std::uint64_t tima_size = 4 * xive_page_size;
inline constexpr phys_addr tima_os_page{tima_base + 2 * xive_page_size};
inline constexpr phys_addr tima_user_page{tima_base + 3 * xive_page_size};

/// Default 32-bit DMA window of each PCI function: bus addresses 0 .. dma_window_size, translated by TCEs of 4 KiB.
/// A function's logical I/O bus number is `liobn_base + (device/function << 8)`.
inline constexpr std::uint64_t liobn_base = 0x8000'0000;
inline constexpr std::uint64_t dma_window_size = std::uint64_t{1} << 30;
inline constexpr unsigned tce_page_shift = 12;
inline constexpr std::uint64_t liobn_of(unsigned devfn) { return liobn_base + (std::uint64_t{devfn} << 8); }
/// A dynamic DMA window that a function may have besides begins here, above RAM and below interrupt messages.
inline constexpr dma_addr dynamic_window_base{std::uint64_t{1} << 59};
inline constexpr std::uint64_t dynamic_liobn_of(unsigned devfn) { return liobn_of(devfn) + 1; }

/// Firmware's code in the guest: the client interface's entry stands here while an operating system boots; a page.
inline constexpr phys_addr client_entry{0x8000};

/// Unit addresses of the virtual devices: that of the virtual terminal, which H_PUT_TERM_CHAR and H_GET_TERM_CHAR name,
/// and that of the non-volatile memory.
inline constexpr std::uint64_t console_termno = 0x7100'0000;
inline constexpr std::uint64_t nvram_unit = console_termno + 1;

/// The only logical partition of this machine.
inline constexpr std::uint64_t lpid = 1;

// --- Nothing overlaps

/// Addresses base .. base + size - 1.
struct region {
    std::uint64_t base;
    std::uint64_t size;
};

/// \returns whether each region has a size, ends within 64 bits, and shares no address with another
template <std::size_t n>
constexpr bool disjoint(const std::array<region, n>& regions) {
    for (std::size_t i = 0; i < n; ++i) {
        const region& one = regions[i];
        if (one.size == 0 || one.base + (one.size - 1) < one.base) {
            return false;
        }
        for (std::size_t j = 0; j < i; ++j) {
            const region& other = regions[j];
            if (one.base <= other.base + (other.size - 1) && other.base <= one.base + (one.size - 1)) {
                return false;
            }
        }
    }
    return true;
}

inline constexpr region ram_region{0, max_ram_size};
inline constexpr region ecam_region{ecam_base.value(), ecam_size};
inline constexpr region pci_memory_region{pci_memory_base.value(), pci_memory_size};
inline constexpr region msi_region{msi_address.value(), msi_window_size};
inline constexpr region dma_window_region{0, dma_window_size};
inline constexpr region esb_region{esb_base.value(), esb_size};
inline constexpr region notification_region{notification_base.value(), notification_size};
inline constexpr region tima_region{tima_base.value(), tima_size};

// What a CPU reaches.
static_assert(disjoint(std::array{ram_region, ecam_region, pci_memory_region, esb_region, notification_region,
                                  tima_region}));
static_assert(max_ram_size <= mmio_base.value() && mmio_base <= ecam_base && mmio_base <= pci_memory_base &&
                  mmio_base <= esb_base,
              "what is not RAM is MMIO from mmio_base on");
static_assert(ecam_base < esb_base && pci_memory_base < esb_base && esb_base <= notification_base &&
                  esb_base <= tima_base,
              "what is MMIO from esb_base on is XIVE");
static_assert(tima_base + tima_size < phys_addr{secure_memory_bit});
static_assert(source_end <= lisn_count && max_servers <= first_msi_source);
// What a device reaches, without and with translation.
static_assert(disjoint(std::array{ram_region, ecam_region, pci_memory_region, msi_region}));
static_assert(disjoint(std::array{dma_window_region, ecam_region, pci_memory_region, msi_region}));
static_assert(dma_window_size <= std::uint64_t{1} << 32, "the default window is one of 32-bit addresses");

}  // namespace pefsim::abi::platform
