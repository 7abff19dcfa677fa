// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <gtest/gtest.h>
#include <span>
#include <systemc>
#include <vector>

#include "abi/virtio_net.h"
#include "backend/network_backend_if.h"
#include "tests/virtio/loopback_transport.h"
#include "virtio/net.h"

namespace pefsim::virtio::testing {

namespace wire = abi::virtio::net;

inline constexpr std::uint64_t usual_features = abi::virtio::f_version_1 | wire::f_mac | wire::f_status |
                                                wire::f_mtu;
inline constexpr std::size_t header_size = sizeof(wire::header);

using frame_bytes = std::vector<std::byte>;

inline frame_bytes frame_of(std::size_t size, unsigned from) {
    frame_bytes frame(size);
    for (std::byte& byte : frame) {
        byte = static_cast<std::byte>(from++ * 11);
    }
    return frame;
}

/// A network that takes down what it gets; sending a frame takes 1 us.
class recorded_network final : public backend::network_backend_if {
public:
    struct transmission {
        sc_core::sc_time when;
        frame_bytes frame;
    };
    void attach(backend::network_card_if& to) override { card = &to; }
    sc_core::sc_time transmit(std::span<const std::byte> frame, const sc_core::sc_time& delay) override {
        const sc_core::sc_time when = sc_core::sc_time_stamp() + delay;
        sent.push_back({when, {frame.begin(), frame.end()}});
        return when + sc_core::sc_time(1, sc_core::SC_US);
    }

    backend::network_card_if* card = nullptr;
    std::vector<transmission> sent;
};

/// A network device on a loopback transport, with drivers for its queues.
struct net_bench : device_bench<net> {
    recorded_network network;

    explicit net_bench(const net::config& parameters = {}) : device_bench(parameters) {
        device.network(network);
        sc_core::sc_start(sc_core::SC_ZERO_TIME);  // elaboration attaches the card
    }

    mock_driver& rx() { return drivers[wire::receive_queue]; }
    mock_driver& tx() { return drivers[wire::transmit_queue]; }

    /// A receive buffer of this size; \returns where it is.
    segment offer(std::size_t size) {
        const segment place = buffer(size);
        EXPECT_TRUE(rx().add({}, std::array{place}));
        return place;
    }
    segment packet(const frame_bytes& frame, const wire::header& header = {}) {
        const segment place = buffer(header_size + frame.size());
        memory.store(place.at, header);
        std::ranges::copy(frame, bytes(place).begin() + header_size);
        return place;
    }
    void transmit(const frame_bytes& frame, const wire::header& header = {}) {
        EXPECT_TRUE(tx().add(std::array{packet(frame, header)}, {}));
        kick(wire::transmit_queue);
        sc_core::sc_start();
    }
};

}  // namespace pefsim::virtio::testing
