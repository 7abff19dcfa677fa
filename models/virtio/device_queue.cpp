// SPDX-License-Identifier: Apache-2.0
#include "virtio/device_queue.h"

#include <algorithm>
#include <utility>

#include "timing/simulation_time.h"

namespace pefsim::virtio {

using sc_core::sc_time;

device_queue::device_queue(trace::recorder& recorder, std::string scope, std::string_view device,
                           std::uint16_t index)
    : journeys(recorder.journeys().of(device, index)),
      avail_idx(recorder, scope, "avail_idx", "available index as the device last read it"),
      used_idx(recorder, scope, "used_idx", "used index as the device last wrote it"),
      in_flight(recorder, scope, "in_flight", "chains that the device holds"),
      held_bytes(recorder, scope, "held_bytes", "bytes of the buffers in them: with SWIOTLB, of its pool"),
      request(recorder, scope, "request", "number of the request that the device took last"),
      doorbell(recorder, scope, "doorbell", "the driver notifies the queue"),
      interrupt(recorder, scope, "interrupt", "the queue's interrupt is sent"),
      index_(index),
      scope_(std::move(scope)) {}

void device_queue::wake(const sc_time& when) {
    if (rung_ && due_ <= when) {
        return;
    }
    rung_ = true;
    due_ = when;
    const sc_time now = timing::simulation_time();
    bell_.notify(std::max(when, now) - now);
}

void device_queue::await_wake() {
    for (;;) {
        const sc_time now = timing::simulation_time();
        if (rung_ && due_ <= now) {
            rung_ = false;
            return;
        }
        // The bell may have rung while the thread was at work; then it is time that has to pass.
        if (rung_) {
            bell_.notify(due_ - now);
        }
        sc_core::wait(bell_);
    }
}

void device_queue::forget_wake() {
    rung_ = false;
    bell_.cancel();
}

}  // namespace pefsim::virtio
