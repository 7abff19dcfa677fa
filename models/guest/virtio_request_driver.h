// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "guest/driver_call.h"
#include "guest/driver_environment.h"
#include "guest/spinlock.h"
#include "guest/split_virtqueue.h"
#include "guest/virtio_device.h"
#include "guest/virtio_driver.h"
#include "report/metrics.h"

namespace pefsim::guest {

/// Driver of a virtio device with one queue, which works on one request at a time: a CPU gives the device a buffer and
/// waits until it comes back, other CPUs wait for their turn. What is in the buffer is for the driver of a type of
/// device to say, which derives from this.
///
/// A device that breaks the rules of its queue is reset and given up: what is asked of it then, it does not do.
///
/// Metrics: requests, latency. Signals: those of virtio_device and split_virtqueue.
class virtio_request_driver : public virtio_driver {
public:
    [[nodiscard]] abi::virtio::device_id drives() const override { return type_.id; }
    bool probe(native_cpu& cpu, const pci_device& pci) override;
    [[nodiscard]] virtio_device& device() override { return device_; }
    [[nodiscard]] bool usable() const { return usable_; }

protected:
    /// What is particular to a type of device. The texts are literals.
    struct device_type {
        abi::virtio::device_id id;
        std::string_view call;  ///< the driver's entry point, as trace and ledger name it: "virtio_rng.read"
        std::string_view waits_for;  ///< what a CPU waits for, for people: "random bytes"
        std::uint16_t queue = 0;     ///< the queue's index
        std::uint16_t queue_size = 8;
        std::uint64_t features = 0;  ///< the type's own that the driver knows
    };

    /// \param kernel,scope,name as kernel::add_driver() gives them
    virtio_request_driver(const driver_environment& kernel, std::string_view scope, std::string_view name,
                          const device_type& type);

    /// Once the features are negotiated: memory that the driver needs. \returns false when there is none
    virtual bool prepare(native_cpu& /*cpu*/) { return true; }

    /// Gives the device a buffer and waits for it.
    /// \param segments of guest memory, device-readable ones first
    /// \param readable how many are device-readable
    /// \param take called with how many bytes the device says that it wrote, before the next request may begin
    /// \returns false when the device, or the way to it, has failed: nothing was taken
    bool request(native_cpu& cpu, std::span<const segment> segments, std::size_t readable,
                 const std::function<void(std::uint32_t written)>& take);

    driver_environment kernel_;

private:
    bool submit(native_cpu& cpu, std::span<const segment> segments, std::size_t readable,
                const sc_core::sc_time& asked);
    void queue_interrupt(native_cpu& cpu);

    device_type type_;
    virtio_device device_;
    split_virtqueue queue_;
    spinlock lock_;
    bool usable_ = false;
    mutex turn_;
    split_virtqueue::used_buffer used_;
    bool answered_ = false;
    completion* finished_ = nullptr;

    entry_point call_;
    report::counter requests_;
    report::duration_histogram latency_;
};

}  // namespace pefsim::guest
