// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/virtio.h"
#include "report/metrics.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "virtio/descriptor_chain.h"
#include "virtio/device_queue.h"
#include "virtio/device_transport.h"
#include "virtio/virtqueue.h"

namespace pefsim::virtio {

/// What a transport needs to know of a device before it exists.
struct device_identity {
    abi::virtio::device_id id;
    std::uint32_t class_code;  ///< PCI class code, 24 bits
    std::uint16_t queues;
};

/// A chain that the device works on. Its storage is used again for later ones.
struct request {
    descriptor_chain chain;
    device_queue* queue = nullptr;
    std::uint64_t number = 0;  ///< the device's, over all its queues since the start of simulation
    std::uint64_t order = 0;   ///< in which it was popped
    sc_core::sc_time popped;
    std::uint32_t slot =
        0;  ///< below virtio_device::slots(): where a device keeps what it knows of the request
};

/// A virtio device without its transport: the life of its queues, and the threads that serve them. Subclasses say what
/// a request means.
///
///                       activate(queue): DRIVER_OK, or queue_enable after a queue_reset
///      +----------+ ----------------------------------------------------> +--------+
///      | inactive |                                                       | active |
///      +----------+ <---------------------------------------------------- +--------+
///           ^             deactivate(queue): queue_reset                      |
///           |             reset(): status := 0                                | the driver's ring is malformed,
///           |  reset(): status := 0                                           | or the device cannot reach it
///      +----------+                                                           |
///      |  broken  | <---------------------------------------------------------+
///      +----------+   all queues: DEVICE_NEEDS_RESET
///
/// An inactive queue has no ring: there is nothing by which the device could reach guest memory or notify the driver.
/// Requests in flight when a queue stops are dropped; the device neither touches their buffers afterwards nor returns
/// them.
///
/// Time. A doorbell wakes the queue's thread after timing::virtqueue_kick. The thread takes all requests there are;
/// each memory access adds its cost, and the sum is waited for once per batch. begin() starts a request and says when
/// it is to be finished; several are in flight. One thread per device finishes them in order of their completion times,
/// publishes what has come together, and interrupts the driver at most once per queue and batch.
///
/// With IN_ORDER, what is completed before its turn waits until everything that was popped before it is (6.2).
///
/// What the driver does wrong is in the log of violations: virtqueue_malformed for rings, device_protocol for requests.
///
/// Signals, per queue in `<device>.queue<n>`: avail_idx, used_idx, in_flight, held_bytes, request, and events doorbell
/// and interrupt.
class virtio_device : public sc_core::sc_module {
    SC_HAS_PROCESS(virtio_device);

public:
    struct queue_config {
        std::uint16_t count = 1;
        std::uint16_t size = 256;  ///< largest size of each, a power of two .. 32768
    };

    /// \throws std::invalid_argument for a queue size that is no power of two .. 32768, or no queues
    virtio_device(const sc_core::sc_module_name& name, trace::recorder& recorder, const queue_config& queues,
                  const timing::timing& costs);

    // --- what the transport shows to the driver
    /// The device type's own feature bits.
    [[nodiscard]] virtual std::uint64_t features() const = 0;
    /// Configuration space; bytes that the device does not have read as zero.
    virtual void read_config(std::size_t offset, std::span<std::byte> to) const = 0;
    /// \returns false when these bytes are not for the driver to write; nothing changes then
    virtual bool write_config(std::size_t offset, std::span<const std::byte> from);
    [[nodiscard]] std::uint16_t queue_count() const { return static_cast<std::uint16_t>(queues_.size()); }
    [[nodiscard]] std::uint16_t max_queue_size() const { return max_queue_size_; }

    // --- life cycle, for the transport
    void plug(device_transport& into) { transport_ = &into; }
    /// FEATURES_OK: these were negotiated.
    void negotiated(std::uint64_t features);
    void activate(std::uint16_t queue, const virtqueue::layout& where);
    void deactivate(std::uint16_t queue);
    void reset();
    [[nodiscard]] bool active(std::uint16_t queue) const { return queues_[queue].ring != nullptr; }
    /// An available buffer notification for an active queue.
    void kick(std::uint16_t queue, const sc_core::sc_time& delay);

    [[nodiscard]] const device_queue& queue(std::uint16_t index) const { return queues_[index]; }
    [[nodiscard]] std::uint64_t errors() const { return errors_.value(); }
    [[nodiscard]] std::uint64_t interrupts() const { return interrupts_.value(); }
    [[nodiscard]] std::uint64_t interrupts_suppressed() const { return suppressed_.value(); }

protected:
    // --- what a device does
    /// Its queue's thread is awake. By default: disable notifications, begin() every request, enable notifications.
    virtual void serve(device_queue& queue, sc_core::sc_time& delay);
    /// Starts a request: complete() it at once, or finish_at() a later time.
    virtual void begin(request& what, sc_core::sc_time& delay) = 0;
    /// The time given to finish_at() has come: complete() it.
    virtual void finish(request& what, sc_core::sc_time& delay) = 0;
    /// After negotiated() and after reset().
    virtual void features_changed() {}

