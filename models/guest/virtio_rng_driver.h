// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "guest/virtio_request_driver.h"
#include "report/metrics.h"

namespace pefsim::guest {

/// Driver of a virtio entropy device (VIRTIO 1.2, 5.4): one buffer with the device at a time, as a hardware random
/// number generator is read: by one CPU after the other.
///
/// A broken queue, or a request that finds no DMA mapping, gives no bytes.
class virtio_rng_driver : public virtio_request_driver {
public:
    static constexpr std::size_t buffer_size = 4096;  ///< most bytes of one request

    virtio_rng_driver(const driver_environment& kernel, std::string_view scope, std::string_view name);

    /// Fills `to` with entropy, waiting for it. \returns bytes that were got: all, unless the device fails
    std::size_t read(native_cpu& cpu, std::span<std::byte> to);

private:
    bool prepare(native_cpu& cpu) override;
    std::size_t read_some(native_cpu& cpu, std::span<std::byte> to);

    mutex reading_;  // one CPU at a time, however many requests it takes
    phys_addr buffer_;
    report::counter bytes_;
};

}  // namespace pefsim::guest
