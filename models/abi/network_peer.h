// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "abi/internet.h"

/// What a guest knows of the peer at the other end of its network: addresses, UDP ports and the datagrams that both
/// check.
namespace pefsim::abi::network_peer {

using internet::be16;
using internet::be32;
using internet::be64;

/// Defaults: 192.0.2.0/24 is reserved for documentation (RFC 5737), the MACs are locally administered.
inline constexpr internet::mac_address guest_mac{0x02, 0x50, 0x45, 0x46, 0x00, 0x01};
inline constexpr internet::mac_address peer_mac{0x02, 0x50, 0x45, 0x46, 0x00, 0xfe};
inline constexpr std::uint32_t guest_ip = 0xc000'0202;  ///< 192.0.2.2
inline constexpr std::uint32_t peer_ip = 0xc000'0201;   ///< 192.0.2.1

/// UDP ports of the peer.
inline constexpr std::uint16_t control_port = 4000;        ///< a start_source datagram makes the peer send
inline constexpr std::uint16_t sink_port = 4001;           ///< pattern datagrams are checked and counted
inline constexpr std::uint16_t echo_port = 7;              ///< every datagram comes back (RFC 862)
inline constexpr std::uint16_t source_port = 4002;         ///< what the peer sends from
inline constexpr std::uint16_t tftp_port = 69;             ///< files "pattern-SIZE" are read (RFC 1350)
inline constexpr std::uint16_t tftp_transfer_port = 4069;  ///< and transferred from here

/// To control_port: send `count` pattern datagrams of `size` bytes of UDP payload to `port` of the sender, one every
/// `interval_ns`. Replaces a transmission that is under way.
struct start_source {
    be32 magic;  ///< start_magic; anything else is counted and dropped
    be32 count;
    be32 size;  ///< pattern_header included
    be16 port;
    be16 reserved;
    be64 interval_ns;
};
static_assert(sizeof(start_source) == 24);
inline constexpr std::uint32_t start_magic = 0x7065'6673;  ///< "pefs"

/// UDP payload of a pattern datagram: this header, then byte i of the rest is pattern_byte(seed, sequence, i). Both
/// sides know the seed.
struct pattern_header {
    be64 sequence;  ///< 0, 1, 2 ...
};
static_assert(sizeof(pattern_header) == 8);

/// Eight bytes of the pattern, least significant first: the finalizer of MurmurHash3 over a counter.
constexpr std::uint64_t pattern_word(std::uint64_t seed, std::uint64_t sequence, std::uint64_t word) {
    std::uint64_t x = seed + sequence * 0x9e37'79b9'7f4a'7c15 + word * 0xd1b5'4a32'd192'ed03;
    x = (x ^ (x >> 33)) * 0xff51'afd7'ed55'8ccd;
    return x ^ (x >> 33);
}
constexpr std::byte pattern_byte(std::uint64_t seed, std::uint64_t sequence, std::size_t i) {
    return static_cast<std::byte>(pattern_word(seed, sequence, i / 8) >> (8 * (i % 8)));
}

}  // namespace pefsim::abi::network_peer
