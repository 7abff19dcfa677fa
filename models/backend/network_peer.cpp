// SPDX-License-Identifier: Apache-2.0
#include "backend/network_peer.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace pefsim::backend {

using abi::internet::arp_hardware_ethernet;
using abi::internet::arp_packet;
using abi::internet::arp_request;
using abi::internet::be32;
using abi::internet::broadcast_mac;
using abi::internet::ethernet_header;
using abi::internet::ethertype_arp;
using abi::internet::ethertype_ipv4;
using abi::internet::icmp_echo_request;
using abi::internet::ipv4_header;
using abi::internet::mac_address;
using abi::internet::protocol_icmp;
using abi::internet::protocol_udp;
using abi::internet::udp_header;
using abi::network_peer::control_port;
using abi::network_peer::echo_port;
using abi::network_peer::pattern_header;
using abi::network_peer::pattern_word;
using abi::network_peer::sink_port;
using abi::network_peer::source_port;
using abi::network_peer::start_magic;
using abi::network_peer::tftp_port;
using abi::network_peer::tftp_transfer_port;
using sc_core::sc_time;

namespace {

constexpr std::size_t ip_and_udp_headers = sizeof(ipv4_header) + sizeof(udp_header);

const network_peer::config& checked(const network_peer::config& parameters) {
    if (parameters.mtu < 68) {
        throw std::invalid_argument(
            fmt::format("network peer: mtu {} is not in 68 .. 65535", parameters.mtu));
    }
    return parameters;
}

}  // namespace

network_peer::network_peer(const sc_core::sc_module_name& name, trace::recorder& recorder,
                           const config& parameters)
    : network_end(name, recorder, checked(parameters).costs),
      config_(parameters),
      files_(parameters.seed, parameters.mtu - ip_and_udp_headers),
      arp_replies_(recorder.metrics(), this->name(), "arp_replies", "frames", "ARP requests answered"),
      echo_replies_(recorder.metrics(), this->name(), "echo_replies", "frames",
                    "ICMP echo requests and UDP echo datagrams answered"),
      source_datagrams_(recorder.metrics(), this->name(), "source_datagrams", "datagrams",
                        "pattern datagrams sent"),
      sink_datagrams_(recorder.metrics(), this->name(), "sink_datagrams", "datagrams",
                      "pattern datagrams received intact"),
      sink_bytes_(recorder.metrics(), this->name(), "sink_bytes", "bytes",
                  "UDP payload of intact pattern datagrams"),
      sink_corrupt_(recorder.metrics(), this->name(), "sink_corrupt", "datagrams",
                    "pattern datagrams with wrong bytes"),
      sink_out_of_order_(recorder.metrics(), this->name(), "sink_out_of_order", "datagrams",
                         "intact pattern datagrams that were not the next in sequence"),
      dropped_(recorder.metrics(), this->name(), "dropped", "frames",
               "frames from the guest dropped, by reason",
               std::vector<std::string>(frame_fault_names.begin(), frame_fault_names.end())) {}

std::optional<sc_time> network_peer::own_due() const {
    return source_active() ? std::optional{next_source().next} : std::nullopt;
}

// --- receive

void network_peer::arrived(std::span<const std::byte> frame) {
    if (const frame_fault fault = receive(frame); fault != frame_fault::none) {
        dropped_.add(static_cast<std::size_t>(fault));
    }
}

frame_fault network_peer::receive(std::span<const std::byte> frame) {
    const auto header = peek<ethernet_header>(frame);
    if (!header) {
        return frame_fault::too_short;
    }
    if (header->destination != config_.mac && header->destination != broadcast_mac) {
        return frame_fault::other_destination;
    }
    const auto packet = frame.subspan(sizeof *header);
    switch (header->ethertype) {
    case ethertype_arp:
        return receive_arp(packet);
    case ethertype_ipv4:
        return receive_ipv4(header->source, packet);
    default:
        return frame_fault::unknown_ethertype;
    }
}

frame_fault network_peer::receive_arp(std::span<const std::byte> packet) {
    const auto arp = peek<arp_packet>(packet);
    if (!arp || arp->hardware_type != arp_hardware_ethernet || arp->protocol_type != ethertype_ipv4 ||
        arp->hardware_size != sizeof(mac_address) || arp->protocol_size != sizeof(be32)) {
        return frame_fault::bad_arp;
    }
    if (arp->target_ip != config_.ip) {
        return frame_fault::other_destination;
    }
    if (arp->operation == arp_request) {
        arp_replies_.add();
        send(builder_.arp_reply(self(), {arp->sender_mac, arp->sender_ip}));
    }
    return frame_fault::none;
}

frame_fault network_peer::receive_ipv4(const mac_address& from, std::span<const std::byte> packet) {
    ipv4_view ip{};
    if (const frame_fault fault = parse_ipv4(packet, ip); fault != frame_fault::none) {
        return fault;
    }
    if (ip.header.destination != config_.ip) {
        return frame_fault::other_destination;
    }
    const endpoint sender{from, ip.header.source};
    switch (ip.header.protocol) {
    case protocol_icmp:
        return receive_icmp(sender, ip);
    case protocol_udp:
        return receive_udp(sender, ip);
    default:
        return frame_fault::unknown_protocol;
    }
}

