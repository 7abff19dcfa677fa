// SPDX-License-Identifier: Apache-2.0
#include "virtio/net.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <ranges>
#include <stdexcept>
#include <utility>

#include "backend/packet.h"
#include "virtio/net_offload.h"

namespace pefsim::virtio {

namespace wire = abi::virtio::net;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

namespace {

constexpr std::size_t link_headers = wire::ethernet_header_size + abi::internet::vlan_tag_size;
constexpr std::size_t largest_packet = 65535;  // of IP
constexpr std::uint64_t offload_features = wire::f_csum | wire::f_guest_csum | wire::f_host_tso4 |
                                           wire::f_host_tso6 | wire::f_host_ecn;
constexpr std::uint64_t control_features = wire::f_ctrl_vq | wire::f_ctrl_rx | wire::f_ctrl_rx_extra |
                                           wire::f_ctrl_mac_addr;

std::size_t max_frame_size(std::uint16_t mtu) { return link_headers + mtu; }

const net::config& checked(const net::config& parameters) {
    if (parameters.mtu < 68) {  // N1: 5.1.4.1
        throw std::invalid_argument(fmt::format("net device: mtu {} is not in 68 .. 65535", parameters.mtu));
    }
    if (parameters.queue_pairs == 0 || parameters.queue_pairs > net::most_queue_pairs) {
        throw std::invalid_argument(fmt::format("net device: {} queue pairs are not in 1 .. {}",
                                                parameters.queue_pairs, net::most_queue_pairs));
    }
    if (parameters.queue_pairs > 1 && !parameters.control) {
        throw std::invalid_argument(
            fmt::format("net device: {} queue pairs need the control queue (VIRTIO 1.2, 5.1.3.1)",
                        parameters.queue_pairs));
    }
    return parameters;
}

}  // namespace

net::net(const sc_core::sc_module_name& module_name, trace::recorder& recorder, const config& parameters)
    : virtio_device(module_name, recorder, {queues(checked(parameters)), parameters.queue_size},
                    parameters.costs),
      config_(parameters),
      mac_(parameters.mac),
      scratch_(sizeof(wire::header) +
               (parameters.offloads ? link_headers + largest_packet : max_frame_size(parameters.mtu))),
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
    for (std::uint16_t pair = 0; pair < parameters.queue_pairs; ++pair) {
        waiting_.emplace_back(parameters.rx_fifo, max_frame_size(parameters.mtu));
        set_course(receive_queue_of(pair), report::journey_course::from_device);
        set_course(receive_queue_of(pair) + 1, report::journey_course::to_device);
    }
}

// --- configuration

std::uint64_t net::features() const {
    return wire::f_mac | wire::f_status | wire::f_mtu | (config_.mergeable ? wire::f_mrg_rxbuf : 0) |
           (config_.offloads ? offload_features : 0) | (config_.control ? control_features : 0) |
           (config_.queue_pairs > 1 ? wire::f_mq : 0);
}

