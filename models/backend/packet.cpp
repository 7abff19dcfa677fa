// SPDX-License-Identifier: Apache-2.0
#include "backend/packet.h"

#include <algorithm>

namespace pefsim::backend {

using abi::internet::arp_hardware_ethernet;
using abi::internet::arp_packet;
using abi::internet::be32;
using abi::internet::ethernet_header;
using abi::internet::ethertype_arp;
using abi::internet::ethertype_ipv4;
using abi::internet::icmp_echo;
using abi::internet::icmp_echo_reply;
using abi::internet::ip_fragment_offset_mask;
using abi::internet::ip_more_fragments;
using abi::internet::ipv4_header;
using abi::internet::mac_address;
using abi::internet::min_frame_size;
using abi::internet::protocol_icmp;
using abi::internet::protocol_udp;
using abi::internet::udp_header;

namespace {

constexpr std::size_t ip_offset = sizeof(ethernet_header);
constexpr std::size_t transport_offset = ip_offset + sizeof(ipv4_header);
constexpr std::size_t udp_payload_offset = transport_offset + sizeof(udp_header);
constexpr std::uint8_t version_4_ihl_5 = 0x45;
constexpr std::uint8_t ttl_of_a_host = 64;

template <class T>
std::span<const std::byte> bytes_of(const T& value) {
    return std::as_bytes(std::span{&value, 1});
}

}  // namespace

std::uint64_t checksum_add(std::span<const std::byte> bytes, std::uint64_t sum) {
    std::size_t i = 0;
    for (; i + 1 < bytes.size(); i += 2) {
        sum += std::to_integer<std::uint64_t>(bytes[i]) << 8 | std::to_integer<std::uint64_t>(bytes[i + 1]);
    }
    if (i < bytes.size()) {
        sum += std::to_integer<std::uint64_t>(bytes[i]) << 8;
    }
    return sum;
}

std::uint16_t checksum_fold(std::uint64_t sum) {
    while (sum > 0xffff) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

std::uint64_t udp_pseudo_header(std::uint32_t source, std::uint32_t destination, std::size_t udp_length) {
    return (source >> 16) + (source & 0xffff) + (destination >> 16) + (destination & 0xffff) + protocol_udp +
           udp_length;
}

frame_fault parse_ipv4(std::span<const std::byte> packet, ipv4_view& view) {
    const auto header = peek<ipv4_header>(packet);
    if (!header || header->version_ihl >> 4 != 4) {
        return frame_fault::bad_ip_header;
    }
    const std::size_t header_size = (header->version_ihl & 0xfU) * 4;
    const std::size_t total = header->total_length;
    if (header_size < sizeof(ipv4_header) || total < header_size || packet.size() < total) {
        return frame_fault::bad_ip_header;
    }
    if (checksum_fold(checksum_add(packet.first(header_size))) != 0) {
        return frame_fault::bad_ip_checksum;
    }
    if ((header->flags_fragment & (ip_more_fragments | ip_fragment_offset_mask)) != 0) {
        return frame_fault::fragment;
    }
    view = {*header, packet.subspan(header_size, total - header_size)};
    return frame_fault::none;
}

frame_fault parse_icmp(const ipv4_view& ip, icmp_view& view) {
    const auto header = peek<icmp_echo>(ip.payload);
    if (!header) {
        return frame_fault::bad_icmp;
    }
    if (checksum_fold(checksum_add(ip.payload)) != 0) {
        return frame_fault::bad_icmp_checksum;
    }
    view = {*header, ip.payload.subspan(sizeof *header)};
    return frame_fault::none;
}

frame_fault parse_udp(const ipv4_view& ip, udp_view& view) {
    const auto header = peek<udp_header>(ip.payload);
    if (!header || header->length < sizeof *header || header->length > ip.payload.size()) {
        return frame_fault::bad_udp;
    }
    const auto datagram = ip.payload.first(header->length);
    const std::uint64_t pseudo = udp_pseudo_header(ip.header.source, ip.header.destination, datagram.size());
    if (header->checksum != 0 && checksum_fold(checksum_add(datagram, pseudo)) != 0) {
        return frame_fault::bad_udp_checksum;
    }
    view = {*header, datagram.subspan(sizeof *header)};
    return frame_fault::none;
}

void frame_builder::start(std::size_t size) {
    buffer_.resize(std::max(size, min_frame_size));
    std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(std::min(size, buffer_.size())), buffer_.end(),
              std::byte{0});
}

void frame_builder::ethernet(const endpoint& from, const endpoint& to, std::uint16_t ethertype) {
    ethernet_header header;
    header.destination = to.mac;
    header.source = from.mac;
    header.ethertype = ethertype;
    put(0, header);
}

void frame_builder::ipv4(const endpoint& from, const endpoint& to, std::uint8_t protocol,
                         std::size_t payload) {
    ipv4_header header{};
    header.version_ihl = version_4_ihl_5;
    header.total_length = static_cast<std::uint16_t>(sizeof header + payload);
    header.identification = identification_++;
    header.ttl = ttl_of_a_host;
    header.protocol = protocol;
    header.source = from.ip;
    header.destination = to.ip;
    header.checksum = checksum_fold(checksum_add(bytes_of(header)));
    put(ip_offset, header);
}

std::span<const std::byte> frame_builder::arp_reply(const endpoint& from, const endpoint& to) {
    start(sizeof(ethernet_header) + sizeof(arp_packet));
    ethernet(from, to, ethertype_arp);
    arp_packet reply;
    reply.hardware_type = arp_hardware_ethernet;
    reply.protocol_type = ethertype_ipv4;
    reply.hardware_size = sizeof(mac_address);
    reply.protocol_size = sizeof(be32);
    reply.operation = abi::internet::arp_reply;
    reply.sender_mac = from.mac;
    reply.sender_ip = from.ip;
    reply.target_mac = to.mac;
    reply.target_ip = to.ip;
    put(sizeof(ethernet_header), reply);
    return buffer_;
}

std::span<const std::byte> frame_builder::icmp_reply(const endpoint& from, const endpoint& to,
                                                     const icmp_view& request) {
    const std::size_t size = sizeof(icmp_echo) + request.payload.size();
    start(transport_offset + size);
    ethernet(from, to, ethertype_ipv4);
    ipv4(from, to, protocol_icmp, size);
    icmp_echo reply = request.header;
    reply.type = icmp_echo_reply;
    reply.code = 0;
    reply.checksum = 0;
    put(transport_offset, reply);
    std::ranges::copy(request.payload, part(transport_offset + sizeof reply, request.payload.size()).begin());
    reply.checksum = checksum_fold(checksum_add(part(transport_offset, size)));
    put(transport_offset, reply);
    return buffer_;
}

std::span<std::byte> frame_builder::udp_payload(std::size_t size) {
    start(udp_payload_offset + size);
    udp_payload_size_ = size;
    return part(udp_payload_offset, size);
}

std::span<const std::byte> frame_builder::udp(const endpoint& from, const endpoint& to) {
    const std::size_t size = sizeof(udp_header) + udp_payload_size_;
    ethernet(from, to, ethertype_ipv4);
    ipv4(from, to, protocol_udp, size);
    udp_header header;
    header.source_port = from.port;
    header.destination_port = to.port;
    header.length = static_cast<std::uint16_t>(size);
    header.checksum = 0;
    put(transport_offset, header);
    const std::uint64_t pseudo = udp_pseudo_header(from.ip, to.ip, size);
    const std::uint16_t checksum = checksum_fold(checksum_add(part(transport_offset, size), pseudo));
    header.checksum = checksum == 0 ? std::uint16_t{0xffff} : checksum;  // 0 would say: none (RFC 768)
    put(transport_offset, header);
    return buffer_;
}

}  // namespace pefsim::backend