frame_fault network_peer::receive_icmp(const endpoint& from, const ipv4_view& ip) {
    icmp_view icmp{};
    if (const frame_fault fault = parse_icmp(ip, icmp); fault != frame_fault::none) {
        return fault;
    }
    if (icmp.header.type != icmp_echo_request || icmp.header.code != 0) {
        return frame_fault::bad_icmp;
    }
    echo_replies_.add();
    send(builder_.icmp_reply(self(), from, icmp));
    return frame_fault::none;
}

frame_fault network_peer::receive_udp(endpoint from, const ipv4_view& ip) {
    udp_view udp{};
    if (const frame_fault fault = parse_udp(ip, udp); fault != frame_fault::none) {
        return fault;
    }
    from.port = udp.header.source_port;
    switch (udp.header.destination_port) {
    case control_port:
        return control(from, udp.payload);
    case sink_port:
        sink(from.port, udp.payload);
        return frame_fault::none;
    case echo_port:
        echo_replies_.add();
        std::ranges::copy(udp.payload, builder_.udp_payload(udp.payload.size()).begin());
        send(builder_.udp(self(echo_port), from));
        return frame_fault::none;
    case tftp_port:
        answer(tftp_transfer_port, from, files_.request(from.port, udp.payload));
        return frame_fault::none;
    case tftp_transfer_port:
        if (!files_.serves(from.port)) {
            return frame_fault::closed_port;
        }
        answer(tftp_transfer_port, from, files_.next(from.port, udp.payload));
        return frame_fault::none;
    default:
        return frame_fault::closed_port;
    }
}

void network_peer::answer(std::uint16_t port, const endpoint& to,
                          const std::optional<std::vector<std::byte>>& payload) {
    if (payload) {
        std::ranges::copy(*payload, builder_.udp_payload(payload->size()).begin());
        send(builder_.udp(self(port), to));
    }
}

frame_fault network_peer::control(const endpoint& from, std::span<const std::byte> payload) {
    const auto wanted = peek<abi::network_peer::start_source>(payload);
    if (!wanted || wanted->magic != start_magic || !source_size_allowed(wanted->size)) {
        return frame_fault::bad_control;
    }
    const sc_time interval(static_cast<double>(wanted->interval_ns), sc_core::SC_NS);
    start({wanted->count, wanted->size, wanted->port, interval}, {from.mac, from.ip, wanted->port});
    return frame_fault::none;
}

void network_peer::sink(std::uint16_t from_port, std::span<const std::byte> payload) {
    const auto header = peek<pattern_header>(payload);
    const auto intact = [&] {
        const auto bytes = payload.subspan(sizeof *header);
        for (std::size_t i = 0; i < bytes.size(); i += 8) {
            const std::uint64_t word = pattern_word(config_.seed, header->sequence, i / 8);
            if (std::memcmp(bytes.data() + i, &word, std::min<std::size_t>(8, bytes.size() - i)) != 0) {
                return false;
            }
        }
        return true;
    };
    if (!header || !intact()) {
        sink_corrupt_.add();
        return;
    }
    sink_datagrams_.add();
    sink_bytes_.add(payload.size());
    std::uint64_t& expected = sink_expected_[from_port];
    sink_out_of_order_.add(header->sequence == expected ? 0 : 1);
    expected = header->sequence + 1;
}

// --- source

bool network_peer::source_size_allowed(std::size_t size) const {
    return size >= sizeof(pattern_header) && size + ip_and_udp_headers <= config_.mtu;
}

void network_peer::start_source(const source& what) {
    if (!source_size_allowed(what.size)) {
        throw std::invalid_argument(fmt::format("network peer: datagram size {} is not in {} .. {}",
                                                what.size, sizeof(pattern_header),
                                                config_.mtu - ip_and_udp_headers));
    }
    start(what, {config_.guest_mac, config_.guest_ip, what.port});
}

void network_peer::start(const source& what, const endpoint& to) {
    if (what.count == 0) {
        sources_.erase(to.port);
        return;
    }
    sources_[to.port] = running_source{.from = self(source_port),
                                       .to = to,
                                       .left = what.count,
                                       .size = what.size,
                                       .interval = what.interval,
                                       .sequence = 0,
                                       .next = sc_core::sc_time_stamp()};
    reconsider();
}

/// The one that is to send next; of equals, that to the lowest port.
const network_peer::running_source& network_peer::next_source() const {
    return std::ranges::min_element(sources_, {}, [](const auto& each) { return each.second.next; })->second;
}

void network_peer::act() {
    running_source& s = sources_.at(next_source().to.port);
    const std::span<std::byte> payload = builder_.udp_payload(s.size);
    pattern_header header;
    header.sequence = s.sequence;
    std::memcpy(payload.data(), &header, sizeof header);
    const auto bytes = payload.subspan(sizeof header);
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
        const std::uint64_t word = pattern_word(config_.seed, s.sequence, i / 8);
        std::memcpy(bytes.data() + i, &word, std::min<std::size_t>(8, bytes.size() - i));
    }
    send(builder_.udp(s.from, s.to));
    source_datagrams_.add();
    ++s.sequence;
    s.next = std::max(sc_core::sc_time_stamp() + s.interval, free_at());
    if (--s.left == 0) {
        sources_.erase(s.to.port);
    }
}

}  // namespace pefsim::backend