void net::read_config(std::size_t offset, std::span<std::byte> to) const {
    wire::config c{};
    c.mac = mac_;
    c.status = link_up_ ? wire::status_link_up : std::uint16_t{0};
    c.max_virtqueue_pairs = config_.queue_pairs;
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

void net::features_changed() {
    for (frame_fifo& each : waiting_) {
        each.clear();
    }
    mac_ = config_.mac;
    filter_ = {};
    active_pairs_ = 1;
    pair_of_flow_.fill(0);
}

// 5.1.2: a driver that did not negotiate MQ finds the control queue behind the first pair.
bool net::is_control(std::uint16_t queue) const {
    return has(wire::f_ctrl_vq) && queue == 2 * (has(wire::f_mq) ? config_.queue_pairs : 1);
}

void net::serve(device_queue& queue, sc_time& delay) {
    if (queue.index() % 2 == 0 && !is_control(queue.index())) {
        serve_receive(queue, delay);
    } else {
        virtio_device::serve(queue, delay);
    }
}

void net::begin(request& what, sc_time& delay) {
    if (is_control(what.queue->index())) {
        begin_control(what, delay);
    } else {
        begin_transmit(what, delay);
    }
}

void net::finish(request& what, sc_time& /*delay*/) { complete(what, 0); }

// --- receive

std::uint16_t net::pair_for(std::span<const std::byte> frame) const {
    return active_pairs_ == 1
               ? std::uint16_t{0}
               : static_cast<std::uint16_t>(pair_of_flow_[flow_hash(frame) % flows] % active_pairs_);
}

void net::receive(std::span<const std::byte> frame) {
    const std::uint16_t pair = pair_for(frame);
    const std::string_view fault = !active(receive_queue_of(pair))              ? "no driver is there"
                                   : !link_up_                                  ? "the link is down"
                                   : waiting_[pair].full()                      ? "too many frames wait"
                                   : frame.size() > max_frame_size(config_.mtu) ? "longer than the MTU allows"
                                                                                : "";
    if (!fault.empty()) {
        drop_received(frame, fault, sc_time_stamp());
    } else if (filter_.accepts(frame, mac_)) {
        waiting_[pair].push(frame);
        wake(receive_queue_of(pair));
    } else if (config_.capture != nullptr) {
        config_.capture->record(frame, backend::frame_direction::to_guest,
                                "not received: the driver's filter", sc_time_stamp());
    }
}

void net::drop_received(std::span<const std::byte> frame, std::string_view why, const sc_time& when) {
    rx_dropped_.fire(when);
    rx_dropped_count_.add();
    if (config_.capture != nullptr) {
        config_.capture->record(frame, backend::frame_direction::to_guest, fmt::format("dropped: {}", why),
                                when);
    }
}

void net::add_captured(std::span<const segment> buffers, std::uint64_t bytes) {
    for (const segment& each : buffers) {
        if (bytes == 0) {
            break;
        }
        const auto part = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, each.length));
        captured_buffers_.push_back({each.at, part});
        bytes -= part;
    }
}

void net::serve_receive(device_queue& queue, sc_time& delay) {
    frame_fifo& waiting = waiting_[queue.index() / 2];
    serve_incoming(
        queue, delay, [&] { return !waiting.empty(); },
        [&] {
            const bool taken = deliver(waiting.front(), queue, delay);
            if (taken) {
                waiting.pop();
            }
            return taken;
        });
    for (; !queue.ring && !waiting.empty(); waiting.pop()) {  // it broke: nobody will take them
        drop_received(waiting.front(), "the receive queue broke", sc_time_stamp() + delay);
    }
}

/// \returns false when there were too few buffers
bool net::deliver(std::span<const std::byte> frame, device_queue& queue, sc_time& delay) {
    const std::size_t size = sizeof(wire::header) + frame.size();
    if (!collect_buffers(size, queue, delay)) {
        return false;
    }
    wire::header header{};
    header.gso_type = wire::hdr_gso_none;
    header.flags = has(wire::f_guest_csum) && checksums_right(frame) ? wire::hdr_f_data_valid
                                                                     : std::uint8_t{0};
    header.num_buffers = static_cast<std::uint16_t>(buffers_.size());  // N3: 1 without MRG_RXBUF
    const auto packet = std::span{scratch_}.first(size);
    std::memcpy(packet.data(), &header, sizeof header);
    std::ranges::copy(frame, packet.begin() + sizeof header);
    const sc_time now = sc_time_stamp() + delay;
    if (!fill_buffers(packet, delay)) {
        drop_received(frame, "it does not go into its receive buffers", now);
        return true;
    }
    if (config_.capture != nullptr) {
        config_.capture->record(frame, backend::frame_direction::to_guest, captured_buffers_,
                                sc_time_stamp() + delay);
    }
    rx_bytes_.set(static_cast<std::uint32_t>(frame.size()), now);
    frames_received_.add();
    bytes_received_.add(frame.size());
    return true;
}

/// The buffers for a packet of this size: one, or with MRG_RXBUF as many as it needs. Without enough of them none is
/// taken.
bool net::collect_buffers(std::size_t bytes, device_queue& queue, sc_time& delay) {
    buffers_.clear();
    std::uint64_t room = 0;
    do {
        request* const next = pop(queue, delay);
        if (next == nullptr) {
            for (request* const taken : std::views::reverse(buffers_)) {
                put_back(*taken);
            }
            return false;
        }
        buffers_.push_back(next);
        room += next->chain.writable_bytes();
    } while (room < bytes && has(wire::f_mrg_rxbuf) && buffers_.back()->chain.writable_bytes() != 0);
    return true;
}

