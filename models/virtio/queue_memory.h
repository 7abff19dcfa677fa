// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <systemc>

#include "abi/address.h"

namespace pefsim::virtio {

/// Guest memory as a device reaches it: by bus address, one transaction per call, never by pointer. The transport
/// implements it with the function's bus mastering, a test with an array.
///
/// \param request the device's request that the access belongs to; 0 for the ring's own accesses
/// \param delay   the access's cost is added
/// \returns false when the access was refused; no byte moved then
class queue_memory {
public:
    virtual bool read(abi::dma_addr from, std::span<std::byte> to, std::uint64_t request,
                      sc_core::sc_time& delay) = 0;
    virtual bool write(abi::dma_addr to, std::span<const std::byte> from, std::uint64_t request,
                       sc_core::sc_time& delay) = 0;
    /// The driver has named this memory: the device may never use it, the host knows of it now. Request 0: of no
    /// request, a queue or a table. `writable`: the device is to write there.
    virtual void named(abi::dma_addr /*at*/, std::uint64_t /*size*/, std::uint64_t /*request*/,
                       std::uint16_t /*queue*/, bool /*writable*/) {}
    /// The device has returned the request to the driver.
    virtual void returned(std::uint64_t /*request*/) {}

protected:
    ~queue_memory() = default;
};

}  // namespace pefsim::virtio
