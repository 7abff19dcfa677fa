// SPDX-License-Identifier: Apache-2.0
#include "virtio/virtio_device.h"
#include "report/violations.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>
#include <stdexcept>
#include <utility>

#include "timing/simulation_time.h"
#include "virtio/packed_queue.h"
#include "virtio/split_queue.h"

namespace pefsim::virtio {

using sc_core::sc_time;
using timing::simulation_time;

namespace {

const virtio_device::queue_config& checked(const char* device, const virtio_device::queue_config& queues) {
    if (queues.count == 0 || !std::has_single_bit(queues.size) || queues.size > abi::virtio::max_queue_size) {
        throw std::invalid_argument(
            fmt::format("{}: {} queues of {} entries; allowed are 1 or more of a power of two up to {}",
                        device, queues.count, queues.size, abi::virtio::max_queue_size));
    }
    return queues;
}

/// What its transport is called: "virtio-blk0".
std::string_view device_name(const sc_core::sc_module& device) {
    const sc_core::sc_object* const transport = device.get_parent_object();
    return transport == nullptr ? device.basename() : transport->basename();
}

}  // namespace

virtio_device::virtio_device(const sc_core::sc_module_name& module_name, trace::recorder& recorder,
                             const queue_config& queues, const timing::timing& costs)
    : sc_module(module_name),
      recorder_(recorder),
      costs_(costs),
      kick_latency_(costs.virtqueue_kick_ns, sc_core::SC_NS),
      max_queue_size_(checked(name(), queues).size),
      doorbells_(recorder.metrics(), name(), "doorbells", "notifications", "doorbells that the driver rang"),
      interrupts_(recorder.metrics(), name(), "interrupts", "interrupts", "interrupts of queues sent"),
      suppressed_(
          recorder.metrics(), name(), "interrupts_suppressed", "interrupts",
          "used buffers published without an interrupt, since the driver wanted none or mapped no vector"),
      errors_(recorder.metrics(), name(), "errors", "requests", "requests that failed"),
      resets_needed_(recorder.metrics(), name(), "resets_needed", "events",
                     "times the device gave up its queues"),
      in_flight_(recorder.metrics(), name(), "in_flight", "requests", "requests in the device"),
      latency_(recorder.metrics(), name(), "latency", "from taking a request to its entry in the used ring") {
    for (std::uint16_t i = 0; i < queues.count; ++i) {
        device_queue& queue = queues_.emplace_back(recorder, fmt::format("{}.queue{}", name(), i),
                                                   device_name(*this), i);
        queue.unpublished.reserve(queues.size);
        sc_core::sc_spawn([this, &queue] { serve_queue(queue); }, fmt::format("serve_queue{}", i).c_str());
    }
    // One more than can be in flight: the slot that pop() fills while all others are out.
    requests_.resize(std::size_t{queues.count} * queues.size + 1);
    due_.reserve(requests_.size());
    for (std::uint32_t slot = slots(); slot-- > 0;) {
        requests_[slot].slot = slot;
        free_slots_.push_back(slot);
    }
    SC_THREAD(finish_requests);
}

bool virtio_device::write_config(std::size_t /*offset*/, std::span<const std::byte> /*from*/) {
    return false;
}

// --- life cycle

void virtio_device::negotiated(std::uint64_t features) {
    features_ = features;
    features_changed();
}

void virtio_device::activate(std::uint16_t index, const virtqueue::layout& where) {
    device_queue& queue = queues_[index];
    if (where.packed) {
        queue.ring = std::make_unique<packed_queue>(where);
    } else {
        queue.ring = std::make_unique<split_queue>(where);
    }
    show(queue, simulation_time());
}

void virtio_device::deactivate(std::uint16_t index) {
    stop(queues_[index]);
    show(queues_[index], simulation_time());
}

void virtio_device::reset() {
    for (device_queue& queue : queues_) {
        stop(queue);
        show(queue, simulation_time());
    }
    negotiated(0);
}

// The queue's requests that are still in flight go back to the pool; nobody refers to them across a wait.
void virtio_device::stop(device_queue& queue) {
    queue.ring.reset();
    queue.journeys.stop();
    queue.unpublished.clear();
    queue.order.clear();
    queue.forget_wake();
    const auto stopped = std::remove_if(due_.begin(), due_.end(), [&](const due_request& due) {
        const bool of_queue = requests_[due.slot].queue == &queue;
        if (of_queue) {
            release(requests_[due.slot]);
        }
        return of_queue;
    });
    due_.erase(stopped, due_.end());
    std::make_heap(due_.begin(), due_.end());
}

void virtio_device::break_device(const device_queue& because_of, sc_time& delay) {
    const queue_error error = because_of.ring->error();
    recorder_.violations().report({.when = simulation_time() + delay,
                                   .kind = report::violation_kind::virtqueue_malformed,
                                   .who = std::string(transport_->initiator_name()),
                                   .address = 0,
                                   .size = 0,
                                   .page_state = {},
                                   .request = 0,
                                   .detail = fmt::format("queue {}: {}; the device needs a reset",
                                                         because_of.index(), describe(error).sentence)});
    errors_.add();
    resets_needed_.add();
    for (device_queue& queue : queues_) {
        stop(queue);
    }
    transport_->needs_reset(delay);
}

void virtio_device::config_changed(sc_time& delay) {
    if (transport_ != nullptr) {
        transport_->config_changed(delay);
    }
}

// --- taking requests

void virtio_device::kick(std::uint16_t index, const sc_time& delay) {
    device_queue& queue = queues_[index];
    const sc_time now = simulation_time() + delay;
    doorbells_.add();
    queue.doorbell.fire(now);
    queue.journeys.rung(now);
    queue.wake(now + kick_latency_);
}

void virtio_device::serve_queue(device_queue& queue) {
    for (;;) {
        queue.await_wake();
        if (!queue.ring) {
            continue;
        }
        const sc_time now = simulation_time();
        sc_time delay = queue.busy_until > now ? queue.busy_until - now : sc_core::SC_ZERO_TIME;
        serve(queue, delay);
        if (queue.ring && queue.ring->unpublished() != 0) {
            wait(delay);
            delay = sc_core::SC_ZERO_TIME;
            publish(queue, delay);
        }
        queue.busy_until = simulation_time() + delay;
    }
}

void virtio_device::serve(device_queue& queue, sc_time& delay) {
    queue.ring->disable_notifications(*transport_, delay);
    do {
        // When the last chain known of is taken, the index is read again behind the wish for doorbells, not before it
        // too.
        while (request* const next = pop(queue, delay)) {
            begin(*next, delay);
            if (queue.ring->exhausted()) {
                break;
            }
        }
    } while (queue.ring && queue.ring->enable_notifications(*transport_, delay));
    break_if_failed(queue, delay);
}

void virtio_device::break_if_failed(device_queue& queue, sc_time& delay) {
    if (queue.ring && queue.ring->error() != queue_error::none) {
        break_device(queue, delay);
    }
}

request* virtio_device::pop(device_queue& from, sc_time& delay) {
    if (!from.ring) {
        return nullptr;
    }
    // The ring refuses a head that is in flight, so there are never more requests than descriptors, and one more slot.
    request& next = requests_[free_slots_.back()];
    switch (from.ring->pop(*transport_, next.chain, delay)) {
    case virtqueue::pop_result::empty:
        return nullptr;
    case virtqueue::pop_result::broken:
        break_device(from, delay);
        return nullptr;
    case virtqueue::pop_result::chain:
        break;
    }
    free_slots_.pop_back();
    next.queue = &from;
    next.number = from.journeys.number_for_device(next.chain.head());
    next.order = ++popped_;
    next.popped = simulation_time() + delay;
    if (in_order()) {
        from.order.push_back({next.chain.head(), false, 0, next.popped});
    }
    for (const bool writable : {false, true}) {
        for (const segment& buffer : writable ? next.chain.writable() : next.chain.readable()) {
            transport_->named(buffer.at, buffer.length, next.number, from.index(), writable);
        }
    }
    from.request.set(next.number, next.popped);
    from.journeys.taken(next.chain.head(), next.number, next.popped);
    from.journeys.holds(next.chain.head(), next.chain.bytes());
    from.held_bytes.set(from.held_bytes.value() + next.chain.bytes(), next.popped);
    show(from, next.popped);
    return &next;
}

void virtio_device::release(const request& what) {
    what.queue->held_bytes.set(what.queue->held_bytes.value() - what.chain.bytes(), simulation_time());
    free_slots_.push_back(what.slot);
}

void virtio_device::put_back(request& what) {
    if (what.queue->ring) {
        what.queue->ring->put_back(what.chain.head());
        what.queue->journeys.put_back(what.chain.head());
        if (in_order()) {
            what.queue->order.pop_back();
        }
        show(*what.queue, simulation_time());
    }
    release(what);
}

void virtio_device::show(device_queue& queue, const sc_time& when) {
    queue.avail_idx.set(queue.ring ? queue.ring->avail_seen() : std::uint16_t{0}, when);
    queue.used_idx.set(queue.ring ? queue.ring->used_idx() : std::uint16_t{0}, when);
    queue.in_flight.set(queue.ring ? queue.ring->in_flight() : 0, when);
    std::uint64_t all = 0;
    for (const device_queue& each : queues_) {
        all += each.ring ? each.ring->in_flight() : 0;
    }
    in_flight_.set(all);
}

void virtio_device::breach(const request& what, std::string detail, const sc_time& delay) {
    recorder_.violations().report({.when = simulation_time() + delay,
                                   .kind = report::violation_kind::device_protocol,
                                   .who = std::string(transport_->initiator_name()),
                                   .address = 0,
                                   .size = what.chain.bytes(),
                                   .page_state = {},
                                   .request = what.number,
                                   .detail = std::move(detail)});
}

// --- finishing requests

void virtio_device::finish_at(request& what, const sc_time& when) {
    due_.push_back({when, what.order, what.slot});
    std::push_heap(due_.begin(), due_.end());
    const sc_time now = simulation_time();
    due_event_.notify(when > now ? when - now : sc_core::SC_ZERO_TIME);
}

void virtio_device::finish_requests() {
    for (;;) {
        while (!due_.empty()) {
            const sc_time now = simulation_time();
            const sc_time next = std::max(due_.front().when, completer_busy_until_);
            if (next > now) {
                due_event_.notify(next - now);
                break;
            }
            finish_batch();
        }
        wait(due_event_);
    }
}

void virtio_device::finish_batch() {
    const sc_time now = simulation_time();
    sc_time delay = sc_core::SC_ZERO_TIME;
    while (!due_.empty() && due_.front().when <= now) {
        std::pop_heap(due_.begin(), due_.end());
        const std::uint32_t slot = due_.back().slot;
        due_.pop_back();
        requests_[slot].queue->finished = true;
        finish(requests_[slot], delay);
    }
    wait(delay);
    delay = sc_core::SC_ZERO_TIME;
    for (device_queue& queue : queues_) {
        if (std::exchange(queue.finished, false)) {
            publish(queue, delay);
        }
    }
    completer_busy_until_ = simulation_time() + delay;
}

void virtio_device::complete(request& what, std::uint64_t written) {
    device_queue& queue = *what.queue;
    const std::uint16_t head = what.chain.head();
    const auto bytes = static_cast<std::uint32_t>(written);
    transport_->returned(what.number);
    release(what);
    if (!queue.ring) {
        return;
    }
    if (!in_order()) {
        hand_over(queue, head, bytes, what.popped);
        return;
    }
    const auto entry = std::ranges::find(queue.order, head, &device_queue::in_order::head);
    entry->completed = true;
    entry->written = bytes;
    for (; !queue.order.empty() && queue.order.front().completed; queue.order.pop_front()) {
        const device_queue::in_order& next = queue.order.front();
        hand_over(queue, next.head, next.written, next.popped);
    }
}

void virtio_device::hand_over(device_queue& queue, std::uint16_t head, std::uint32_t written,
                              const sc_time& popped) {
    queue.ring->add_used(head, written);
    queue.unpublished.push_back({head, popped});
}

void virtio_device::publish(device_queue& queue, sc_time& delay) {
    if (!queue.ring || queue.ring->unpublished() == 0) {
        return;
    }
    const bool wanted = queue.ring->publish(*transport_, delay);
    if (queue.ring->error() != queue_error::none) {
        break_device(queue, delay);
        return;
    }
    const sc_time when = simulation_time() + delay;
    for (const device_queue::answer& each : queue.unpublished) {
        latency_.add(when - each.popped);
        queue.journeys.returned(each.head, when);
    }
    queue.unpublished.clear();
    show(queue, when);
    const report::journey_log::sending by(recorder_.journeys(), queue.journeys);
    const bool sent = wanted && transport_->queue_interrupt(queue.index(), delay);
    queue.journeys.interrupt_sent(sent);
    if (sent) {
        interrupts_.add();
        queue.interrupt.fire(when);
    } else {
        suppressed_.add();
    }
}

}  // namespace pefsim::virtio
