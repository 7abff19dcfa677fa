// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/internet.h"
#include "abi/network_peer.h"
#include "abi/virtio_net.h"
#include "backend/frame_capture.h"
#include "backend/network_backend_if.h"
#include "report/metrics.h"
#include "trace/signal.h"
#include "virtio/frame_fifo.h"
#include "virtio/net_filter.h"
#include "virtio/virtio_device.h"

namespace pefsim::virtio {

/// The network device (VIRTIO 1.2, 5.1): pairs of a receive and a transmit queue, and a control queue.
///
/// Ports: `network`.
///
/// A frame that the driver transmits goes to the network when the device takes it; its buffer comes back when the frame
/// is on the wire. What the driver leaves to the device it does itself, so that every network works with it: it puts in
/// checksums (CSUM) and cuts large TCP frames (HOST_TSO4, HOST_TSO6, HOST_ECN).
///
/// A received frame is written, behind its header, into the next receive buffer, or with MRG_RXBUF into as many as it
/// needs. With GUEST_CSUM the header says when its checksums were found right. Receive buffers are looked for when
/// frames come in, so the device asks for no doorbells of these queues until it finds too few: then frames wait, and
/// the driver is asked for a doorbell when it adds some. While the driver is not there, the link is down, or as many
/// frames wait as may, frames are dropped and counted.
///
/// With several pairs a frame goes to the pair from whose transmit queue the driver answered its flow last (5.1.6.5.6).
/// The control queue sets the number of pairs in use, the address, and which frames are received; until the driver asks
/// for a filter all are. VLAN filters are not offered.
///
/// A capture sees a transmitted frame when the device has taken it from its buffers, as the network gets it, and a
/// received one when it is in its buffers or dropped.
///
/// The driver's breaches: a transmitted frame that is not 14 bytes .. MTU + 18 long, or asks for an offload that was
/// not negotiated or that its bytes do not allow; a receive buffer too small for a frame, or without device-writable
/// bytes: such a buffer is returned with length 0 and the frame is dropped; a command that is malformed or does not
/// exist: it is answered with VIRTIO_NET_ERR. Unknown flags and hdr_len are not looked at (5.1.6.2.2).
///
/// Signals: those of virtio_device (queues 0, 2, .. receive, 1, 3, .. transmit); `rx_bytes`, `tx_bytes`, `rx_dropped`
/// (event).
class net : public virtio_device, public backend::network_card_if {
public:
    struct config {
        std::uint16_t queue_size = 256;
        std::uint16_t queue_pairs = 1;  ///< 1 .. 64; several need the control queue
        bool control = false;           ///< offer CTRL_VQ: a control queue behind the others
        bool mergeable = true;          ///< offer MRG_RXBUF
        bool offloads = true;           ///< offer CSUM, GUEST_CSUM, HOST_TSO4, HOST_TSO6, HOST_ECN
        abi::internet::mac_address mac = abi::network_peer::guest_mac;
        std::uint16_t mtu = abi::virtio::net::default_mtu;  ///< 68 .. 65535
        std::size_t rx_fifo = 256;                  ///< frames that wait for each receive queue at most
        backend::frame_capture* capture = nullptr;  ///< is shown each frame; none: nullptr
        timing::timing costs = {};
    };
    static constexpr const char* kind = "net";
    static constexpr std::uint16_t most_queue_pairs = 64;
    static device_identity identity(const config& parameters) {
        return {abi::virtio::device_id::net, 0x02'0000, queues(parameters)};
    }

    sc_core::sc_port<backend::network_backend_if> network{"network"};

    /// \throws std::invalid_argument for queues that virtio_device refuses, an MTU or a number of pairs out of range,
    /// or
    ///         several pairs without control queue
    net(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);

    [[nodiscard]] std::uint64_t features() const override;
    void read_config(std::size_t offset, std::span<std::byte> to) const override;
    void receive(std::span<const std::byte> frame) override;
    /// Plugs the cable in or out; a change is a configuration change notification. The link is up at first.
    void set_link(bool up);

    [[nodiscard]] std::uint64_t frames_received() const { return frames_received_.value(); }
    [[nodiscard]] std::uint64_t frames_transmitted() const { return frames_transmitted_.value(); }
    [[nodiscard]] std::uint64_t frames_dropped() const { return rx_dropped_count_.value(); }
    /// Pairs in use: 1 until the driver asks for more.
    [[nodiscard]] std::uint16_t active_pairs() const { return active_pairs_; }

private:
    static constexpr std::size_t flows = 256;

    static std::uint16_t queues(const config& parameters) {
        return static_cast<std::uint16_t>(2 * parameters.queue_pairs + (parameters.control ? 1 : 0));
    }
    static std::uint16_t receive_queue_of(std::uint16_t pair) { return static_cast<std::uint16_t>(2 * pair); }
    [[nodiscard]] bool has(std::uint64_t feature) const { return (negotiated_features() & feature) != 0; }
    [[nodiscard]] bool is_control(std::uint16_t queue) const;

    void end_of_elaboration() override { network->attach(*this); }
    void serve(device_queue& queue, sc_core::sc_time& delay) override;
    void begin(request& what, sc_core::sc_time& delay) override;
    void finish(request& what, sc_core::sc_time& delay) override;
    /// Frames that came in for an earlier life of the driver are gone, and what that one asked for.
    void features_changed() override;

    // --- receive
    void serve_receive(device_queue& queue, sc_core::sc_time& delay);
    bool deliver(std::span<const std::byte> frame, device_queue& queue, sc_core::sc_time& delay);
    bool collect_buffers(std::size_t bytes, device_queue& queue, sc_core::sc_time& delay);
    bool fill_buffers(std::span<const std::byte> packet, sc_core::sc_time& delay);
    /// \param why for who captures frames
    void drop_received(std::span<const std::byte> frame, std::string_view why, const sc_core::sc_time& when);
    [[nodiscard]] std::uint16_t pair_for(std::span<const std::byte> frame) const;

    // --- transmit
    void begin_transmit(request& what, sc_core::sc_time& delay);
    /// \returns when the last byte is on the wire; nothing when the packet was refused, which is a breach
    std::optional<sc_core::sc_time> transmit(const request& what, std::span<std::byte> packet,
                                             sc_core::sc_time& delay);
    sc_core::sc_time send(const request& of, std::span<const std::byte> frame, const sc_core::sc_time& delay);
    [[nodiscard]] bool segmentation_negotiated(std::uint8_t gso_type) const;
    void refuse(const request& what, std::string why, const sc_core::sc_time& delay);

    // --- capture
    /// The first `bytes` of these are a captured frame's, behind those that are there already.
    void add_captured(std::span<const segment> buffers, std::uint64_t bytes);

    // --- control
    void begin_control(request& what, sc_core::sc_time& delay);
    [[nodiscard]] bool execute(std::uint8_t command_class, std::uint8_t command,
                               std::span<const std::byte> data);
    [[nodiscard]] bool set_pairs(std::span<const std::byte> data);
    [[nodiscard]] bool set_address(std::span<const std::byte> data);

    config config_;
    bool link_up_ = true;
    abi::internet::mac_address mac_;
    net_filter filter_;
    std::uint16_t active_pairs_ = 1;
    std::array<std::uint16_t, flows> pair_of_flow_{};
    std::vector<std::byte> scratch_;                       // header and frame
    std::vector<std::byte> segment_storage_;               // one of a large frame's segments
    std::deque<frame_fifo> waiting_;                       // for the receive queue of each pair
    std::vector<request*> buffers_;                        // of the frame that is being delivered
    std::vector<backend::frame_buffer> captured_buffers_;  // of the frame that a capture is shown

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