/// Writes the packet into buffers_ and completes them. \returns false when it does not fit, or a write was refused
bool net::fill_buffers(std::span<const std::byte> packet, sc_time& delay) {
    bool good = true;
    std::span<const std::byte> rest = packet;
    captured_buffers_.clear();
    for (const request* const buffer : buffers_) {
        const auto part = rest.first(std::min<std::uint64_t>(rest.size(), buffer->chain.writable_bytes()));
        good = good && scatter(*buffer, 0, part, delay);
        if (config_.capture != nullptr) {
            add_captured(buffer->chain.writable(), part.size());
        }
        rest = rest.subspan(part.size());
    }
    if (!rest.empty()) {
        breach(*buffers_.back(),
               fmt::format("receive buffer of {} bytes for a packet of {}",
                           buffers_.back()->chain.writable_bytes(), packet.size()),
               delay);
        good = false;
    }
    if (!good) {
        count_error();
    }
    std::size_t left = packet.size();
    for (request* const buffer : buffers_) {
        const std::size_t part = std::min<std::uint64_t>(left, buffer->chain.writable_bytes());
        left -= part;
        complete(*buffer, good ? part : 0);
    }
    return good;
}

// --- transmit

void net::begin_transmit(request& what, sc_time& delay) {
    const std::uint64_t size = what.chain.readable_bytes();
    const auto packet = std::span{scratch_}.first(std::min<std::uint64_t>(size, scratch_.size()));
    const auto sent = gather(what, 0, packet, delay) ? transmit(what, packet, delay) : std::nullopt;
    if (!sent) {
        count_error();
    }
    finish_at(what, sent.value_or(sc_time_stamp() + delay));
}

bool net::segmentation_negotiated(std::uint8_t gso_type) const {
    const bool ecn = (gso_type & wire::hdr_gso_ecn) != 0;
    const auto protocol = static_cast<std::uint8_t>(gso_type & ~wire::hdr_gso_ecn);
    return ((protocol == wire::hdr_gso_tcpv4 && has(wire::f_host_tso4)) ||
            (protocol == wire::hdr_gso_tcpv6 && has(wire::f_host_tso6))) &&
           (!ecn || has(wire::f_host_ecn));
}

void net::refuse(const request& what, std::string why, const sc_time& delay) {
    breach(what, "transmitted packet " + std::move(why), delay);
}

std::optional<sc_time> net::transmit(const request& what, std::span<std::byte> packet, sc_time& delay) {
    const std::uint64_t size = what.chain.readable_bytes();
    const std::size_t shortest = sizeof(wire::header) + wire::ethernet_header_size;
    const std::size_t longest = sizeof(wire::header) + max_frame_size(config_.mtu);
    wire::header header{};
    std::memcpy(&header, packet.data(), std::min(packet.size(), sizeof header));
    const bool large = header.gso_type != wire::hdr_gso_none && segmentation_negotiated(header.gso_type);
    if (size < shortest || size > (large ? scratch_.size() : longest)) {
        refuse(what,
               fmt::format("of {} bytes; {} .. {} are allowed", size, shortest,
                           large ? scratch_.size() : longest),
               delay);
        return {};
    }
    if (header.gso_type != wire::hdr_gso_none && !large) {
        refuse(what, fmt::format("with gso_type {}, which was not negotiated", header.gso_type), delay);
        return {};
    }
    const auto frame = packet.subspan(sizeof header);
    if (large) {
        const bool v6 = (header.gso_type & ~wire::hdr_gso_ecn) == wire::hdr_gso_tcpv6;
        const auto segments = tcp_segments::cut(frame, v6, header.gso_size);
        if (!segments || segments->largest() > max_frame_size(config_.mtu)) {
            refuse(what,
                   fmt::format("that is to be cut into segments of {} bytes, but is no TCP frame over IPv{} "
                               "or does not fit the MTU then",
                               header.gso_size, v6 ? 6 : 4),
                   delay);
            return {};
        }
        sc_time done = sc_time_stamp() + delay;
        for (std::size_t n = 0; n < segments->count(); ++n) {
            done = send(what, segments->segment(n, segment_storage_), delay);
        }
        return done;
    }
    if ((header.flags & wire::hdr_f_needs_csum) != 0 && has(wire::f_csum) &&
        !complete_checksum(frame, header.csum_start, header.csum_offset)) {
        refuse(what,
               fmt::format("of {} bytes with a checksum at {} + {}", frame.size(), header.csum_start,
                           header.csum_offset),
               delay);
        return {};
    }
    if (active_pairs_ > 1) {
        pair_of_flow_[flow_hash(frame) % flows] = static_cast<std::uint16_t>(what.queue->index() / 2);
    }
    return send(what, frame, delay);
}

