// SPDX-License-Identifier: Apache-2.0
#include "virtio/net_offload.h"

#include <algorithm>
#include <cstring>

#include "abi/internet.h"
#include "backend/packet.h"

namespace pefsim::virtio {

using abi::internet::be16;
using abi::internet::be32;
using abi::internet::ethernet_header;
using abi::internet::ipv4_header;
using abi::internet::ipv6_header;
using abi::internet::protocol_tcp;
using abi::internet::protocol_udp;
using abi::internet::tcp_header;
using abi::internet::udp_header;
using backend::checksum_add;
using backend::checksum_fold;
using backend::peek;

namespace {

constexpr std::size_t v4_addresses = offsetof(ipv4_header, source);
constexpr std::size_t v6_addresses = offsetof(ipv6_header, source);

template <class T>
void put(std::span<std::byte> into, std::size_t at, const T& value) {
    std::memcpy(into.data() + at, &value, sizeof value);
}

std::span<const std::byte> addresses(std::span<const std::byte> frame, const transport_place& at) {
    return at.v6 ? frame.subspan(at.ip + v6_addresses, 32) : frame.subspan(at.ip + v4_addresses, 8);
}

std::uint64_t pseudo_header(std::span<const std::byte> frame, const transport_place& at, std::size_t length) {
    return checksum_add(addresses(frame, at), at.protocol + std::uint64_t{length});
}

/// Bytes of the transport's packet, as IP says; nothing when the frame has fewer.
std::optional<std::size_t> transport_length(std::span<const std::byte> frame, const transport_place& at) {
    const std::size_t headers = at.transport - at.ip;
    const std::size_t packet = at.v6 ? headers + peek<ipv6_header>(frame.subspan(at.ip))->payload_length
                                     : std::size_t{peek<ipv4_header>(frame.subspan(at.ip))->total_length};
    if (packet < headers || packet > frame.size() - at.ip) {
        return {};
    }
    return packet - headers;
}

std::optional<transport_place> find_ipv4(std::span<const std::byte> frame, std::size_t at) {
    const auto ip = peek<ipv4_header>(frame.subspan(at));
    if (!ip || ip->version_ihl >> 4 != 4) {
        return {};
    }
    const std::size_t header = std::size_t{4} * (ip->version_ihl & 0xf);
    constexpr auto fragment = abi::internet::ip_more_fragments | abi::internet::ip_fragment_offset_mask;
    if (header < sizeof *ip || header > frame.size() - at || (ip->flags_fragment & fragment) != 0) {
        return {};
    }
    return transport_place{at, at + header, false, ip->protocol};
}

std::optional<transport_place> find_ipv6(std::span<const std::byte> frame, std::size_t at) {
    const auto ip = peek<ipv6_header>(frame.subspan(at));
    if (!ip || ip->version_class_label >> 28 != 6) {
        return {};
    }
    return transport_place{at, at + sizeof *ip, true, ip->next_header};
}

}  // namespace

std::optional<transport_place> find_transport(std::span<const std::byte> frame) {
    const auto ethernet = peek<ethernet_header>(frame);
    if (!ethernet) {
        return {};
    }
    std::size_t at = sizeof *ethernet;
    std::uint16_t type = ethernet->ethertype;
    if (type == abi::internet::ethertype_vlan) {
        at += abi::internet::vlan_tag_size;
        const auto tagged = at <= frame.size() ? peek<be16>(frame.subspan(at - sizeof(be16))) : std::nullopt;
        if (!tagged) {
            return {};
        }
        type = *tagged;
    }
    const auto found = type == abi::internet::ethertype_ipv4   ? find_ipv4(frame, at)
                       : type == abi::internet::ethertype_ipv6 ? find_ipv6(frame, at)
                                                               : std::nullopt;
    const std::size_t least = !found                            ? 0
                              : found->protocol == protocol_tcp ? sizeof(tcp_header)
                              : found->protocol == protocol_udp ? sizeof(udp_header)
                                                                : 0;
    return least != 0 && frame.size() - found->transport >= least ? found : std::nullopt;
}

bool checksums_right(std::span<const std::byte> frame) {
    const auto at = find_transport(frame);
    const auto length = at ? transport_length(frame, *at) : std::nullopt;
    if (!length || *length < (at->protocol == protocol_tcp ? sizeof(tcp_header) : sizeof(udp_header))) {
        return false;
    }
    if (!at->v6 && checksum_fold(checksum_add(frame.subspan(at->ip, at->transport - at->ip))) != 0) {
        return false;
    }
    const auto packet = frame.subspan(at->transport, *length);
    const bool none = at->protocol == protocol_udp && peek<udp_header>(packet)->checksum == 0;
    return !none && checksum_fold(checksum_add(packet, pseudo_header(frame, *at, *length))) == 0;
}

bool complete_checksum(std::span<std::byte> frame, std::size_t start, std::size_t offset) {
    if (start > frame.size() || offset + sizeof(be16) > frame.size() - start) {
        return false;
    }
    const std::uint16_t sum = checksum_fold(checksum_add(frame.subspan(start)));
    put(frame, start + offset,
        be16(sum != 0 ? sum : std::uint16_t{0xffff}));  // 0 would mean that there is none
    return true;
}

std::uint32_t flow_hash(std::span<const std::byte> frame) {
    const auto at = find_transport(frame);
    if (!at) {
        return 0;
    }
    const auto word = [](std::span<const std::byte> of) { return std::uint32_t{*peek<be32>(of)}; };
    std::uint32_t hash = at->protocol;
    for (auto rest = addresses(frame, *at); !rest.empty(); rest = rest.subspan(sizeof(be32))) {
        hash ^= word(rest);
    }
    const std::uint32_t ports = word(frame.subspan(at->transport));
    hash ^= (ports >> 16) ^ (ports & 0xffff);
    return hash * 0x9e37'79b1U >> 16;
}

std::optional<tcp_segments> tcp_segments::cut(std::span<const std::byte> frame, bool v6, std::size_t size) {
    const auto at = find_transport(frame);
    if (!at || at->v6 != v6 || at->protocol != protocol_tcp || size == 0) {
        return {};
    }
    const auto tcp = *peek<tcp_header>(frame.subspan(at->transport));
    const std::size_t header = std::size_t{4} * (tcp.data_offset >> 4);
    if (header < sizeof tcp || at->transport + header >= frame.size()) {
        return {};
    }
    return tcp_segments{frame, *at, at->transport + header, size};
}

std::span<const std::byte> tcp_segments::segment(std::size_t n, std::vector<std::byte>& storage) const {
    const std::size_t from = n * size_;
    const std::size_t bytes = std::min(size_, payload_ - from);
    storage.resize(headers_ + bytes);
    std::ranges::copy(frame_.first(headers_), storage.begin());
    std::ranges::copy(frame_.subspan(headers_ + from, bytes),
                      storage.begin() + static_cast<std::ptrdiff_t>(headers_));
    const std::span<std::byte> out{storage};
    const std::size_t packet = storage.size() - place_.transport;  // TCP header and payload

    if (place_.v6) {
        put(out, place_.ip + offsetof(ipv6_header, payload_length), be16(static_cast<std::uint16_t>(packet)));
    } else {
        auto ip = *peek<ipv4_header>(out.subspan(place_.ip));
        ip.total_length = static_cast<std::uint16_t>(storage.size() - place_.ip);
        ip.identification = static_cast<std::uint16_t>(ip.identification + n);
        ip.checksum = 0;
        put(out, place_.ip, ip);
        const auto header = out.subspan(place_.ip, place_.transport - place_.ip);
        put(out, place_.ip + offsetof(ipv4_header, checksum), be16(checksum_fold(checksum_add(header))));
    }

    auto tcp = *peek<tcp_header>(out.subspan(place_.transport));
    tcp.sequence = static_cast<std::uint32_t>(tcp.sequence + from);
    if (n != 0) {  // RFC 3168, 6.1.2: the answer to congestion is told once
        tcp.flags = static_cast<std::uint8_t>(tcp.flags & ~abi::internet::tcp_cwr);
    }
    if (n + 1 != count()) {
        tcp.flags = static_cast<std::uint8_t>(tcp.flags & ~(abi::internet::tcp_fin | abi::internet::tcp_psh));
    }
    tcp.checksum = 0;
    put(out, place_.transport, tcp);
    const std::uint64_t sum = checksum_add(out.subspan(place_.transport), pseudo_header(out, place_, packet));
    put(out, place_.transport + offsetof(tcp_header, checksum), be16(checksum_fold(sum)));
    return storage;
}

}  // namespace pefsim::virtio
