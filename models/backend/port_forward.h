// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace pefsim::backend {

/// A port of the host, on 127.0.0.1, that leads to one of the guest.
struct port_forward {
    bool udp = false;  ///< else TCP
    std::uint16_t host_port = 0;
    std::uint16_t guest_port = 0;
};

}  // namespace pefsim::backend
