// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "abi/virtio.h"
#include "cpu/native/native_cpu.h"
#include "guest/pci_bus.h"
#include "guest/virtio_device.h"

namespace pefsim::guest {

/// What the kernel asks of a driver of a virtio device (Linux's struct virtio_driver). One driver, one device.
class virtio_driver {
public:
    virtio_driver() = default;
    virtual ~virtio_driver() = default;
    virtio_driver(const virtio_driver&) = delete;
    virtio_driver& operator=(const virtio_driver&) = delete;

    /// The type of device that it is for.
    [[nodiscard]] virtual abi::virtio::device_id drives() const = 0;
    /// Brings such a device up to DRIVER_OK. \returns false when it is not usable
    virtual bool probe(native_cpu& cpu, const pci_device& pci) = 0;
    [[nodiscard]] virtual virtio_device& device() = 0;
};

}  // namespace pefsim::guest
