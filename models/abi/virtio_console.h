// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "abi/virtio.h"

/// Console device (VIRTIO 1.2, 5.3).
namespace pefsim::abi::virtio::console {

/// Feature bits (5.3.3).
inline constexpr std::uint64_t f_size = feature_bit(0);
inline constexpr std::uint64_t f_multiport = feature_bit(1);
inline constexpr std::uint64_t f_emerg_write = feature_bit(2);

/// Queues (5.3.2): receive and transmit queue of port 0, then with MULTIPORT those of the control messages, of port 1,
/// of port 2, ...
inline constexpr std::uint16_t control_receive_queue = 2;
inline constexpr std::uint16_t control_transmit_queue = 3;
constexpr std::uint16_t receive_queue_of(std::uint16_t port) {
    return static_cast<std::uint16_t>(port == 0 ? 0 : 2 * port + 2);
}
constexpr std::uint16_t transmit_queue_of(std::uint16_t port) {
    return static_cast<std::uint16_t>(receive_queue_of(port) + 1);
}

/// struct virtio_console_config (5.3.4).
struct config {
    le16 cols;  ///< SIZE; so are rows
    le16 rows;
    le32 max_nr_ports;  ///< MULTIPORT
    le32 emerg_wr;  ///< EMERG_WRITE; the only field that the driver writes: one character, in its lowest byte
};
static_assert(sizeof(config) == 12);

/// struct virtio_console_control (5.3.6.2). A name follows PORT_NAME, a console_size RESIZE.
struct control {
    le32 id;  ///< port
    le16 event;
    le16 value;
};
static_assert(sizeof(control) == 8);

enum class control_event : std::uint16_t {
    device_ready = 0,
    device_add = 1,
    device_remove = 2,
    port_ready = 3,
    console_port = 4,
    resize = 5,
    port_open = 6,
    port_name = 7,
};

/// struct virtio_console_resize.
struct console_size {
    le16 cols;
    le16 rows;
};
static_assert(sizeof(console_size) == 4);

}  // namespace pefsim::abi::virtio::console
