// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <systemc>
#include <vector>

#include "backend/entropy_source.h"
#include "report/metrics.h"
#include "virtio/virtio_device.h"

namespace pefsim::virtio {

/// The entropy device (VIRTIO 1.2, 5.4): fills each buffer after timing::entropy_latency.
///
/// Ports: `source`. A request gets at most 64 KiB. A buffer without device-writable bytes is the driver's breach
/// (5.4.6.1) and is returned with length 0.
class entropy : public virtio_device {
public:
    struct config {
        std::uint16_t queue_size = 8;
        timing::timing costs = {};
    };
    static constexpr const char* kind = "entropy";
    static device_identity identity(const config& /*parameters*/) {
        return {abi::virtio::device_id::entropy, 0xff'0000, 1};
    }

    sc_core::sc_port<backend::entropy_if> source{"source"};

    /// \throws std::invalid_argument for queues that virtio_device refuses
    entropy(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& parameters);

    [[nodiscard]] std::uint64_t features() const override { return 0; }
    void read_config(std::size_t offset, std::span<std::byte> to) const override;

private:
    void begin(request& what, sc_core::sc_time& delay) override;
    void finish(request& what, sc_core::sc_time& delay) override;

    sc_core::sc_time service_latency_;
    std::vector<std::byte> scratch_;
    report::counter requests_served_;
    report::counter bytes_;
};

}  // namespace pefsim::virtio
