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
inline constexpr std::uint64_t f_guest_tso4 = feature_bit(7);
inline constexpr std::uint64_t f_guest_tso6 = feature_bit(8);
inline constexpr std::uint64_t f_host_tso4 = feature_bit(11);
inline constexpr std::uint64_t f_host_tso6 = feature_bit(12);
inline constexpr std::uint64_t f_host_ecn = feature_bit(13);
inline constexpr std::uint64_t f_mrg_rxbuf = feature_bit(15);
inline constexpr std::uint64_t f_status = feature_bit(16);
inline constexpr std::uint64_t f_ctrl_vq = feature_bit(17);
inline constexpr std::uint64_t f_ctrl_rx = feature_bit(18);
inline constexpr std::uint64_t f_ctrl_vlan = feature_bit(19);
inline constexpr std::uint64_t f_ctrl_rx_extra = feature_bit(20);
inline constexpr std::uint64_t f_guest_announce = feature_bit(21);
inline constexpr std::uint64_t f_mq = feature_bit(22);
inline constexpr std::uint64_t f_ctrl_mac_addr = feature_bit(23);

/// Queues (5.1.2): receive and transmit queue of pair 0, of pair 1, ..., then the control queue, which stands behind
/// pair 0 when MQ was not negotiated.
inline constexpr std::uint16_t receive_queue = 0;
inline constexpr std::uint16_t transmit_queue = 1;
inline constexpr std::uint16_t max_queue_pairs = 0x8000;

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
inline constexpr std::uint8_t hdr_gso_tcpv4 = 1;
inline constexpr std::uint8_t hdr_gso_tcpv6 = 4;
inline constexpr std::uint8_t hdr_gso_ecn = 0x80;  ///< beside one of TCP: the frame has CWR set

/// struct virtio_net_ctrl before the data of a command in the control queue (5.1.6.5); one byte of control_ack,
/// device-writable, follows.
struct control_header {
    std::uint8_t command_class;
    std::uint8_t command;
};
static_assert(sizeof(control_header) == 2);
enum class control_ack : std::uint8_t { ok = 0, err = 1 };

inline constexpr std::uint8_t control_rx = 0;  ///< class; data: one byte, on or off
inline constexpr std::uint8_t control_rx_promiscuous = 0;
inline constexpr std::uint8_t control_rx_all_multicast = 1;
inline constexpr std::uint8_t control_rx_all_unicast = 2;  ///< this and the next with CTRL_RX_EXTRA
inline constexpr std::uint8_t control_rx_no_multicast = 3;
inline constexpr std::uint8_t control_rx_no_unicast = 4;
inline constexpr std::uint8_t control_rx_no_broadcast = 5;
inline constexpr std::uint8_t control_mac = 1;  ///< class
inline constexpr std::uint8_t control_mac_table_set =
    0;  ///< data: le32 and addresses, unicast; the same, multicast
inline constexpr std::uint8_t control_mac_address_set = 1;
inline constexpr std::uint8_t control_vlan = 2;
inline constexpr std::uint8_t control_announce = 3;
inline constexpr std::uint8_t control_mq = 4;            ///< class
inline constexpr std::uint8_t control_mq_pairs_set = 0;  ///< data: le16

/// Ethernet frame without FCS: the header, and the largest with the standard MTU.
inline constexpr std::size_t ethernet_header_size = 14;
inline constexpr std::size_t default_mtu = 1500;

}  // namespace pefsim::abi::virtio::net
