// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "abi/internet.h"

namespace pefsim::virtio {

/// Which frames a network device receives (VIRTIO 1.2, 5.1.6.5.1 and 5.1.6.5.2): all, until its driver says otherwise.
class net_filter {
public:
    /// The driver's address and those of the table are what unicast frames have to be sent to, unless promiscuous.
    [[nodiscard]] bool accepts(std::span<const std::byte> frame,
                               const abi::internet::mac_address& mine) const;

    /// A command of class RX. \returns false for what does not exist or is malformed; nothing changes then
    [[nodiscard]] bool set_mode(std::uint8_t command, std::span<const std::byte> data);
    /// The data of MAC_TABLE_SET. \returns false for a malformed table; nothing changes then
    [[nodiscard]] bool set_table(std::span<const std::byte> data);

private:
    using table = std::vector<abi::internet::mac_address>;

    bool promiscuous_ = true;
    bool all_multicast_ = false;
    bool all_unicast_ = false;
    bool no_multicast_ = false;
    bool no_unicast_ = false;
    bool no_broadcast_ = false;
    table unicast_;
    table multicast_;
};

}  // namespace pefsim::virtio