/// \returns when its last byte is on the wire
sc_time net::send(const request& of, std::span<const std::byte> frame, const sc_time& delay) {
    const sc_time now = sc_time_stamp() + delay;
    if (!link_up_) {
        return now;
    }
    tx_bytes_.set(static_cast<std::uint32_t>(frame.size()), now);
    frames_transmitted_.add();
    bytes_transmitted_.add(frame.size());
    if (config_.capture != nullptr) {
        captured_buffers_.clear();
        add_captured(of.chain.readable(), of.chain.readable_bytes());
        config_.capture->record(frame, backend::frame_direction::from_guest, captured_buffers_, now);
    }
    return network->transmit(frame, delay);
}

// --- control (5.1.6.5)

void net::begin_control(request& what, sc_time& delay) {
    classify(what, "control");
    const std::uint64_t size = what.chain.readable_bytes();
    const std::uint64_t room = what.chain.writable_bytes();
    wire::control_header header{};
    std::vector<std::byte> data(std::min<std::uint64_t>(size, scratch_.size()));
    if (size < sizeof header || size > scratch_.size() || room == 0) {
        breach(what, fmt::format("command of {} bytes with {} for its acknowledgement", size, room), delay);
    } else if (gather(what, 0, data, delay)) {
        std::memcpy(&header, data.data(), sizeof header);
        const bool done = execute(header.command_class, header.command,
                                  std::span{data}.subspan(sizeof header));
        if (!done) {
            breach(what,
                   fmt::format("command {} of class {} with {} bytes: not executed", header.command,
                               header.command_class, size - sizeof header),
                   delay);
            count_error();
        }
        const auto ack = static_cast<std::byte>(done ? wire::control_ack::ok : wire::control_ack::err);
        complete(what, scatter(what, 0, {&ack, 1}, delay) ? 1 : 0);
        return;
    }
    count_error();
    complete(what, 0);
}

bool net::execute(std::uint8_t command_class, std::uint8_t command, std::span<const std::byte> data) {
    switch (command_class) {
    case wire::control_rx:
        return has(command <= wire::control_rx_all_multicast ? wire::f_ctrl_rx : wire::f_ctrl_rx_extra) &&
               filter_.set_mode(command, data);
    case wire::control_mac:
        return command == wire::control_mac_table_set     ? has(wire::f_ctrl_rx) && filter_.set_table(data)
               : command == wire::control_mac_address_set ? has(wire::f_ctrl_mac_addr) && set_address(data)
                                                          : false;
    case wire::control_mq:
        return command == wire::control_mq_pairs_set && has(wire::f_mq) && set_pairs(data);
    default:
        return false;
    }
}

bool net::set_pairs(std::span<const std::byte> data) {
    const auto pairs = backend::peek<abi::virtio::le16>(data);
    if (!pairs || data.size() != sizeof *pairs || *pairs == 0 || *pairs > config_.queue_pairs) {
        return false;
    }
    active_pairs_ = *pairs;
    return true;
}

bool net::set_address(std::span<const std::byte> data) {
    if (data.size() != mac_.size()) {
        return false;
    }
    std::memcpy(mac_.data(), data.data(), mac_.size());
    return true;
}

}  // namespace pefsim::virtio
