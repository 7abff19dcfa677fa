// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/network_peer.h"
#include "guest/driver_environment.h"
#include "guest/inet.h"
#include "guest/virtio_net_driver.h"
#include "report/metrics.h"

namespace pefsim::guest {

/// The guest's internet protocols over one network card, enough for ping and UDP both ways: ARP, IPv4 without options
/// and fragments, ICMP echo (asks and answers), UDP. Every checksum is verified; what is malformed, or for somebody
/// else, is dropped and counted.
///
/// Received datagrams wait in the kernel's own memory until they are taken, at most `most_waiting` per port.
class inet_stack {
public:
    struct config {
        std::uint32_t ip = abi::network_peer::guest_ip;  ///< this host's IPv4 address
    };
    struct datagram {
        std::uint32_t source_ip = 0;
        std::uint16_t source_port = 0;
        std::vector<std::byte> payload;
    };
    static constexpr std::size_t most_waiting = 1024;

    inet_stack(const driver_environment& kernel, const config& parameters, std::string_view scope,
               virtio_net_driver& card);

    [[nodiscard]] virtio_net_driver& card() { return card_; }
    [[nodiscard]] std::uint32_t ip() const { return parameters_.ip; }
    /// Largest UDP payload and ICMP echo payload, bytes.
    [[nodiscard]] std::size_t max_payload() const;

    /// Sends an ICMP echo request and waits for its reply. \returns the round trip; nothing after `timeout`, or when
    /// the reply does not bring the same payload back
    std::optional<sc_core::sc_time> ping(native_cpu& cpu, std::uint32_t ip, std::size_t payload_bytes = 56,
                                         const sc_core::sc_time& timeout = {1, sc_core::SC_SEC});

    /// \returns false when the payload is too long, the address is not resolved, or the card drops the frame
    bool send_udp(native_cpu& cpu, std::uint16_t source_port, std::uint32_t ip, std::uint16_t port,
                  std::span<const std::byte> payload);
    /// The same from guest memory. \param bytes at most max_payload()
    bool send_udp(native_cpu& cpu, std::uint16_t source_port, std::uint32_t ip, std::uint16_t port,
                  phys_addr payload, std::size_t bytes);
    /// Datagrams to `port` are kept from now on.
    void bind_udp(std::uint16_t port);
    /// The next datagram to a bound port; nothing after `timeout`.
    std::optional<datagram> receive_udp(native_cpu& cpu, std::uint16_t port,
                                        const sc_core::sc_time& timeout = {1, sc_core::SC_SEC});

private:
    struct neighbour {
        std::uint32_t ip;
        inet::mac_address mac;
    };
    struct udp_port {
        std::uint16_t port;
        std::deque<datagram> waiting;
        completion* reader = nullptr;
    };
    struct pending_echo {
        std::uint16_t sequence;
        completion* sender;
        std::size_t payload_bytes;
        std::optional<sc_core::sc_time> answered;
    };

    void received(native_cpu& cpu, std::span<const std::byte> frame);
    void received_arp(native_cpu& cpu, const inet::arp_view& packet);
    void received_echo(native_cpu& cpu, const inet::ipv4_view& packet, const inet::echo_view& what);
    void received_udp(native_cpu& cpu, const inet::ipv4_view& packet, const inet::udp_view& from);
    void answer(native_cpu& cpu);
    void learn(native_cpu& cpu, std::uint32_t ip, const inet::mac_address& mac);
    [[nodiscard]] const neighbour* find(std::uint32_t ip) const;
    std::optional<inet::mac_address> resolve(native_cpu& cpu, std::uint32_t ip);
    udp_port* find_port(std::uint16_t port);
    [[nodiscard]] inet::link link_to(std::uint32_t ip, const inet::mac_address& mac) const;

    driver_environment kernel_;
    config parameters_;
    virtio_net_driver& card_;
    std::vector<neighbour> neighbours_;
    std::deque<udp_port> ports_;
    std::vector<pending_echo*> echoes_;
    std::vector<completion*> resolving_;
    std::uint16_t sequence_ = 0;
    inet::frame answer_;  // built in interrupt context

    report::counter pings_;
    report::counter echoes_answered_;
    report::counter datagrams_sent_;
    report::counter datagrams_received_;
    report::counter udp_bytes_sent_;
    report::counter udp_bytes_received_;
    report::counter malformed_;
    report::counter unwanted_;
    report::counter overflows_;
    report::duration_histogram round_trip_;
};

}  // namespace pefsim::guest
