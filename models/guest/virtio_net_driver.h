// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/internet.h"
#include "abi/virtio_net.h"
#include "guest/callback.h"
#include "guest/driver_call.h"
#include "guest/driver_environment.h"
#include "guest/spinlock.h"
#include "guest/split_virtqueue.h"
#include "guest/virtio_device.h"
#include "guest/virtio_driver.h"
#include "report/metrics.h"
#include "trace/signal.h"

namespace pefsim::guest {

/// Driver of a virtio network device (VIRTIO 1.2, 5.1): one receive and one transmit queue, no offloads.
///
/// Receive buffers hold one frame each, header and frame in one segment, and stay mapped until the device has used
/// them; a buffer that cannot be mapped again is tried with the next interrupt, or after `resource_delay` when none is
/// left with the device. Frames are copied into the kernel's own memory before anybody looks at them.
///
/// Sent frames are copied into a buffer of the driver; their completions are collected with the next frame, and the
/// device interrupts for them only when somebody waits for room.
///
/// What a device says about a received frame is checked; a frame without a whole header or longer than its buffer, or
/// with offloads that were not negotiated, is a violation (driver_protocol) and dropped. A broken queue gives the
/// device up.
class virtio_net_driver : public virtio_driver {
public:
    struct config {
        std::uint16_t queue_size = 256;  ///< most descriptors per queue, a power of two
        sc_core::sc_time resource_delay{3, sc_core::SC_MS};
    };
    using mac_address = abi::internet::mac_address;
    /// An Ethernet frame, in interrupt context; the bytes are gone afterwards.
    using frame_handler = callback<void(native_cpu&, std::span<const std::byte>)>;

    enum class transmit_result : std::uint8_t {
        sent,
        busy,     ///< the queue is full now
        dropped,  ///< no DMA mapping, frame too long, or the device was given up
    };

    virtio_net_driver(const driver_environment& kernel, const config& parameters, std::string_view scope,
                      std::string_view name);

    [[nodiscard]] abi::virtio::device_id drives() const override { return abi::virtio::device_id::net; }
    bool probe(native_cpu& cpu, const pci_device& pci) override;
    void on_frame(frame_handler received) { received_ = received; }

    [[nodiscard]] virtio_device& device() override { return device_; }
    [[nodiscard]] bool usable() const { return usable_; }
    [[nodiscard]] const mac_address& mac() const { return mac_; }
    [[nodiscard]] std::uint16_t mtu() const { return mtu_; }

    /// Hands a frame without FCS to the device; short ones are padded. May be called in interrupt context.
    transmit_result transmit(native_cpu& cpu, std::span<const std::byte> frame);
    /// The same, waiting while the queue is full. \returns false when the frame was dropped
    bool send(native_cpu& cpu, std::span<const std::byte> frame);

    [[nodiscard]] std::uint64_t frames_sent() const { return frames_sent_.value(); }
    [[nodiscard]] std::uint64_t frames_received() const { return frames_received_.value(); }

private:
    bool set_up_queues(native_cpu& cpu);
    void read_config(native_cpu& cpu);
    bool allocate_buffers();
    void refill(native_cpu& cpu);
    void receive_interrupt(native_cpu& cpu);
    bool receive_one(native_cpu& cpu);
    [[nodiscard]] std::string objection(std::uint32_t written) const;
    void reclaim_sent(native_cpu& cpu);
    bool enqueue(native_cpu& cpu, std::span<const std::byte> frame, std::size_t length,
                 const sc_core::sc_time& asked);
    void transmit_interrupt(native_cpu& cpu);
    void config_interrupt(native_cpu& cpu);
    void notify(native_cpu& cpu, std::uint16_t queue);
    void give_up(native_cpu& cpu, std::string_view why);

    driver_environment kernel_;
    config parameters_;
    virtio_device device_;
    split_virtqueue receive_;
    split_virtqueue transmit_;
    spinlock receive_lock_;
    spinlock transmit_lock_;
    bool usable_ = false;
    mac_address mac_{};
    std::uint16_t mtu_ = abi::virtio::net::default_mtu;
    std::uint32_t buffer_size_ = 0;
    frame_handler received_;

    std::vector<phys_addr> receive_buffers_;          // by token
    std::vector<std::uint32_t> not_with_the_device_;  // receive buffers
    bool refill_planned_ = false;
    std::vector<std::byte> frame_;             // header and frame being received
    std::vector<phys_addr> transmit_buffers_;  // by token
    std::vector<std::uint32_t> free_transmit_;
    std::vector<completion*> wait_for_room_;

    entry_point xmit_call_;
    entry_point receive_call_;
    trace::signal<std::uint64_t> sent_signal_;
    trace::signal<std::uint64_t> received_signal_;
    report::counter frames_sent_;
    report::counter bytes_sent_;
    report::counter frames_received_;
    report::counter bytes_received_;
    report::counter transmit_busy_;
    report::counter transmit_dropped_;
    report::counter receive_dropped_;
    report::counter refill_failures_;
    report::counter interrupts_;
};

}  // namespace pefsim::guest
