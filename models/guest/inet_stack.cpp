// SPDX-License-Identifier: Apache-2.0
#include "guest/inet_stack.h"

#include <algorithm>

#include "abi/virtio_net.h"

namespace pefsim::guest {

namespace {

namespace wire = abi::internet;
using sc_core::sc_time;

constexpr std::uint16_t echo_identifier = 0x7065;
constexpr unsigned arp_attempts = 3;
const std::size_t headers_before_payload = sizeof(wire::ipv4_header) + sizeof(wire::udp_header);

std::byte echo_byte(std::size_t i) { return static_cast<std::byte>(i); }

}  // namespace

inet_stack::inet_stack(const driver_environment& kernel, const config& parameters, std::string_view scope,
                       virtio_net_driver& card)
    : kernel_(kernel),
      parameters_(parameters),
      card_(card),
      pings_(kernel.recorder.metrics(), scope, "pings", "requests", "ICMP echo requests sent"),
      echoes_answered_(kernel.recorder.metrics(), scope, "echoes_answered", "requests",
                       "ICMP echo requests answered"),
      datagrams_sent_(kernel.recorder.metrics(), scope, "udp_sent", "datagrams", "UDP datagrams sent"),
      datagrams_received_(kernel.recorder.metrics(), scope, "udp_received", "datagrams",
                          "UDP datagrams for a bound port"),
      udp_bytes_sent_(kernel.recorder.metrics(), scope, "udp_bytes_sent", "bytes", "their payload"),
      udp_bytes_received_(kernel.recorder.metrics(), scope, "udp_bytes_received", "bytes", "their payload"),
      malformed_(kernel.recorder.metrics(), scope, "malformed", "frames",
                 "frames that are cut off or fail a checksum"),
      unwanted_(kernel.recorder.metrics(), scope, "unwanted", "frames",
                "frames for another host, protocol or port"),
      overflows_(kernel.recorder.metrics(), scope, "udp_overflows", "datagrams",
                 "datagrams for which a port had no room"),
      round_trip_(kernel.recorder.metrics(), scope, "round_trip", "from echo request to reply") {
    card_.on_frame([this](native_cpu& cpu, std::span<const std::byte> frame) { received(cpu, frame); });
}

std::size_t inet_stack::max_payload() const {
    return card_.mtu() > headers_before_payload ? card_.mtu() - headers_before_payload : 0;
}

inet::link inet_stack::link_to(std::uint32_t ip, const inet::mac_address& mac) const {
    return {
        .source_mac = card_.mac(), .destination_mac = mac, .source_ip = parameters_.ip, .destination_ip = ip};
}

// --- ARP

const inet_stack::neighbour* inet_stack::find(std::uint32_t ip) const {
    const auto found = std::ranges::find(neighbours_, ip, &neighbour::ip);
    return found == neighbours_.end() ? nullptr : &*found;
}

void inet_stack::learn(native_cpu& cpu, std::uint32_t ip, const inet::mac_address& mac) {
    const auto known = std::ranges::find(neighbours_, ip, &neighbour::ip);
    if (known == neighbours_.end()) {
        neighbours_.push_back({ip, mac});
    } else {
        known->mac = mac;
    }
    // Waking takes time, in which another CPU may begin to wait.
    std::vector<completion*> waiting;
    waiting.swap(resolving_);
    kernel_.cpus.complete_all(cpu, waiting);
}

std::optional<inet::mac_address> inet_stack::resolve(native_cpu& cpu, std::uint32_t ip) {
    const sc_time patience(100, sc_core::SC_MS);
    for (unsigned attempt = 0; attempt < arp_attempts && find(ip) == nullptr; ++attempt) {
        inet::frame request;
        inet::build_arp(request, link_to(ip, wire::broadcast_mac), wire::arp_request);
        completion learnt(cpu);
        resolving_.push_back(&learnt);
        if (card_.send(cpu, request)) {
            kernel_.cpus.wait_until(cpu, [&learnt] { return learnt.done; }, cpu.now() + patience,
                                    {.what = "an ARP reply"});
        }
        std::erase(resolving_, &learnt);
    }
    const neighbour* const known = find(ip);
    return known == nullptr ? std::nullopt : std::optional(known->mac);
}

// --- sending

std::optional<sc_time> inet_stack::ping(native_cpu& cpu, std::uint32_t ip, std::size_t payload_bytes,
                                        const sc_time& timeout) {
    const auto mac = payload_bytes <= max_payload() ? resolve(cpu, ip) : std::nullopt;
    if (!mac) {
        return std::nullopt;
    }
    std::vector<std::byte> payload(payload_bytes);
    for (std::size_t i = 0; i < payload.size(); ++i) {
        payload[i] = echo_byte(i);
    }
    completion answered(cpu);
    pending_echo waiting{
        .sequence = ++sequence_, .sender = &answered, .payload_bytes = payload_bytes, .answered = {}};
    inet::frame request;
    inet::build_icmp_echo(request, link_to(ip, *mac), wire::icmp_echo_request, echo_identifier,
                          waiting.sequence, payload);
    const sc_time sent = cpu.now();
    echoes_.push_back(&waiting);
    pings_.add();
    if (card_.send(cpu, request)) {
        kernel_.cpus.wait_until(cpu, [&answered] { return answered.done; }, sent + timeout,
                                {.what = "an ICMP echo reply"});
    }
    std::erase(echoes_, &waiting);
    if (!waiting.answered) {
        return std::nullopt;
    }
    round_trip_.add(*waiting.answered - sent);
    return *waiting.answered - sent;
}

bool inet_stack::send_udp(native_cpu& cpu, std::uint16_t source_port, std::uint32_t ip, std::uint16_t port,
                          std::span<const std::byte> payload) {
    const auto mac = payload.size() <= max_payload() ? resolve(cpu, ip) : std::nullopt;
    if (!mac) {
        return false;
    }
    inet::frame frame;
    inet::build_udp(frame, link_to(ip, *mac), source_port, port, payload);
    if (!card_.send(cpu, frame)) {
        return false;
    }
    datagrams_sent_.add();
    udp_bytes_sent_.add(payload.size());
    return true;
}

bool inet_stack::send_udp(native_cpu& cpu, std::uint16_t source_port, std::uint32_t ip, std::uint16_t port,
                          phys_addr payload, std::size_t bytes) {
    if (bytes > max_payload()) {
        return false;
    }
    std::vector<std::byte> copy(bytes);
    cpu.read(payload, copy);
    return send_udp(cpu, source_port, ip, port, copy);
}

// --- receiving

inet_stack::udp_port* inet_stack::find_port(std::uint16_t port) {
    const auto found = std::ranges::find(ports_, port, &udp_port::port);
    return found == ports_.end() ? nullptr : &*found;
}

void inet_stack::bind_udp(std::uint16_t port) {
    if (find_port(port) == nullptr) {
        ports_.push_back({.port = port, .waiting = {}});
    }
}

std::optional<inet_stack::datagram> inet_stack::receive_udp(native_cpu& cpu, std::uint16_t port,
                                                            const sc_time& timeout) {
    bind_udp(port);
    udp_port& from = *find_port(port);
    const sc_time deadline = cpu.now() + timeout;
    while (from.waiting.empty()) {
        completion arrived(cpu);
        from.reader = &arrived;
        const bool in_time = kernel_.cpus.wait_until(cpu, [&arrived] { return arrived.done; }, deadline,
                                                     {.what = "a datagram"});
        from.reader = nullptr;
        if (!in_time) {
            return std::nullopt;
        }
    }
    datagram first = std::move(from.waiting.front());
    from.waiting.pop_front();
    return first;
}

void inet_stack::received(native_cpu& cpu, std::span<const std::byte> frame) {
    const auto type = inet::ethertype(frame);
    if (type == wire::ethertype_arp) {
        if (const auto packet = inet::read_arp(frame)) {
            received_arp(cpu, *packet);
        } else {
            malformed_.add();
        }
        return;
    }
    if (type != wire::ethertype_ipv4) {
        unwanted_.add();
        return;
    }
    const auto packet = inet::read_ipv4(frame);
    if (!packet) {
        malformed_.add();
        return;
    }
    if (packet->between.destination_ip != parameters_.ip) {
        unwanted_.add();
        return;
    }
    if (packet->protocol != wire::protocol_icmp && packet->protocol != wire::protocol_udp) {
        unwanted_.add();
    } else if (const auto echo = inet::read_icmp_echo(*packet)) {
        received_echo(cpu, *packet, *echo);
    } else if (const auto udp = inet::read_udp(*packet)) {
        received_udp(cpu, *packet, *udp);
    } else {
        malformed_.add();
    }
}

/// Sends answer_ from interrupt context: when the card has no room it is lost, as on any network.
void inet_stack::answer(native_cpu& cpu) { card_.transmit(cpu, answer_); }

void inet_stack::received_arp(native_cpu& cpu, const inet::arp_view& packet) {
    if (packet.target_ip != parameters_.ip) {
        unwanted_.add();
        return;
    }
    learn(cpu, packet.sender_ip, packet.sender_mac);
    if (packet.operation == wire::arp_request) {
        inet::build_arp(answer_, link_to(packet.sender_ip, packet.sender_mac), wire::arp_reply);
        answer(cpu);
    }
}

void inet_stack::received_echo(native_cpu& cpu, const inet::ipv4_view& packet, const inet::echo_view& what) {
    if (what.type == wire::icmp_echo_request) {
        inet::build_icmp_echo(answer_, link_to(packet.between.source_ip, packet.between.source_mac),
                              wire::icmp_echo_reply, what.identifier, what.sequence, what.payload);
        echoes_answered_.add();
        answer(cpu);
        return;
    }
    const auto waiting = std::ranges::find(echoes_, what.sequence, &pending_echo::sequence);
    if (what.identifier != echo_identifier || waiting == echoes_.end()) {
        unwanted_.add();
        return;
    }
    bool same = what.payload.size() == (*waiting)->payload_bytes;
    for (std::size_t i = 0; same && i < what.payload.size(); ++i) {
        same = what.payload[i] == echo_byte(i);
    }
    if (!same) {
        malformed_.add();
        return;
    }
    (*waiting)->answered = cpu.now();
    kernel_.cpus.complete(cpu, *(*waiting)->sender);
}

void inet_stack::received_udp(native_cpu& cpu, const inet::ipv4_view& packet, const inet::udp_view& from) {
    udp_port* const port = find_port(from.destination_port);
    if (port == nullptr) {
        unwanted_.add();
        return;
    }
    if (port->waiting.size() >= most_waiting) {
        overflows_.add();
        return;
    }
    port->waiting.push_back({.source_ip = packet.between.source_ip,
                             .source_port = from.source_port,
                             .payload = {from.payload.begin(), from.payload.end()}});
    datagrams_received_.add();
    udp_bytes_received_.add(from.payload.size());
    if (port->reader != nullptr) {
        kernel_.cpus.complete(cpu, *port->reader);
    }
}

}  // namespace pefsim::guest
