// SPDX-License-Identifier: Apache-2.0
#include "virtio/net_filter.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>

#include "abi/virtio_net.h"
#include "backend/packet.h"

namespace pefsim::virtio {

namespace wire = abi::virtio::net;
using abi::internet::mac_address;

bool net_filter::accepts(std::span<const std::byte> frame, const mac_address& mine) const {
    const auto to = backend::peek<mac_address>(frame);
    if (promiscuous_ || !to) {
        return true;
    }
    if (*to == abi::internet::broadcast_mac) {
        return !no_broadcast_;
    }
    if (((*to)[0] & 1) != 0) {
        return !no_multicast_ && (all_multicast_ || std::ranges::find(multicast_, *to) != multicast_.end());
    }
    return !no_unicast_ &&
           (all_unicast_ || *to == mine || std::ranges::find(unicast_, *to) != unicast_.end());
}

bool net_filter::set_mode(std::uint8_t command, std::span<const std::byte> data) {
    bool* const modes[] = {&promiscuous_,  &all_multicast_, &all_unicast_,
                           &no_multicast_, &no_unicast_,    &no_broadcast_};
    static_assert(wire::control_rx_no_broadcast + 1 == std::size(modes));
    if (command >= std::size(modes) || data.size() != 1 || data[0] > std::byte{1}) {
        return false;
    }
    *modes[command] = data[0] == std::byte{1};
    return true;
}

bool net_filter::set_table(std::span<const std::byte> data) {
    const auto take = [&data]() -> std::optional<table> {
        const auto entries = backend::peek<abi::virtio::le32>(data);
        if (!entries || *entries > (data.size() - sizeof *entries) / sizeof(mac_address)) {
            return {};
        }
        table taken(*entries);
        const std::size_t bytes = taken.size() * sizeof(mac_address);
        data = data.subspan(sizeof *entries);
        std::ranges::copy(data.first(bytes), std::as_writable_bytes(std::span{taken}).begin());
        data = data.subspan(bytes);
        return taken;
    };
    auto unicast = take();
    auto multicast = unicast ? take() : std::nullopt;
    if (!multicast || !data.empty()) {
        return false;
    }
    unicast_ = std::move(*unicast);
    multicast_ = std::move(*multicast);
    return true;
}

}  // namespace pefsim::virtio
