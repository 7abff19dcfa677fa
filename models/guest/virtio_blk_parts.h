// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/circular_buffer.hpp>
#include <cstdint>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/address.h"
#include "abi/virtio_blk.h"
#include "guest/block_request.h"
#include "guest/driver_environment.h"
#include "guest/spinlock.h"
#include "guest/split_virtqueue.h"

/// What virtio_blk_driver keeps of requests that are under way. Objects are reused: a request takes nothing from the
/// heap once as many have been in flight before.
namespace pefsim::guest {

/// A submitted request.
struct block_io {
    block_callback done;
    block_completion result;
    sc_core::sc_time submitted;
    std::uint32_t parts = 0;  ///< device requests not completed
};

/// A device request (VIRTIO 1.2, 5.2.6): the whole of a block_io, or a part of it.
struct block_part {
    /// Guest memory of its header and status byte.
    static constexpr std::size_t memory_size = 32;
    static constexpr std::size_t status_offset = sizeof(abi::virtio::blk::request_header);
    static constexpr std::uint8_t no_status = 0xff;  ///< what stands there until the device has written

    phys_addr header;
    std::vector<segment> segments;  ///< header, data, status
    std::uint32_t io = 0;           ///< index of its block_io
    std::uint64_t number = 0;       ///< of the block_io
    block_operation operation = block_operation::read;
    std::uint64_t sector = 0;
    std::uint32_t bytes = 0;  ///< of data
    bool requeued = false;    ///< had to wait for descriptors or mappings
    sc_core::sc_time since;   ///< when it became ready

    [[nodiscard]] phys_addr status() const { return header + status_offset; }
    /// While it is being filled: without the status.
    [[nodiscard]] std::size_t data_segments() const { return segments.size() - 1; }
};

/// One queue of the device, with the device requests that wait for it.
struct block_queue {
    block_queue(const driver_environment& kernel, std::string_view scope, std::string_view name,
                std::string_view device, std::uint16_t index)
        : ring(kernel.recorder, kernel.costs, scope, name, device, index),
          lock(kernel.costs),
          waiting(64) {}

    split_virtqueue ring;
    spinlock lock;                                  ///< of the ring and of `waiting`
    boost::circular_buffer<std::uint32_t> waiting;  ///< indices of block_parts, in order
    std::vector<split_virtqueue::used_buffer> finished;
    bool retry_planned = false;
};

}  // namespace pefsim::guest
