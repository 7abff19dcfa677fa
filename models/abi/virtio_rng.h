// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Entropy device (VIRTIO 1.2, 5.4): one queue of device-writable buffers, no feature bits, no configuration.
namespace pefsim::abi::virtio::rng {

inline constexpr std::uint16_t request_queue = 0;

}  // namespace pefsim::abi::virtio::rng
