// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/circular_buffer.hpp>
#include <cstddef>

#include "guest/block_request.h"
#include "guest/kernel.h"

namespace pefsim::guest {

/// A number of block requests in flight at once, each in a slot: what asynchronous I/O of one process looks like. The
/// completions come in interrupt context, on any CPU, and are taken one by one on the CPU that waits.
class block_slots {
public:
    struct completed {
        std::size_t slot = 0;
        block_completion result;
    };

    block_slots(kernel& in, native_cpu& cpu, std::size_t depth)
        : kernel_(in),
          wake_(cpu),
          completed_(depth) {}

    void submit(native_cpu& cpu, std::size_t slot, virtio_blk_driver& disk, const block_request& request) {
        ++in_flight_;
        disk_ = &disk;
        disk.submit(cpu, request, [this, slot](native_cpu& on, const block_completion& result) {
            completed_.push_back({slot, result});
            kernel_.cpu_scheduler().complete(on, wake_);
        });
    }
    [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
    /// Waits for the next completion; some request must be in flight.
    completed next(native_cpu& cpu) {
        kernel_.cpu_scheduler().wait_until(
            cpu, [this] { return !completed_.empty(); },
            {.what = "a request's completion", .whose = disk_->device().name()});
        const completed first = completed_.front();
        completed_.pop_front();
        --in_flight_;
        return first;
    }

private:
    kernel& kernel_;
    completion wake_;
    virtio_blk_driver* disk_ = nullptr;  // that has been given a request last
    std::size_t in_flight_ = 0;
    boost::circular_buffer<completed> completed_;
};

}  // namespace pefsim::guest
