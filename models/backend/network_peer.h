// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <systemc>
#include <vector>

#include "abi/network_peer.h"
#include "backend/network_end.h"
#include "backend/packet.h"
#include "backend/tftp_server.h"
#include "report/metrics.h"
#include "timing/timing.h"
#include "trace/recorder.h"

namespace pefsim::backend {

/// The host at the other end of the guest's network cable. It does nothing on its own and the same in every run.
///
/// | gets                             | does                                                                       |
/// |----------------------------------|----------------------------------------------------------------------------|
/// | ARP request for its address      | answers                                                                    |
/// | ICMP echo request                | answers with the same payload                                              |
/// | UDP to abi::network_peer::echo_port    | sends the datagram back                                              |
/// | UDP to abi::network_peer::sink_port    | checks it against the seeded pattern and counts, a sequence per source port |
/// | UDP to abi::network_peer::tftp_port    | begins to send the file that is asked for (tftp_server.h)            |
/// | UDP to abi::network_peer::control_port | starts sending pattern datagrams, as start_source() does, to each port its own |
///
/// Every length and checksum is verified; what is wrong is dropped and counted by reason. RFC 826, 791, 792, 768, 862.
///
/// Signals: those of network_end.
class network_peer : public network_end {
public:
    struct config {
        abi::internet::mac_address mac = abi::network_peer::peer_mac;
        std::uint32_t ip = abi::network_peer::peer_ip;
        abi::internet::mac_address guest_mac =
            abi::network_peer::guest_mac;  ///< where start_source() sends to
        std::uint32_t guest_ip = abi::network_peer::guest_ip;
        std::uint16_t mtu = 1500;  ///< bytes of an IPv4 packet, 68 .. 65535
        std::uint64_t seed = 1;    ///< of the pattern
        timing::timing costs = {};
    };
    /// A transmission of pattern datagrams.
    struct source {
        std::uint64_t count;        ///< datagrams
        std::size_t size;           ///< bytes of UDP payload, 8 .. mtu - 28
        std::uint16_t port;         ///< the guest's
        sc_core::sc_time interval;  ///< from one to the next; when the wire is slower, the wire's
    };

    /// \throws std::invalid_argument for an MTU out of range, or a cost that is not positive
    network_peer(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);

    /// Starts sending now; replaces a transmission to the same port that is under way.
    /// \throws std::invalid_argument for a size that the MTU forbids
    void start_source(const source& what);
    [[nodiscard]] bool source_active() const { return !sources_.empty(); }

    // What the sink saw.
    [[nodiscard]] std::uint64_t sink_datagrams() const { return sink_datagrams_.value(); }
    [[nodiscard]] std::uint64_t sink_corrupt() const { return sink_corrupt_.value(); }
    [[nodiscard]] std::uint64_t sink_out_of_order() const { return sink_out_of_order_.value(); }
    [[nodiscard]] std::uint64_t dropped(frame_fault why) const {
        return dropped_.count(static_cast<std::size_t>(why));
    }

private:
    struct running_source {
        endpoint from;
        endpoint to;
        std::uint64_t left;
        std::size_t size;
        sc_core::sc_time interval;
        std::uint64_t sequence;
        sc_core::sc_time next;
    };

    void arrived(std::span<const std::byte> frame) override;
    [[nodiscard]] std::optional<sc_core::sc_time> own_due() const override;
    void act() override;
    [[nodiscard]] const running_source& next_source() const;
    void start(const source& what, const endpoint& to);
    [[nodiscard]] bool source_size_allowed(std::size_t size) const;

    frame_fault receive(std::span<const std::byte> frame);
    frame_fault receive_arp(std::span<const std::byte> packet);
    frame_fault receive_ipv4(const abi::internet::mac_address& from, std::span<const std::byte> packet);
    frame_fault receive_icmp(const endpoint& from, const ipv4_view& ip);
    frame_fault receive_udp(endpoint from, const ipv4_view& ip);
    frame_fault control(const endpoint& from, std::span<const std::byte> payload);
    void answer(std::uint16_t port, const endpoint& to, const std::optional<std::vector<std::byte>>& payload);
    void sink(std::uint16_t from_port, std::span<const std::byte> payload);
    [[nodiscard]] endpoint self(std::uint16_t port = 0) const { return {config_.mac, config_.ip, port}; }

    config config_;
    frame_builder builder_;
    std::map<std::uint16_t, running_source> sources_;       // that have something left, by the guest's port
    std::map<std::uint16_t, std::uint64_t> sink_expected_;  // sequence number, by the guest's port
    tftp_server files_;

    report::counter arp_replies_;
    report::counter echo_replies_;
    report::counter source_datagrams_;
    report::counter sink_datagrams_;
    report::counter sink_bytes_;
    report::counter sink_corrupt_;
    report::counter sink_out_of_order_;
    report::tally dropped_;
};

}  // namespace pefsim::backend
