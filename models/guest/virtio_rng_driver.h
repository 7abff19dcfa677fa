// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "guest/driver_call.h"
#include "guest/driver_environment.h"
#include "guest/spinlock.h"
#include "guest/split_virtqueue.h"
#include "guest/virtio_device.h"
#include "report/metrics.h"

namespace pefsim::guest {

/// Driver of a virtio entropy device (VIRTIO 1.2, 5.4): one buffer with the device at a time, as a hardware random
/// number generator is read.
///
/// A broken queue, or a request that finds no DMA mapping, gives no bytes.
class virtio_rng_driver {
public:
    static constexpr abi::virtio::device_id device_type = abi::virtio::device_id::entropy;
    static constexpr std::size_t buffer_size = 4096;  ///< most bytes of one request

    virtio_rng_driver(const driver_environment& kernel, std::string_view scope, std::string_view name);

    bool probe(native_cpu& cpu, const pci_device& pci);
    [[nodiscard]] virtio_device& device() { return device_; }
    [[nodiscard]] bool usable() const { return usable_; }

    /// Fills `to` with entropy, waiting for it. \returns bytes that were got: all, unless the device fails
    std::size_t read(native_cpu& cpu, std::span<std::byte> to);

private:
    std::size_t read_some(native_cpu& cpu, std::span<std::byte> to);
    void queue_interrupt(native_cpu& cpu);

    driver_environment kernel_;
    virtio_device device_;
    split_virtqueue queue_;
    spinlock lock_;
    bool usable_ = false;
    mutex reading_;  // one CPU at a time
    phys_addr buffer_;
    split_virtqueue::used_buffer used_;
    completion* finished_ = nullptr;

    entry_point read_call_;
    report::counter requests_;
    report::counter bytes_;
    report::duration_histogram latency_;
};

}  // namespace pefsim::guest
