// SPDX-License-Identifier: Apache-2.0
#include "guest/virtio_net_driver.h"
#include "report/violations.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>

namespace pefsim::guest {

namespace {

namespace virtio = abi::virtio;
namespace net = abi::virtio::net;

constexpr std::uint64_t supported_features = net::f_mac | net::f_mtu | net::f_status;
constexpr std::uint16_t smallest_mtu = 68;
/// Without MAC: locally administered.
constexpr abi::internet::mac_address made_up_mac{0x02, 0x00, 0x00, 0x00, 0x00, 0x01};

}  // namespace

virtio_net_driver::virtio_net_driver(const driver_environment& kernel, const config& parameters,
                                     std::string_view scope, std::string_view name)
    : kernel_(kernel),
      parameters_(parameters),
      device_(kernel.recorder, scope, name),
      receive_(kernel.recorder, kernel.costs, scope, "rx", name, net::receive_queue),
      transmit_(kernel.recorder, kernel.costs, scope, "tx", name, net::transmit_queue),
      receive_lock_(kernel.costs),
      transmit_lock_(kernel.costs),
      xmit_call_(kernel.recorder, kernel.costs, "virtio_net.start_xmit"),
      receive_call_(kernel.recorder, kernel.costs, "virtio_net.receive"),
      sent_signal_(kernel.recorder, scope, "sent", "number of the frame handed to the device last"),
      received_signal_(kernel.recorder, scope, "received", "number of the frame received last"),
      frames_sent_(kernel.recorder.metrics(), scope, "frames_sent", "frames", "frames handed to the device"),
      bytes_sent_(kernel.recorder.metrics(), scope, "bytes_sent", "bytes", "their bytes"),
      frames_received_(kernel.recorder.metrics(), scope, "frames_received", "frames",
                       "frames from the device"),
      bytes_received_(kernel.recorder.metrics(), scope, "bytes_received", "bytes", "their bytes"),
      transmit_busy_(kernel.recorder.metrics(), scope, "tx_busy", "frames",
                     "frames that found the queue full"),
      transmit_dropped_(kernel.recorder.metrics(), scope, "tx_dropped", "frames",
                        "frames that could not be sent"),
      receive_dropped_(kernel.recorder.metrics(), scope, "rx_dropped", "frames",
                       "received frames that were malformed"),
      refill_failures_(kernel.recorder.metrics(), scope, "rx_refill_failures", "attempts",
                       "receive buffers that found no DMA mapping"),
      interrupts_(kernel.recorder.metrics(), scope, "interrupts", "interrupts", "queue interrupts") {
    if (!std::has_single_bit(parameters.queue_size)) {
        throw std::invalid_argument(
            fmt::format("{}: queue size of {}; a power of two is allowed", name, parameters.queue_size));
    }
}

bool virtio_net_driver::probe(native_cpu& cpu, const pci_device& pci) {
    if (!kernel_.virtio.probe(cpu, device_, kernel_.pci, pci, supported_features)) {
        return false;
    }
    read_config(cpu);
    if (!set_up_queues(cpu) || !allocate_buffers()) {
        device_.fail(cpu);
        return false;
    }
    transmit_.disable_interrupts(cpu);
    device_.driver_ok(cpu);
    usable_ = true;
    refill(cpu);
    return true;
}

void virtio_net_driver::read_config(native_cpu& cpu) {
    virtio_pci_transport& transport = device_.transport();
    mac_ = !device_.has(net::f_mac) ? made_up_mac : transport.read_config(cpu, [&] {
        mac_address told{};
        for (std::size_t i = 0; i < told.size(); ++i) {
            told[i] = transport.config_field<std::uint8_t>(cpu, offsetof(net::config, mac) + i);
        }
        return told;
    });
    if (device_.has(net::f_mtu)) {
        mtu_ = std::max(smallest_mtu, transport.read_config(cpu, [&] {
            return transport.config_field<std::uint16_t>(cpu, offsetof(net::config, mtu));
        }));
    }
    const std::size_t frame = net::ethernet_header_size + std::max<std::size_t>(mtu_, net::default_mtu);
    buffer_size_ = static_cast<std::uint32_t>(sizeof(net::header) + frame);
    frame_.resize(buffer_size_);
}

bool virtio_net_driver::set_up_queues(native_cpu& cpu) {
    constexpr std::array servers{0U, 0U};
    return device_.request_vectors(
               cpu, kernel_.pci, kernel_.irqs, servers,
               [this](native_cpu& on, std::uint16_t queue) {
                   if (queue == net::receive_queue) {
                       receive_interrupt(on);
                   } else {
                       transmit_interrupt(on);
                   }
               },
               [this](native_cpu& on) { config_interrupt(on); }) &&
           device_.add_queue(cpu, net::receive_queue, receive_, parameters_.queue_size, kernel_.memory) &&
           device_.add_queue(cpu, net::transmit_queue, transmit_, parameters_.queue_size, kernel_.memory);
}

bool virtio_net_driver::allocate_buffers() {
    const auto fill = [this](std::vector<phys_addr>& buffers, std::vector<std::uint32_t>& tokens,
                             std::size_t count) {
        for (std::uint32_t token = 0; token < count; ++token) {
            const auto memory = kernel_.memory.alloc(buffer_size_);
            if (!memory) {
                return false;
            }
            buffers.push_back(*memory);
            tokens.push_back(static_cast<std::uint32_t>(count - 1 - token));  // the lowest is taken first
        }
        return true;
    };
    return fill(receive_buffers_, not_with_the_device_, receive_.size()) &&
           fill(transmit_buffers_, free_transmit_, transmit_.size());
}

void virtio_net_driver::notify(native_cpu& cpu, std::uint16_t queue) {
    device_.transport().notify(cpu, queue);
}

// --- receive

void virtio_net_driver::refill(native_cpu& cpu) {
    bool kick = false;
    bool starved = false;
    {
        const spinlock::guard locked(receive_lock_, cpu);
        while (usable_ && !not_with_the_device_.empty()) {
            const std::uint32_t token = not_with_the_device_.back();
            const segment buffer{receive_buffers_[token], buffer_size_};
            if (receive_.add(cpu, {&buffer, 1}, 0, token, cpu.now()) != split_virtqueue::add_result::added) {
                refill_failures_.add();
                break;
            }
            not_with_the_device_.pop_back();
        }
        kick = receive_.kick_prepare(cpu);
        starved = usable_ && receive_.in_flight() == 0 && !receive_.broken();
    }
    if (kick) {
        notify(cpu, net::receive_queue);
    }
    if (starved && !refill_planned_) {
        refill_planned_ = true;
        kernel_.cpus.defer(cpu, parameters_.resource_delay, [this](native_cpu& on) {
            refill_planned_ = false;
            refill(on);
        });
    }
}

void virtio_net_driver::receive_interrupt(native_cpu& cpu) {
    if (!usable_) {
        return;
    }
    interrupts_.add();
    const driver_call call(cpu, receive_call_);
    bool all = false;
    while (!all) {
        {
            const spinlock::guard locked(receive_lock_, cpu);
            receive_.disable_interrupts(cpu);
        }
        while (receive_one(cpu)) {
        }
        refill(cpu);
        const spinlock::guard locked(receive_lock_, cpu);
        all = receive_.enable_interrupts(cpu);
    }
    if (receive_.broken()) {
        give_up(cpu, "its receive queue is broken");
    }
}

bool virtio_net_driver::receive_one(native_cpu& cpu) {
    std::uint32_t written = 0;
    {
        const spinlock::guard locked(receive_lock_, cpu);
        const auto used = receive_.get_used(cpu);
        if (!used) {
            return false;
        }
        written = used->written;
        cpu.read(receive_buffers_[used->token], std::span(frame_).first(written));
        not_with_the_device_.push_back(used->token);
        receive_.completed(cpu, *used);
    }
    if (const std::string why = objection(written); !why.empty()) {
        receive_dropped_.add();
        kernel_.recorder.violations().report({.when = cpu.now(),
                                              .kind = report::violation_kind::driver_protocol,
                                              .who = device_.name(),
                                              .address = 0,
                                              .size = written,
                                              .page_state = {},
                                              .request = frames_received_.value(),
                                              .detail = why});
        return true;
    }
    const std::span<const std::byte> frame = std::span(frame_).first(written).subspan(sizeof(net::header));
    frames_received_.add();
    bytes_received_.add(frame.size());
    received_signal_.set(frames_received_.value(), cpu.now());
    if (received_) {
        received_(cpu, frame);
    }
    return true;
}

/// What is wrong with the received bytes in frame_ (5.1.6.3.2, 5.1.6.4); empty when nothing is.
std::string virtio_net_driver::objection(std::uint32_t written) const {
    if (written < sizeof(net::header) + net::ethernet_header_size) {
        return fmt::format("received {} bytes: not even the headers", written);
    }
    net::header header;
    std::memcpy(&header, frame_.data(), sizeof header);
    if (header.num_buffers != 1) {
        return fmt::format("received a frame in {} buffers without MRG_RXBUF", header.num_buffers.value());
    }
    if (header.flags != 0 || header.gso_type != net::hdr_gso_none) {
        return fmt::format("received a frame with flags {:#x} and gso_type {:#x}, which were not negotiated",
                           header.flags, header.gso_type);
    }
    return {};
}

// --- transmit

void virtio_net_driver::reclaim_sent(native_cpu& cpu) {
    while (const auto used = transmit_.get_used(cpu)) {
        free_transmit_.push_back(used->token);
    }
}

virtio_net_driver::transmit_result virtio_net_driver::transmit(native_cpu& cpu,
                                                               std::span<const std::byte> frame) {
    const std::size_t length = std::max(frame.size(), abi::internet::min_frame_size);
    if (!usable_ || frame.size() > net::ethernet_header_size + mtu_) {
        transmit_dropped_.add();
        return transmit_result::dropped;
    }
    const driver_call call(cpu, xmit_call_);
    const sc_core::sc_time asked = cpu.now();
    bool kick = false;
    bool sent = false;
    {
        const spinlock::guard locked(transmit_lock_, cpu);
        reclaim_sent(cpu);
        if (free_transmit_.empty() && !transmit_.broken()) {
            transmit_busy_.add();
            return transmit_result::busy;
        }
        sent = !transmit_.broken() && enqueue(cpu, frame, length, asked);
        kick = transmit_.kick_prepare(cpu);
    }
    if (kick) {
        notify(cpu, net::transmit_queue);
    }
    if (!sent) {
        transmit_dropped_.add();
    }
    if (transmit_.broken()) {
        give_up(cpu, "its transmit queue is broken");
    }
    return sent ? transmit_result::sent : transmit_result::dropped;
}

/// Copies the frame into a buffer of the driver and adds that. \returns false when it cannot be mapped
bool virtio_net_driver::enqueue(native_cpu& cpu, std::span<const std::byte> frame, std::size_t length,
                                const sc_core::sc_time& asked) {
    const std::uint32_t token = free_transmit_.back();
    const phys_addr at = transmit_buffers_[token];
    const net::header header{};
    cpu.write(at, std::as_bytes(std::span(&header, 1)));
    cpu.write(at + sizeof header, frame);
    if (length > frame.size()) {
        cpu.fill(at + (sizeof header + frame.size()), length - frame.size(), std::byte{0});
    }
    const segment buffer{at, static_cast<std::uint32_t>(sizeof header + length)};
    if (transmit_.add(cpu, {&buffer, 1}, 1, token, asked) != split_virtqueue::add_result::added) {
        return false;
    }
    free_transmit_.pop_back();
    frames_sent_.add();
    bytes_sent_.add(length);
    sent_signal_.set(frames_sent_.value(), cpu.now());
    return true;
}

bool virtio_net_driver::send(native_cpu& cpu, std::span<const std::byte> frame) {
    while (true) {
        const transmit_result result = transmit(cpu, frame);
        if (result != transmit_result::busy) {
            return result == transmit_result::sent;
        }
        completion room(cpu, {.what = "room in the transmit queue", .whose = device_.name()});
        {
            const spinlock::guard locked(transmit_lock_, cpu);
            wait_for_room_.push_back(&room);
            if (!transmit_.enable_interrupts(cpu)) {
                transmit_.disable_interrupts(cpu);
                wait_for_room_.pop_back();
                continue;
            }
        }
        kernel_.cpus.wait_for(cpu, room);
    }
}

void virtio_net_driver::transmit_interrupt(native_cpu& cpu) {
    if (!usable_) {
        return;
    }
    interrupts_.add();
    std::vector<completion*> waiting;
    {
        const spinlock::guard locked(transmit_lock_, cpu);
        transmit_.disable_interrupts(cpu);
        reclaim_sent(cpu);
        waiting.swap(wait_for_room_);
    }
    for (completion* room : waiting) {
        kernel_.cpus.complete(cpu, *room);
    }
    if (transmit_.broken()) {
        give_up(cpu, "its transmit queue is broken");
    }
}

// --- configuration changes and failure

void virtio_net_driver::config_interrupt(native_cpu& cpu) {
    if (usable_ && (device_.transport().status(cpu) & virtio::status_device_needs_reset) != 0) {
        give_up(cpu, "it needs a reset");
    }
}

void virtio_net_driver::give_up(native_cpu& cpu, std::string_view why) {
    usable_ = false;
    kernel_.log.printk(cpu, fmt::format("{}: given up: {}", device_.name(), why));
    device_.reset(cpu);
    device_.fail(cpu);
    std::vector<completion*> waiting;
    {
        const spinlock::guard receiving(receive_lock_, cpu);
        receive_.detach_unused(cpu, [](std::uint32_t) {});
    }
    {
        const spinlock::guard sending(transmit_lock_, cpu);
        transmit_.detach_unused(cpu, [](std::uint32_t) {});
        waiting.swap(wait_for_room_);
    }
    for (completion* room : waiting) {
        kernel_.cpus.complete(cpu, *room);
    }
}

}  // namespace pefsim::guest
