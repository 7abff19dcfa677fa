// SPDX-License-Identifier: Apache-2.0
#include "guest/inet.h"

#include <algorithm>
#include <cstring>

namespace pefsim::guest::inet {

namespace {

namespace wire = abi::internet;

constexpr std::uint8_t version_4_without_options = 0x45;
constexpr std::uint8_t default_ttl = 64;

/// RFC 768: what the UDP checksum covers before the header.
struct pseudo_header {
    wire::be32 source;
    wire::be32 destination;
    std::uint8_t zero = 0;
    std::uint8_t protocol = wire::protocol_udp;
    wire::be16 length;
};
static_assert(sizeof(pseudo_header) == 12);

template <class Wire>
std::span<const std::byte> bytes_of(const Wire& value) {
    return std::as_bytes(std::span(&value, 1));
}

template <class Wire>
void append(frame& to, const Wire& value) {
    const auto bytes = bytes_of(value);
    to.insert(to.end(), bytes.begin(), bytes.end());
}

/// The structure at the front of `data`, which loses it; nothing when there are too few bytes.
template <class Wire>
std::optional<Wire> take(std::span<const std::byte>& data) {
    if (data.size() < sizeof(Wire)) {
        return std::nullopt;
    }
    Wire value;
    std::memcpy(&value, data.data(), sizeof value);
    data = data.subspan(sizeof value);
    return value;
}

void put_checksum(frame& in, std::size_t offset, std::uint16_t value) {
    const wire::be16 field(value);
    std::memcpy(in.data() + offset, &field, sizeof field);
}

void append_ethernet(frame& to, const link& between, std::uint16_t type) {
    append(to, wire::ethernet_header{between.destination_mac, between.source_mac, wire::be16(type)});
}

void append_ipv4(frame& to, const link& between, std::uint8_t protocol, std::size_t payload) {
    const std::size_t at = to.size();
    append(to, wire::ipv4_header{.version_ihl = version_4_without_options,
                                 .tos = 0,
                                 .total_length = wire::be16(
                                     static_cast<std::uint16_t>(sizeof(wire::ipv4_header) + payload)),
                                 .identification = wire::be16(0),
                                 .flags_fragment = wire::be16(0),
                                 .ttl = default_ttl,
                                 .protocol = protocol,
                                 .checksum = wire::be16(0),
                                 .source = wire::be32(between.source_ip),
                                 .destination = wire::be32(between.destination_ip)});
    put_checksum(to, at + offsetof(wire::ipv4_header, checksum), checksum(std::span(to).subspan(at)));
}

std::uint32_t pseudo_header_sum(const link& between, std::size_t length) {
    return checksum_sum(bytes_of(pseudo_header{.source = wire::be32(between.source_ip),
                                               .destination = wire::be32(between.destination_ip),
                                               .length = wire::be16(static_cast<std::uint16_t>(length))}));
}

}  // namespace

std::uint32_t checksum_sum(std::span<const std::byte> data, std::uint32_t start) {
    std::uint64_t sum = start;
    std::size_t i = 0;
    for (; i + 1 < data.size(); i += 2) {
        sum += std::to_integer<std::uint32_t>(data[i]) << 8 | std::to_integer<std::uint32_t>(data[i + 1]);
    }
    if (i < data.size()) {
        sum += std::to_integer<std::uint32_t>(data[i]) << 8;
    }
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint32_t>(sum);
}

std::uint16_t checksum(std::span<const std::byte> data, std::uint32_t start) {
    return static_cast<std::uint16_t>(~checksum_sum(data, start));
}

void build_arp(frame& into, const link& between, std::uint16_t operation) {
    into.clear();
    append_ethernet(into, between, wire::ethertype_arp);
    const bool asks = operation == wire::arp_request;
    append(into, wire::arp_packet{.hardware_type = wire::be16(wire::arp_hardware_ethernet),
                                  .protocol_type = wire::be16(wire::ethertype_ipv4),
                                  .hardware_size = sizeof(mac_address),
                                  .protocol_size = sizeof(wire::be32),
                                  .operation = wire::be16(operation),
                                  .sender_mac = between.source_mac,
                                  .sender_ip = wire::be32(between.source_ip),
                                  .target_mac = asks ? mac_address{} : between.destination_mac,
                                  .target_ip = wire::be32(between.destination_ip)});
}

void build_icmp_echo(frame& into, const link& between, std::uint8_t type, std::uint16_t identifier,
                     std::uint16_t sequence, std::span<const std::byte> payload) {
    into.clear();
    append_ethernet(into, between, wire::ethertype_ipv4);
    append_ipv4(into, between, wire::protocol_icmp, sizeof(wire::icmp_echo) + payload.size());
    const std::size_t at = into.size();
    append(into, wire::icmp_echo{type, 0, wire::be16(0), wire::be16(identifier), wire::be16(sequence)});
    into.insert(into.end(), payload.begin(), payload.end());
    put_checksum(into, at + offsetof(wire::icmp_echo, checksum), checksum(std::span(into).subspan(at)));
}

void build_udp(frame& into, const link& between, std::uint16_t source_port, std::uint16_t destination_port,
               std::span<const std::byte> payload) {
    into.clear();
    const std::size_t length = sizeof(wire::udp_header) + payload.size();
    append_ethernet(into, between, wire::ethertype_ipv4);
    append_ipv4(into, between, wire::protocol_udp, length);
    const std::size_t at = into.size();
    append(into, wire::udp_header{wire::be16(source_port), wire::be16(destination_port),
                                  wire::be16(static_cast<std::uint16_t>(length)), wire::be16(0)});
    into.insert(into.end(), payload.begin(), payload.end());
    const std::uint16_t sum = checksum(std::span(into).subspan(at), pseudo_header_sum(between, length));
    // 0 on the wire means that there is no checksum; the other zero of one's complement stands for it.
    put_checksum(into, at + offsetof(wire::udp_header, checksum), sum == 0 ? std::uint16_t{0xffff} : sum);
}

std::optional<std::uint16_t> ethertype(std::span<const std::byte> ethernet) {
    const auto header = take<wire::ethernet_header>(ethernet);
    return header ? std::optional<std::uint16_t>(header->ethertype.value()) : std::nullopt;
}

std::optional<arp_view> read_arp(std::span<const std::byte> ethernet) {
    const auto header = take<wire::ethernet_header>(ethernet);
    const auto packet = header ? take<wire::arp_packet>(ethernet) : std::nullopt;
    if (!packet || header->ethertype != wire::ethertype_arp ||
        packet->hardware_type != wire::arp_hardware_ethernet ||
        packet->protocol_type != wire::ethertype_ipv4 || packet->hardware_size != sizeof(mac_address) ||
        packet->protocol_size != sizeof(wire::be32)) {
        return std::nullopt;
    }
    return arp_view{packet->operation, packet->sender_mac, packet->sender_ip, packet->target_ip};
}

std::optional<ipv4_view> read_ipv4(std::span<const std::byte> ethernet) {
    const auto outer = take<wire::ethernet_header>(ethernet);
    if (!outer || outer->ethertype != wire::ethertype_ipv4) {
        return std::nullopt;
    }
    const std::span<const std::byte> packet = ethernet;
    const auto header = take<wire::ipv4_header>(ethernet);
    if (!header || header->version_ihl >> 4 != 4) {
        return std::nullopt;
    }
    const std::size_t header_size = 4U * (header->version_ihl & 0xfU);
    const std::size_t total = header->total_length;
    constexpr std::uint16_t fragment = wire::ip_more_fragments | wire::ip_fragment_offset_mask;
    if (header_size < sizeof(wire::ipv4_header) || total < header_size || total > packet.size() ||
        (header->flags_fragment & fragment) != 0 || checksum(packet.first(header_size)) != 0) {
        return std::nullopt;
    }
    return ipv4_view{.between = {outer->source, outer->destination, header->source, header->destination},
                     .protocol = header->protocol,
                     .payload = packet.first(total).subspan(header_size)};
}

std::optional<echo_view> read_icmp_echo(const ipv4_view& packet) {
    std::span<const std::byte> rest = packet.payload;
    const auto header = packet.protocol == wire::protocol_icmp ? take<wire::icmp_echo>(rest) : std::nullopt;
    if (!header || checksum(packet.payload) != 0 || header->code != 0 ||
        (header->type != wire::icmp_echo_request && header->type != wire::icmp_echo_reply)) {
        return std::nullopt;
    }
    return echo_view{header->type, header->identifier, header->sequence, rest};
}

std::optional<udp_view> read_udp(const ipv4_view& packet) {
    std::span<const std::byte> rest = packet.payload;
    const auto header = packet.protocol == wire::protocol_udp ? take<wire::udp_header>(rest) : std::nullopt;
    if (!header || header->length < sizeof(wire::udp_header) || header->length > packet.payload.size()) {
        return std::nullopt;
    }
    const std::span<const std::byte> datagram = packet.payload.first(header->length);
    if (header->checksum != 0 &&
        checksum(datagram, pseudo_header_sum(packet.between, datagram.size())) != 0) {
        return std::nullopt;
    }
    return udp_view{header->source_port, header->destination_port,
                    datagram.subspan(sizeof(wire::udp_header))};
}

}  // namespace pefsim::guest::inet
