// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <systemc>

namespace pefsim::report {

/// The parts of a request's way to its device and back, in order. They follow each other without a gap, so that they
/// add up to the whole.
enum class journey_part : std::uint8_t {
    driver,  ///< from submission until the queue takes it: splitting, locks, waiting for descriptors or mappings
    map,     ///< DMA operations, but for their copies
    copy,  ///< into bounce buffers
    ring,  ///< descriptors and available ring
    doorbell,  ///< until the device takes it: the notification (of a secure guest: reflected), and the device's turn
    device,      ///< until it is published in the used ring
    interrupt,   ///< until the driver finds it there: the message, the way through Ultravisor and handlers
    copy_back,   ///< out of bounce buffers
    completion,  ///< unmapping but for the copies, and what the driver does until it tells whoever asked
};
inline constexpr std::array<std::string_view, 9> journey_part_names{
    "driver", "map", "copy", "ring", "doorbell", "device", "interrupt", "copy back", "completion"};
inline constexpr std::size_t journey_parts = journey_part_names.size();
constexpr std::string_view to_name(journey_part part) {
    return journey_part_names[static_cast<std::size_t>(part)];
}

/// One device request from its submission to its completion.
///
/// Copies lie between the DMA operations of a request's segments; here they are put together.
struct journey {
    std::string_view device;  ///< "virtio-blk0"
    std::string_view kind;    ///< "read", "transmit"
    std::uint16_t queue = 0;
    std::uint64_t number = 0;  ///< the device's, over all its queues, from 1 on
    std::uint64_t bytes = 0;   ///< of its buffers, header and status included
    sc_core::sc_time begin{};
    std::array<sc_core::sc_time, journey_parts> lasted{};
    /// Bit n: part n was seen. A guest whose driver is not pefsim's own shows what its device and its interrupts show.
    std::uint16_t seen = 0;

    [[nodiscard]] bool knows(journey_part part) const {
        return (seen >> static_cast<unsigned>(part) & 1) != 0;
    }
    [[nodiscard]] const sc_core::sc_time& of(journey_part part) const {
        return lasted[static_cast<std::size_t>(part)];
    }
    [[nodiscard]] sc_core::sc_time total() const {
        return std::accumulate(lasted.begin(), lasted.end(), sc_core::SC_ZERO_TIME);
    }
    [[nodiscard]] sc_core::sc_time end() const { return begin + total(); }
};

}  // namespace pefsim::report
