// SPDX-License-Identifier: Apache-2.0
#include "virtio/net.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::virtio {

namespace wire = abi::virtio::net;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr std::size_t vlan_tag_size = 4;

std::size_t max_frame_size(std::uint16_t mtu) { return wire::ethernet_header_size + vlan_tag_size + mtu; }

const net::config& checked(const net::config& parameters) {
    if (parameters.mtu < 68) {  // N1: 5.1.4.1
        throw std::invalid_argument(fmt::format("net device: mtu {} is not in 68 .. 65535", parameters.mtu));
    }
    return parameters;
}

}  // namespace

net::net(const sc_core::sc_module_name& module_name, trace::recorder& recorder, const config& parameters)
    : virtio_device(module_name, recorder, {2, parameters.queue_size}, parameters.costs),
      config_(checked(parameters)),
      scratch_(sizeof(wire::header) + max_frame_size(parameters.mtu)),
      fifo_(std::max<std::size_t>(parameters.rx_fifo, 1)),
      rx_bytes_(recorder, name(), "rx_bytes", "size of the last frame given to the driver"),
      tx_bytes_(recorder, name(), "tx_bytes", "size of the last frame from the driver"),
      rx_dropped_(recorder, name(), "rx_dropped", "a received frame is dropped"),
      frames_received_(recorder.metrics(), name(), "frames_received", "frames", "given to the driver"),
      frames_transmitted_(recorder.metrics(), name(), "frames_transmitted", "frames", "sent to the network"),
      bytes_received_(recorder.metrics(), name(), "bytes_received", "bytes", "of frames given to the driver"),
      bytes_transmitted_(recorder.metrics(), name(), "bytes_transmitted", "bytes",
                         "of frames sent to the network"),
      rx_dropped_count_(
          recorder.metrics(), name(), "frames_dropped", "frames",
          "received for a driver without buffer, a driver that is not there, or a link that is down") {
    for (std::vector<std::byte>& frame : fifo_) {
        frame.reserve(max_frame_size(parameters.mtu));
    }
}

std::uint64_t net::features() const { return wire::f_mac | wire::f_status | wire::f_mtu; }

void net::read_config(std::size_t offset, std::span<std::byte> to) const {
    wire::config c{};
    c.mac = config_.mac;
    c.status = link_up_ ? wire::status_link_up : std::uint16_t{0};
    c.max_virtqueue_pairs = 1;
    c.mtu = config_.mtu;
    const auto bytes = std::as_bytes(std::span{&c, 1});
    std::ranges::fill(to, std::byte{0});
    if (offset < bytes.size()) {
        std::ranges::copy(bytes.subspan(offset, std::min(to.size(), bytes.size() - offset)), to.begin());
    }
}

void net::set_link(bool up) {
    if (link_up_ != up) {
        link_up_ = up;
        sc_time delay;
        config_changed(delay);
    }
}

// --- receive

void net::receive(std::span<const std::byte> frame) {
    if (!active(wire::receive_queue) || !link_up_ || fifo_count_ == fifo_.size() ||
        frame.size() > max_frame_size(config_.mtu)) {
        drop_received(sc_time_stamp());
        return;
    }
    fifo_[(fifo_first_ + fifo_count_++) % fifo_.size()].assign(frame.begin(), frame.end());
    wake(wire::receive_queue);
}

void net::drop_received(const sc_time& when) {
    rx_dropped_.fire(when);
    rx_dropped_count_.add();
}

void net::serve(device_queue& queue, sc_time& delay) {
    if (queue.index() != wire::receive_queue) {
        virtio_device::serve(queue, delay);
        return;
    }
    queue.ring->disable_notifications(memory(), delay);
    while (fifo_count_ != 0) {
        deliver(fifo_[fifo_first_], queue, delay);
        fifo_first_ = (fifo_first_ + 1) % fifo_.size();
        --fifo_count_;
    }
}

void net::deliver(std::span<const std::byte> frame, device_queue& queue, sc_time& delay) {
    request* const buffer = pop(queue, delay);
    const sc_time now = sc_time_stamp() + delay;
    if (buffer == nullptr) {
        drop_received(now);
        return;
    }
    wire::header header{};
    header.gso_type = wire::hdr_gso_none;
    header.num_buffers = 1;  // N3: without MRG_RXBUF
    const auto packet = std::span{scratch_}.first(sizeof header + frame.size());
    std::memcpy(packet.data(), &header, sizeof header);
    std::ranges::copy(frame, packet.begin() + sizeof header);
    if (buffer->chain.writable_bytes() < packet.size()) {
        breach(*buffer,
               fmt::format("receive buffer of {} bytes for a packet of {}", buffer->chain.writable_bytes(),
                           packet.size()),
               delay);
        count_error();
        drop_received(now);
        complete(*buffer, 0);
        return;
    }
    if (!scatter(*buffer, 0, packet, delay)) {
        count_error();
        drop_received(now);
        complete(*buffer, 0);
        return;
    }
    rx_bytes_.set(static_cast<std::uint32_t>(frame.size()), now);
    frames_received_.add();
    bytes_received_.add(frame.size());
    complete(*buffer, packet.size());
}

// --- transmit

void net::begin(request& what, sc_time& delay) {
    const std::uint64_t size = what.chain.readable_bytes();
    const auto packet = std::span{scratch_}.first(std::min<std::uint64_t>(size, scratch_.size()));
    const bool sent = gather(what, 0, packet, delay) && acceptable(what, packet, delay);
    sc_time done = sc_time_stamp() + delay;
    if (!sent) {
        count_error();
    } else if (link_up_) {
        const auto frame = packet.subspan(sizeof(wire::header));
        tx_bytes_.set(static_cast<std::uint32_t>(frame.size()), done);
        frames_transmitted_.add();
        bytes_transmitted_.add(frame.size());
        done = network->transmit(frame, delay);
    }
    finish_at(what, done);
}

bool net::acceptable(const request& what, std::span<const std::byte> packet, const sc_time& delay) {
    const std::uint64_t size = what.chain.readable_bytes();
    const std::size_t shortest = sizeof(wire::header) + wire::ethernet_header_size;
    if (size < shortest || size > scratch_.size()) {
        breach(what,
               fmt::format("transmitted packet of {} bytes; {} .. {} are allowed", size, shortest,
                           scratch_.size()),
               delay);
        return false;
    }
    wire::header header;
    std::memcpy(&header, packet.data(), sizeof header);
    if (header.gso_type != wire::hdr_gso_none) {
        breach(what,
               fmt::format("transmitted packet with gso_type {}, which was not negotiated", header.gso_type),
               delay);
        return false;
    }
    return true;
}

void net::finish(request& what, sc_time& /*delay*/) { complete(what, 0); }

}  // namespace pefsim::virtio
