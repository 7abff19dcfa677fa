// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/endian/arithmetic.hpp>
#include <cstdint>

/// Virtual I/O Device (VIRTIO) Version 1.2: what every device and every transport has. Names are the specification's,
/// without VIRTIO_.
namespace pefsim::abi::virtio {

/// Little-endian fields of wire structs (1.4), without alignment.
using le16 = boost::endian::little_uint16_t;
using le32 = boost::endian::little_uint32_t;
using le64 = boost::endian::little_uint64_t;

/// Device types (chapter 5).
enum class device_id : std::uint16_t { net = 1, block = 2, console = 3, entropy = 4 };

/// Device status field, bits (2.1).
inline constexpr std::uint8_t status_acknowledge = 1;
inline constexpr std::uint8_t status_driver = 2;
inline constexpr std::uint8_t status_driver_ok = 4;
inline constexpr std::uint8_t status_features_ok = 8;
inline constexpr std::uint8_t status_device_needs_reset = 64;
inline constexpr std::uint8_t status_failed = 128;

/// Feature bits as masks (2.2): bits 0 .. 23 and 50 .. 127 are a device type's own.
constexpr std::uint64_t feature_bit(unsigned number) { return std::uint64_t{1} << number; }

/// Reserved feature bits (chapter 6).
inline constexpr std::uint64_t f_indirect_desc = feature_bit(28);
inline constexpr std::uint64_t f_event_idx = feature_bit(29);
inline constexpr std::uint64_t f_version_1 = feature_bit(32);
inline constexpr std::uint64_t f_access_platform = feature_bit(33);
inline constexpr std::uint64_t f_ring_packed = feature_bit(34);
inline constexpr std::uint64_t f_in_order = feature_bit(35);
inline constexpr std::uint64_t f_order_platform = feature_bit(36);
inline constexpr std::uint64_t f_sr_iov = feature_bit(37);
inline constexpr std::uint64_t f_notification_data = feature_bit(38);
inline constexpr std::uint64_t f_notif_config_data = feature_bit(39);
inline constexpr std::uint64_t f_ring_reset = feature_bit(40);

}  // namespace pefsim::abi::virtio
