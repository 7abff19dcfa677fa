// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <boost/endian/arithmetic.hpp>
#include <cstdint>

/// Wire formats of the internet protocols that guest and network speak: Ethernet II, ARP (RFC 826), IPv4 (RFC 791),
/// ICMP echo (RFC 792), UDP (RFC 768), and what segmentation needs to know of VLAN tags, IPv6 (RFC 8200) and TCP (RFC
/// 9293).
namespace pefsim::abi::internet {

using be16 = boost::endian::big_uint16_t;
using be32 = boost::endian::big_uint32_t;
using be64 = boost::endian::big_uint64_t;
using mac_address = std::array<std::uint8_t, 6>;

inline constexpr mac_address broadcast_mac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
inline constexpr std::uint16_t ethertype_ipv4 = 0x0800;
inline constexpr std::uint16_t ethertype_arp = 0x0806;
inline constexpr std::uint16_t ethertype_vlan = 0x8100;
inline constexpr std::uint16_t ethertype_ipv6 = 0x86dd;

struct ethernet_header {
    mac_address destination;
    mac_address source;
    be16 ethertype;
};
static_assert(sizeof(ethernet_header) == 14);
inline constexpr std::size_t vlan_tag_size = 4;  ///< between addresses and EtherType

/// Shortest frame without FCS: shorter ones are padded with zeros.
inline constexpr std::size_t min_frame_size = 60;

inline constexpr std::uint16_t arp_hardware_ethernet = 1;
inline constexpr std::uint16_t arp_request = 1;
inline constexpr std::uint16_t arp_reply = 2;

struct arp_packet {
    be16 hardware_type;
    be16 protocol_type;
    std::uint8_t hardware_size;
    std::uint8_t protocol_size;
    be16 operation;
    mac_address sender_mac;
    be32 sender_ip;
    mac_address target_mac;
    be32 target_ip;
};
static_assert(sizeof(arp_packet) == 28);

inline constexpr std::uint8_t protocol_icmp = 1;
inline constexpr std::uint8_t protocol_tcp = 6;
inline constexpr std::uint8_t protocol_udp = 17;
inline constexpr std::uint16_t ip_more_fragments = 0x2000;
inline constexpr std::uint16_t ip_fragment_offset_mask = 0x1fff;

struct ipv4_header {
    std::uint8_t version_ihl;  ///< 0x45 without options
    std::uint8_t tos;
    be16 total_length;
    be16 identification;
    be16 flags_fragment;
    std::uint8_t ttl;
    std::uint8_t protocol;
    be16 checksum;
    be32 source;
    be32 destination;
};
static_assert(sizeof(ipv4_header) == 20);

inline constexpr std::uint8_t icmp_echo_reply = 0;
inline constexpr std::uint8_t icmp_echo_request = 8;

struct icmp_echo {
    std::uint8_t type;
    std::uint8_t code;
    be16 checksum;
    be16 identifier;
    be16 sequence;
};
static_assert(sizeof(icmp_echo) == 8);

struct udp_header {
    be16 source_port;
    be16 destination_port;
    be16 length;
    be16 checksum;  ///< 0: none
};
static_assert(sizeof(udp_header) == 8);

struct ipv6_header {
    be32 version_class_label;  ///< 6 in the highest four bits
    be16 payload_length;
    std::uint8_t next_header;
    std::uint8_t hop_limit;
    std::array<std::uint8_t, 16> source;
    std::array<std::uint8_t, 16> destination;
};
static_assert(sizeof(ipv6_header) == 40);

inline constexpr std::uint8_t tcp_fin = 0x01;
inline constexpr std::uint8_t tcp_psh = 0x08;
inline constexpr std::uint8_t tcp_cwr = 0x80;

struct tcp_header {
    be16 source_port;
    be16 destination_port;
    be32 sequence;
    be32 acknowledgement;
    std::uint8_t data_offset;  ///< in words of 4 bytes, in the upper four bits
    std::uint8_t flags;
    be16 window;
    be16 checksum;
    be16 urgent;
};
static_assert(sizeof(tcp_header) == 20);

}  // namespace pefsim::abi::internet
