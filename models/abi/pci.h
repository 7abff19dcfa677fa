// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/endian/arithmetic.hpp>
#include <cstddef>
#include <cstdint>

/// PCI as guest and host bridge both know it: configuration space, base address registers, capabilities, MSI-X, ECAM.
/// PCI Local Bus Specification 3.0, chapter 6; PCI Express Base Specification 3.0, 7.2.2 (ECAM).
namespace pefsim::abi::pci {

// --- Configuration space (type 0 header): offsets in bytes; multi-byte registers are little-endian.
inline constexpr unsigned vendor_id = 0x00;
inline constexpr unsigned device_id = 0x02;
inline constexpr unsigned command = 0x04;
inline constexpr unsigned status = 0x06;
inline constexpr unsigned revision_id = 0x08;
inline constexpr unsigned class_code = 0x09;  ///< 3 bytes: programming interface, sub-class, base class
inline constexpr unsigned cache_line_size = 0x0c;
inline constexpr unsigned latency_timer = 0x0d;
inline constexpr unsigned header_type = 0x0e;
inline constexpr unsigned base_address = 0x10;  ///< six registers of 4 bytes
inline constexpr unsigned subsystem_vendor_id = 0x2c;
inline constexpr unsigned subsystem_id = 0x2e;
inline constexpr unsigned expansion_rom = 0x30;
inline constexpr unsigned capabilities_pointer = 0x34;
inline constexpr unsigned interrupt_line = 0x3c;
inline constexpr unsigned interrupt_pin = 0x3d;  ///< 0: none, 1..4: INTA..INTD

inline constexpr unsigned base_address_count = 6;
constexpr unsigned base_address_register(unsigned bar) { return base_address + 4 * bar; }
inline constexpr unsigned header_size = 0x40;       ///< where capabilities may start
inline constexpr unsigned compatible_size = 0x100;  ///< where capabilities end
inline constexpr unsigned config_space_size = 0x1000;
/// What a read of the vendor ID gives where no function is.
inline constexpr std::uint16_t no_vendor = 0xffff;

// --- Command register, bits.
inline constexpr std::uint16_t command_io_space = 1U << 0;
inline constexpr std::uint16_t command_memory_space = 1U << 1;
inline constexpr std::uint16_t command_bus_master = 1U << 2;
inline constexpr std::uint16_t command_parity_error_response = 1U << 6;
inline constexpr std::uint16_t command_serr_enable = 1U << 8;
inline constexpr std::uint16_t command_interrupt_disable = 1U << 10;

// --- Status register, bits.
inline constexpr std::uint16_t status_interrupt = 1U << 3;
inline constexpr std::uint16_t status_capabilities_list = 1U << 4;

// --- Base address registers: the low bits of the first register of a BAR.
inline constexpr std::uint32_t bar_io_space = 1U << 0;
inline constexpr std::uint32_t bar_type_64bit = 2U << 1;
inline constexpr std::uint32_t bar_prefetchable = 1U << 3;
inline constexpr std::uint32_t bar_memory_flags = 0xf;  ///< not part of the address of a memory BAR

// --- Capabilities: id, offset of the next one (0: last), then the capability's own bytes.
inline constexpr unsigned capability_id = 0;
inline constexpr unsigned capability_next = 1;
inline constexpr unsigned capability_body = 2;
inline constexpr std::uint8_t capability_power_management = 0x01;
inline constexpr std::uint8_t capability_vendor_specific = 0x09;
inline constexpr std::uint8_t capability_express = 0x10;
inline constexpr std::uint8_t capability_msix = 0x11;

// --- Power-management capability: offsets from its start (PCI Bus Power Management Interface 1.2, 3.2).
inline constexpr unsigned power_capabilities = 2;    ///< 16 bits, read-only
inline constexpr unsigned power_control_status = 4;  ///< 16 bits
inline constexpr unsigned power_capability_size = 8;
inline constexpr std::uint16_t power_version_1_2 = 3;  ///< in power_capabilities: neither D1, D2 nor PME#
inline constexpr std::uint16_t power_state_mask = 3;   ///< in power_control_status: the number of the D-state
inline constexpr std::uint16_t power_state_d0 = 0;
inline constexpr std::uint16_t power_state_d3hot = 3;
inline constexpr std::uint16_t power_no_soft_reset = 1U << 3;  ///< from D3hot to D0 everything stays

// --- PCI Express capability: offsets from its start (PCI Express Base 3.0, 7.8).
inline constexpr unsigned express_capabilities = 2;           ///< 16 bits: version, device/port type
inline constexpr unsigned express_device_capabilities = 4;    ///< 32 bits, read-only
inline constexpr unsigned express_device_control = 8;         ///< 16 bits
inline constexpr unsigned express_device_status = 10;         ///< 16 bits
inline constexpr unsigned express_device_capabilities2 = 36;  ///< 32 bits, read-only
inline constexpr unsigned express_device_control2 = 40;       ///< 16 bits
inline constexpr unsigned express_capability_size = 60;       ///< of version 2, with link and slot registers
inline constexpr std::uint16_t express_version_2 = 2;
inline constexpr std::uint16_t express_root_complex_integrated_endpoint = 9U << 4;
inline constexpr std::uint32_t express_role_based_errors = 1U << 15;  ///< device capabilities; always set
inline constexpr std::uint32_t express_function_level_reset = 1U
                                                              << 28;  ///< device capabilities: FLR is there
inline constexpr std::uint16_t express_error_reporting = 0xf;         ///< device control: four enable bits
inline constexpr std::uint16_t express_largest_read_request = 7U << 12;  ///< device control; 2: 512 bytes
inline constexpr std::uint16_t express_read_request_512 = 2U << 12;
inline constexpr std::uint16_t express_initiate_reset = 1U << 15;  ///< device control: FLR; reads 0
inline constexpr std::uint16_t express_completion_timeout_disable =
    1U << 4;  ///< device capabilities 2, control 2

// --- MSI-X capability: offsets from its start.
inline constexpr unsigned msix_message_control = 2;  ///< 16 bits
inline constexpr unsigned msix_table = 4;            ///< 32 bits: offset in the BAR, BAR number in bits 2:0
inline constexpr unsigned msix_pending_bits = 8;     ///< 32 bits: likewise
inline constexpr unsigned msix_capability_size = 12;
inline constexpr std::uint16_t msix_table_size_mask = 0x7ff;  ///< number of entries less one
inline constexpr std::uint16_t msix_function_mask = 1U << 14;
inline constexpr std::uint16_t msix_enable = 1U << 15;
inline constexpr std::uint32_t msix_bar_mask = 7;
inline constexpr unsigned msix_max_vectors = 2048;

/// One entry of the MSI-X table. Software uses aligned accesses of 4 or 8 bytes.
struct msix_table_entry {
    boost::endian::little_uint32_t address_low;
    boost::endian::little_uint32_t address_high;
    boost::endian::little_uint32_t data;
    boost::endian::little_uint32_t vector_control;
};
static_assert(sizeof(msix_table_entry) == 16);
inline constexpr std::uint32_t msix_vector_masked = 1U << 0;  ///< in vector_control; set after reset

// --- Device/function numbers and ECAM: 4 KiB of configuration space for each function of the bus.
constexpr unsigned devfn(unsigned device, unsigned function) { return device << 3 | function; }
constexpr unsigned device_of(unsigned device_function) { return device_function >> 3; }
constexpr unsigned function_of(unsigned device_function) { return device_function & 7; }
inline constexpr unsigned functions_per_bus = 256;

inline constexpr unsigned ecam_function_shift = 12;
constexpr std::uint64_t ecam_offset(unsigned device_function, unsigned config_offset) {
    return std::uint64_t{device_function} << ecam_function_shift | config_offset;
}
constexpr unsigned ecam_devfn(std::uint64_t offset) {
    return static_cast<unsigned>(offset >> ecam_function_shift);
}
constexpr unsigned ecam_register(std::uint64_t offset) {
    return static_cast<unsigned>(offset & (config_space_size - 1));
}

}  // namespace pefsim::abi::pci
