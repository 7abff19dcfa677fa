// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <systemc>
#include <vector>

#include "abi/network_peer.h"
#include "abi/virtio_net.h"
#include "backend/network_backend_if.h"
#include "report/metrics.h"
#include "trace/signal.h"
#include "virtio/virtio_device.h"

namespace pefsim::virtio {

/// The network device (VIRTIO 1.2, 5.1): one receive and one transmit queue, no offloads.
///
/// Ports: `network`.
///
/// A frame that the driver transmits goes to the network when the device takes it; its buffer comes back when the frame
/// is on the wire. A received frame is written, behind its header, into the next receive buffer; without one, or while
/// the driver is not there or the link is down, it is dropped and counted. Receive buffers are looked for when frames
/// come in, so the device asks for no doorbells of that queue.
///
/// The driver's breaches: a transmitted frame that is not 14 bytes .. MTU + 18 long or asks for an offload, a receive
/// buffer too small for a frame; such a buffer is returned with length 0 and the frame is dropped. Unknown flags,
/// checksum fields and hdr_len are not looked at (5.1.6.2.2).
///
/// Signals: those of virtio_device (queue0 receives, queue1 transmits); `rx_bytes`, `tx_bytes`, `rx_dropped` (event).
class net : public virtio_device, public backend::network_card_if {
public:
    struct config {
        std::uint16_t queue_size = 256;
        abi::internet::mac_address mac = abi::network_peer::guest_mac;
        std::uint16_t mtu = abi::virtio::net::default_mtu;  ///< 68 .. 65535
        std::size_t rx_fifo = 256;  ///< frames that wait for the receive queue's thread at most
        timing::timing costs = {};
    };
    static constexpr const char* kind = "net";
    static device_identity identity(const config& /*parameters*/) {
        return {abi::virtio::device_id::net, 0x02'0000, 2};
    }

    sc_core::sc_port<backend::network_backend_if> network{"network"};

    /// \throws std::invalid_argument for queues that virtio_device refuses, or an MTU out of range
    net(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);

    [[nodiscard]] std::uint64_t features() const override;
    void read_config(std::size_t offset, std::span<std::byte> to) const override;
    void receive(std::span<const std::byte> frame) override;
    /// Plugs the cable in or out; a change is a configuration change notification. The link is up at first.
    void set_link(bool up);

    [[nodiscard]] std::uint64_t frames_received() const { return frames_received_.value(); }
    [[nodiscard]] std::uint64_t frames_transmitted() const { return frames_transmitted_.value(); }
    [[nodiscard]] std::uint64_t frames_dropped() const { return rx_dropped_count_.value(); }

private:
    void end_of_elaboration() override { network->attach(*this); }
    void serve(device_queue& queue, sc_core::sc_time& delay) override;
    void begin(request& what, sc_core::sc_time& delay) override;
    void finish(request& what, sc_core::sc_time& delay) override;
    /// Frames that came in for an earlier life of the driver are gone.
    void features_changed() override { fifo_count_ = 0; }
    void deliver(std::span<const std::byte> frame, device_queue& queue, sc_core::sc_time& delay);
    void drop_received(const sc_core::sc_time& when);
    [[nodiscard]] bool acceptable(const request& what, std::span<const std::byte> packet,
                                  const sc_core::sc_time& delay);

    config config_;
    bool link_up_ = true;
    std::vector<std::byte> scratch_;  // header and frame
    // Frames on their way to the receive queue's thread: a ring of buffers.
    std::vector<std::vector<std::byte>> fifo_;
    std::size_t fifo_first_ = 0;
    std::size_t fifo_count_ = 0;

    trace::signal<std::uint32_t> rx_bytes_;
    trace::signal<std::uint32_t> tx_bytes_;
    trace::event_signal rx_dropped_;
    report::counter frames_received_;
    report::counter frames_transmitted_;
    report::counter bytes_received_;
    report::counter bytes_transmitted_;
    report::counter rx_dropped_count_;
};

}  // namespace pefsim::virtio
