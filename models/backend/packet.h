// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "abi/internet.h"

namespace pefsim::backend {

/// Why a frame was dropped.
enum class frame_fault : std::uint8_t {
    none,
    too_short,
    other_destination,
    unknown_ethertype,
    bad_arp,
    bad_ip_header,
    bad_ip_checksum,
    fragment,
    unknown_protocol,
    bad_icmp,
    bad_icmp_checksum,
    bad_udp,
    bad_udp_checksum,
    closed_port,
    bad_control,
};
inline constexpr std::array<std::string_view, 15> frame_fault_names{"none",
                                                                    "too_short",
                                                                    "other_destination",
                                                                    "unknown_ethertype",
                                                                    "bad_arp",
                                                                    "bad_ip_header",
                                                                    "bad_ip_checksum",
                                                                    "fragment",
                                                                    "unknown_protocol",
                                                                    "bad_icmp",
                                                                    "bad_icmp_checksum",
                                                                    "bad_udp",
                                                                    "bad_udp_checksum",
                                                                    "closed_port",
                                                                    "bad_control"};
constexpr std::string_view to_name(frame_fault fault) {
    return frame_fault_names[static_cast<std::size_t>(fault)];
}

/// Sum of 16-bit big-endian words, not folded (RFC 1071); parts may be added in turn when all but the last are even.
std::uint64_t checksum_add(std::span<const std::byte> bytes, std::uint64_t sum = 0);
/// The checksum that goes into a header; 0 when it is computed over a packet with a right one.
std::uint16_t checksum_fold(std::uint64_t sum);
/// The sum of UDP's pseudo header.
std::uint64_t udp_pseudo_header(std::uint32_t source, std::uint32_t destination, std::size_t udp_length);

/// A wire struct at the front of `bytes`; nothing when they are too few.
template <class T>
std::optional<T> peek(std::span<const std::byte> bytes) {
    if (bytes.size() < sizeof(T)) {
        return {};
    }
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

/// A checked IPv4 packet: header without options, payload without padding.
struct ipv4_view {
    abi::internet::ipv4_header header;
    std::span<const std::byte> payload;
};
/// \param packet what follows the Ethernet header
frame_fault parse_ipv4(std::span<const std::byte> packet, ipv4_view& view);

/// A checked ICMP echo or UDP packet in an IPv4 packet.
struct icmp_view {
    abi::internet::icmp_echo header;
    std::span<const std::byte> payload;
};
frame_fault parse_icmp(const ipv4_view& ip, icmp_view& view);

struct udp_view {
    abi::internet::udp_header header;
    std::span<const std::byte> payload;
};
frame_fault parse_udp(const ipv4_view& ip, udp_view& view);

/// One end of a conversation.
struct endpoint {
    abi::internet::mac_address mac;
    std::uint32_t ip;
    std::uint16_t port = 0;
};

/// Writes frames, one at a time, into a buffer of its own.
class frame_builder {
public:
    std::span<const std::byte> arp_reply(const endpoint& from, const endpoint& to);
    std::span<const std::byte> icmp_reply(const endpoint& from, const endpoint& to, const icmp_view& request);
    /// The UDP payload of the frame to come, for the caller to fill, and then the frame.
    std::span<std::byte> udp_payload(std::size_t size);
    std::span<const std::byte> udp(const endpoint& from, const endpoint& to);

private:
    void start(std::size_t size);
    void ethernet(const endpoint& from, const endpoint& to, std::uint16_t ethertype);
    void ipv4(const endpoint& from, const endpoint& to, std::uint8_t protocol, std::size_t payload);
    template <class T>
    void put(std::size_t offset, const T& value) {
        std::memcpy(buffer_.data() + offset, &value, sizeof value);
    }
    [[nodiscard]] std::span<std::byte> part(std::size_t offset, std::size_t size) {
        return std::span{buffer_}.subspan(offset, size);
    }

    std::vector<std::byte> buffer_;
    std::size_t udp_payload_size_ = 0;
    std::uint16_t identification_ = 0;
};

}  // namespace pefsim::backend