    /// Serves a queue whose buffers are for what comes in from outside: while there is `more()`, `give()` puts it into
    /// buffers, and returns false when there were too few. Then the driver is asked for a doorbell when it adds some;
    /// as long as there are enough it is not. The queue may be inactive afterwards.
    template <class More, class Give>
    void serve_incoming(device_queue& queue, sc_core::sc_time& delay, const More& more, const Give& give) {
        queue.ring->disable_notifications(*transport_, delay);
        while (queue.ring && more()) {
            if (give() || !queue.ring) {
                continue;
            }
            if (!queue.ring->enable_notifications(*transport_, delay)) {
                break;
            }
            queue.ring->disable_notifications(*transport_, delay);
        }
        break_if_failed(queue, delay);
    }

    // --- with what
    /// The next request of the queue; nullptr when there is none, or when the queue broke.
    request* pop(device_queue& from, sc_core::sc_time& delay);
    /// What it asks for. \param kind a literal
    static void classify(const request& what, std::string_view kind) {
        what.queue->journeys.classify(what.chain.head(), kind);
    }
    void set_course(std::uint16_t queue, report::journey_course course) {
        queues_[queue].journeys.set_course(course);
    }
    /// The request popped last of its queue goes back, then the one before it: the next pop() gives it again.
    void put_back(request& what);
    void finish_at(request& what, const sc_core::sc_time& when);
    /// Hands the chain back with the next publication. \param written bytes of its device-writable part, from its start
    void complete(request& what, std::uint64_t written);
    queue_memory& memory() { return *transport_; }
    bool gather(const request& from, std::uint64_t offset, std::span<std::byte> to, sc_core::sc_time& delay) {
        return from.chain.gather(*transport_, offset, to, from.number, delay);
    }
    bool scatter(const request& to, std::uint64_t offset, std::span<const std::byte> from,
                 sc_core::sc_time& delay) {
        return to.chain.scatter(*transport_, offset, from, to.number, delay);
    }
    /// Wakes a queue's thread now.
    void wake(std::uint16_t queue) { queues_[queue].wake(sc_core::sc_time_stamp()); }
    void config_changed(sc_core::sc_time& delay);
    /// The driver's breach, and that a request failed.
    void breach(const request& what, std::string detail, const sc_core::sc_time& delay);
    void count_error() { errors_.add(); }
    [[nodiscard]] std::uint64_t negotiated_features() const { return features_; }
    [[nodiscard]] std::uint32_t slots() const { return static_cast<std::uint32_t>(requests_.size()); }
    [[nodiscard]] const timing::timing& costs() const { return costs_; }
    trace::recorder& recorder() { return recorder_; }

private:
    struct due_request {
        sc_core::sc_time when;
        std::uint64_t order;
        std::uint32_t slot;
        friend bool operator<(const due_request& a,
                              const due_request& b) {  // for a heap with the earliest in front
            return a.when != b.when ? a.when > b.when : a.order > b.order;
        }
    };

    void serve_queue(device_queue& queue);
    void hand_over(device_queue& queue, std::uint16_t head, std::uint32_t written,
                   const sc_core::sc_time& popped);
    [[nodiscard]] bool in_order() const { return (features_ & abi::virtio::f_in_order) != 0; }
    void finish_requests();
    void finish_batch();
    void publish(device_queue& queue, sc_core::sc_time& delay);
    void show(device_queue& queue, const sc_core::sc_time& when);
    void break_if_failed(device_queue& queue, sc_core::sc_time& delay);
    void break_device(const device_queue& because_of, sc_core::sc_time& delay);
    void stop(device_queue& queue);
    void release(const request& what);

    trace::recorder& recorder_;
    timing::timing costs_;
    sc_core::sc_time kick_latency_;
    device_transport* transport_ = nullptr;
    std::uint64_t features_ = 0;
    std::uint16_t max_queue_size_;
    std::deque<device_queue> queues_;

    std::vector<request> requests_;
    std::vector<std::uint32_t> free_slots_;
    std::uint64_t popped_ = 0;
    std::vector<due_request> due_;  // a heap
    sc_core::sc_event due_event_{"due"};
    sc_core::sc_time completer_busy_until_;

    report::counter doorbells_;
    report::counter interrupts_;
    report::counter suppressed_;
    report::counter errors_;
    report::counter resets_needed_;
    report::level in_flight_;
    report::duration_histogram latency_;
};

}  // namespace pefsim::virtio
