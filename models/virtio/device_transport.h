// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <systemc>

#include "virtio/queue_memory.h"

namespace pefsim::virtio {

/// What a device sees of the transport that it is plugged into: guest memory and interrupts.
class device_transport : public queue_memory {
public:
    /// A used buffer notification. \returns false when nothing was sent: no vector is mapped to the queue
    virtual bool queue_interrupt(std::uint16_t queue, sc_core::sc_time& delay) = 0;
    /// The device's configuration has changed: new generation, configuration change notification.
    virtual void config_changed(sc_core::sc_time& delay) = 0;
    /// The device cannot go on (2.1.2): DEVICE_NEEDS_RESET, configuration change notification.
    virtual void needs_reset(sc_core::sc_time& delay) = 0;
    /// Who the device is on the bus and in the log of violations: "virtio-blk0".
    [[nodiscard]] virtual std::string_view initiator_name() const = 0;

protected:
    ~device_transport() = default;
};

}  // namespace pefsim::virtio
