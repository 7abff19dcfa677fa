// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "abi/virtio.h"

/// Network device (VIRTIO 1.2, 5.1).
namespace pefsim::abi::virtio::net {

/// Feature bits (5.1.3).
inline constexpr std::uint64_t f_csum = feature_bit(0);
inline constexpr std::uint64_t f_guest_csum = feature_bit(1);
inline constexpr std::uint64_t f_mtu = feature_bit(3);
inline constexpr std::uint64_t f_mac = feature_bit(5);
inline constexpr std::uint64_t f_mrg_rxbuf = feature_bit(15);
inline constexpr std::uint64_t f_status = feature_bit(16);
inline constexpr std::uint64_t f_ctrl_vq = feature_bit(17);
inline constexpr std::uint64_t f_guest_announce = feature_bit(21);
inline constexpr std::uint64_t f_mq = feature_bit(22);

/// Queues of a device without MQ and CTRL_VQ (5.1.2).
inline constexpr std::uint16_t receive_queue = 0;
inline constexpr std::uint16_t transmit_queue = 1;

/// struct virtio_net_config (5.1.4).
struct config {
    std::array<std::uint8_t, 6> mac;  ///< MAC
    le16 status;                      ///< STATUS
    le16 max_virtqueue_pairs;         ///< MQ or RSS
    le16 mtu;                         ///< MTU
};
static_assert(sizeof(config) == 12);

/// config::status.
inline constexpr std::uint16_t status_link_up = 1;
inline constexpr std::uint16_t status_announce = 2;

/// struct virtio_net_hdr before each frame, both ways (5.1.6). With VERSION_1 `num_buffers` is always there.
struct header {
    std::uint8_t flags;
    std::uint8_t gso_type;
    le16 hdr_len;
    le16 gso_size;
    le16 csum_start;
    le16 csum_offset;
    le16 num_buffers;  ///< received: buffers that hold this frame, 1 without MRG_RXBUF; sent: unused
};
static_assert(sizeof(header) == 12);

/// header::flags.
inline constexpr std::uint8_t hdr_f_needs_csum = 1;
inline constexpr std::uint8_t hdr_f_data_valid = 2;
/// header::gso_type.
inline constexpr std::uint8_t hdr_gso_none = 0;

/// Ethernet frame without FCS: the header, and the largest with the standard MTU.
inline constexpr std::size_t ethernet_header_size = 14;
inline constexpr std::size_t default_mtu = 1500;

}  // namespace pefsim::abi::virtio::net
