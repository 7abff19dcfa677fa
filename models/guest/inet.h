// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "abi/internet.h"

/// Internet packets as the guest's small stack builds and reads them. Pure functions over bytes; formats in
/// abi/internet.h.
namespace pefsim::guest::inet {

using abi::internet::mac_address;
using frame = std::vector<std::byte>;

/// The Internet checksum (RFC 1071): one's complement of the one's complement sum of 16-bit big-endian words, an odd
/// last byte padded with zero. Over data that contains its own checksum it is 0.
/// \param start sum of what precedes the data (a pseudo header), from checksum_sum()
std::uint16_t checksum(std::span<const std::byte> data, std::uint32_t start = 0);
/// The sum without folding and complement, to be continued.
std::uint32_t checksum_sum(std::span<const std::byte> data, std::uint32_t start = 0);

/// Who sends a frame to whom.
struct link {
    mac_address source_mac{};
    mac_address destination_mac{};
    std::uint32_t source_ip = 0;
    std::uint32_t destination_ip = 0;
};

// --- Building. `into` is cleared first; its capacity is reused.
void build_arp(frame& into, const link& between, std::uint16_t operation);
void build_icmp_echo(frame& into, const link& between, std::uint8_t type, std::uint16_t identifier,
                     std::uint16_t sequence, std::span<const std::byte> payload);
void build_udp(frame& into, const link& between, std::uint16_t source_port, std::uint16_t destination_port,
               std::span<const std::byte> payload);

// --- Reading. Nothing when the frame is another kind, is cut off, is a fragment, or has a wrong checksum.
struct arp_view {
    std::uint16_t operation;
    mac_address sender_mac;
    std::uint32_t sender_ip;
    std::uint32_t target_ip;
};
struct ipv4_view {
    link between;
    std::uint8_t protocol;
    std::span<const std::byte> payload;
};
struct echo_view {
    std::uint8_t type;
    std::uint16_t identifier;
    std::uint16_t sequence;
    std::span<const std::byte> payload;
};
struct udp_view {
    std::uint16_t source_port;
    std::uint16_t destination_port;
    std::span<const std::byte> payload;
};
std::optional<std::uint16_t> ethertype(std::span<const std::byte> ethernet);
std::optional<arp_view> read_arp(std::span<const std::byte> ethernet);
std::optional<ipv4_view> read_ipv4(std::span<const std::byte> ethernet);
std::optional<echo_view> read_icmp_echo(const ipv4_view& packet);
std::optional<udp_view> read_udp(const ipv4_view& packet);

}  // namespace pefsim::guest::inet
