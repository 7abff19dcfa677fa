// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "report/journeys.h"
#include "trace/recorder.h"
#include "trace/signal.h"
#include "virtio/virtqueue.h"

namespace pefsim::virtio {

/// One queue of a device: its ring, which is there only while the queue is active, its doorbell, and what a trace shows
/// of it.
class device_queue {
public:
    /// \param device "virtio-blk0": whose journeys its requests are
    device_queue(trace::recorder& recorder, std::string scope, std::string_view device, std::uint16_t index);

    [[nodiscard]] std::uint16_t index() const { return index_; }
    [[nodiscard]] const std::string& scope() const { return scope_; }

    // --- doorbell
    /// Somebody is to look at the queue at `when`, or earlier if that was asked for already.
    void wake(const sc_core::sc_time& when);
    /// Blocks the calling thread until then.
    void await_wake();
    void forget_wake();

    /// Null: inactive, no access to guest memory is possible.
    std::unique_ptr<virtqueue> ring;
    /// Local time up to which the queue's thread has charged for its work already.
    sc_core::sc_time busy_until;
    /// With IN_ORDER: what was popped and has not been given to the ring yet, in the order in which it was.
    struct in_order {
        std::uint16_t head;
        bool completed;
        std::uint32_t written;
        sc_core::sc_time popped;
    };
    std::deque<in_order> order;
    /// Chains that wait in the ring for the next publish.
    struct answer {
        std::uint16_t head;
        sc_core::sc_time popped;
    };
    std::vector<answer> unpublished;
    /// Some of them came from the thread that finishes requests.
    bool finished = false;

    report::queue_journeys& journeys;
    trace::signal<std::uint16_t> avail_idx;
    trace::signal<std::uint16_t> used_idx;
    trace::signal<std::uint32_t> in_flight;
    trace::signal<std::uint64_t> held_bytes;
    trace::signal<std::uint64_t> request;
    trace::event_signal doorbell;
    trace::event_signal interrupt;

private:
    std::uint16_t index_;
    std::string scope_;
    sc_core::sc_event bell_;
    bool rung_ = false;
    sc_core::sc_time due_;
};

}  // namespace pefsim::virtio
