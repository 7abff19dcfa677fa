// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "abi/virtio.h"

/// Virtio over the PCI bus, modern interface (VIRTIO 1.2, 4.1).
namespace pefsim::abi::virtio::pci {

/// 4.1.2: a device's PCI device id is 0x1040 + virtio device id.
inline constexpr std::uint16_t vendor_id = 0x1af4;
constexpr std::uint16_t pci_device_id(device_id id) {
    return static_cast<std::uint16_t>(0x1040 + static_cast<std::uint16_t>(id));
}

/// The PCI capability id of all of them (PCI_CAP_ID_VNDR).
inline constexpr std::uint8_t cap_id_vendor_specific = 0x09;

/// virtio_pci_cap::cfg_type (4.1.4).
enum class cap_type : std::uint8_t {
    common_cfg = 1,
    notify_cfg = 2,
    isr_cfg = 3,
    device_cfg = 4,
    pci_cfg = 5,
    shared_memory_cfg = 8,
    vendor_cfg = 9,
};

/// struct virtio_pci_cap (4.1.4).
struct cap {
    std::uint8_t cap_vndr;  ///< cap_id_vendor_specific
    std::uint8_t cap_next;
    std::uint8_t cap_len;   ///< bytes of the whole capability, these three included
    std::uint8_t cfg_type;  ///< cap_type
    std::uint8_t bar;
    std::uint8_t id;  ///< tells several of one type apart
    std::array<std::uint8_t, 2> padding;
    le32 offset;  ///< in the BAR
    le32 length;  ///< of the structure, bytes
};
static_assert(sizeof(cap) == 16);

/// struct virtio_pci_cap64 (4.1.4.7, shared memory).
struct cap64 {
    pci::cap cap;
    le32 offset_hi;
    le32 length_hi;
};
static_assert(sizeof(cap64) == 24);

/// struct virtio_pci_notify_cap (4.1.4.4): queue q is notified at cap.offset + queue_notify_off *
/// notify_off_multiplier.
struct notify_cap {
    pci::cap cap;
    le32 notify_off_multiplier;
};
static_assert(sizeof(notify_cap) == 20);

/// struct virtio_pci_cfg_cap (4.1.4.9): accesses of pci_cfg_data are accesses of cap.bar, cap.offset, cap.length bytes.
struct cfg_cap {
    pci::cap cap;
    std::array<std::uint8_t, 4> pci_cfg_data;
};
static_assert(sizeof(cfg_cap) == 20);

/// Offsets into the capability as it stands in configuration space.
inline constexpr unsigned cap_type_offset = 3;
inline constexpr unsigned cap_bar_offset = 4;
inline constexpr unsigned cap_offset_offset = 8;
inline constexpr unsigned cap_length_offset = 12;
inline constexpr unsigned notify_cap_multiplier_offset = 16;
inline constexpr unsigned cfg_cap_data_offset = 16;

/// struct virtio_pci_common_cfg (4.1.4.3). r = read-only for the driver, rw = read-write.
struct common_cfg {
    le32 device_feature_select;      ///< rw
    le32 device_feature;             ///< r
    le32 driver_feature_select;      ///< rw
    le32 driver_feature;             ///< rw
    le16 config_msix_vector;         ///< rw
    le16 num_queues;                 ///< r
    std::uint8_t device_status;      ///< rw
    std::uint8_t config_generation;  ///< r
    le16 queue_select;               ///< rw; the fields below are the selected queue's
    le16 queue_size;                 ///< rw
    le16 queue_msix_vector;          ///< rw
    le16 queue_enable;               ///< rw
    le16 queue_notify_off;           ///< r
    le64 queue_desc;                 ///< rw
    le64 queue_driver;               ///< rw; the available ring of a split queue
    le64 queue_device;               ///< rw; the used ring of a split queue
    le16 queue_notif_config_data;    ///< r; only with NOTIF_CONFIG_DATA
    le16 queue_reset;                ///< rw; only with RING_RESET
};
static_assert(sizeof(common_cfg) == 60);
static_assert(offsetof(common_cfg, device_status) == 20);
static_assert(offsetof(common_cfg, queue_desc) == 32);
static_assert(offsetof(common_cfg, queue_reset) == 58);

/// A vector number that maps an event to no vector (VIRTIO_MSI_NO_VECTOR).
inline constexpr std::uint16_t msi_no_vector = 0xffff;

/// ISR status byte (4.1.4.5); read clears.
inline constexpr std::uint8_t isr_queue_interrupt = 1;
inline constexpr std::uint8_t isr_config_interrupt = 2;

}  // namespace pefsim::abi::virtio::pci
