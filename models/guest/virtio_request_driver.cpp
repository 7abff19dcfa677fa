// SPDX-License-Identifier: Apache-2.0
#include "guest/virtio_request_driver.h"

#include <array>

namespace pefsim::guest {

virtio_request_driver::virtio_request_driver(const driver_environment& kernel, std::string_view scope,
                                             std::string_view name, const device_type& type)
    : kernel_(kernel),
      type_(type),
      device_(kernel.recorder, scope, name),
      queue_(kernel.recorder, kernel.costs, scope, "queue0", name, type.queue),
      lock_(kernel.costs),
      call_(kernel.recorder, kernel.costs, type.call),
      requests_(kernel.recorder.metrics(), scope, "requests", "requests", "buffers given to the device"),
      latency_(kernel.recorder.metrics(), scope, "latency", "from request to completion") {}

bool virtio_request_driver::probe(native_cpu& cpu, const pci_device& pci) {
    if (!kernel_.virtio.probe(cpu, device_, kernel_.pci, pci, type_.features)) {
        return false;
    }
    constexpr std::array servers{0U};
    const bool ready = prepare(cpu) &&
                       device_.request_vectors(
                           cpu, kernel_.pci, kernel_.irqs, servers,
                           [this](native_cpu& on, std::uint16_t) { queue_interrupt(on); },
                           [](native_cpu&) {}) &&
                       device_.add_queue(cpu, type_.queue, queue_, type_.queue_size, kernel_.memory);
    if (!ready) {
        device_.fail(cpu);
        return false;
    }
    device_.driver_ok(cpu);
    usable_ = true;
    return true;
}

bool virtio_request_driver::request(native_cpu& cpu, std::span<const segment> segments, std::size_t readable,
                                    const std::function<void(std::uint32_t written)>& take) {
    turn_.lock(kernel_.cpus, cpu);
    const sc_core::sc_time asked = cpu.now();
    const bool answered = submit(cpu, segments, readable, asked);
    if (answered) {
        take(used_.written);
        queue_.completed(cpu, used_);
        latency_.add(cpu.now() - asked);
    }
    turn_.unlock(kernel_.cpus, cpu);
    return answered;
}

bool virtio_request_driver::submit(native_cpu& cpu, std::span<const segment> segments, std::size_t readable,
                                   const sc_core::sc_time& asked) {
    completion finished(cpu, {.what = type_.waits_for, .whose = device_.name()});
    bool kick = false;
    {
        const driver_call call(cpu, call_);
        const spinlock::guard locked(lock_, cpu);
        if (!usable_ || queue_.add(cpu, segments, readable, 0, asked) != split_virtqueue::add_result::added) {
            return false;
        }
        requests_.add();
        answered_ = false;
        finished_ = &finished;
        kick = queue_.kick_prepare(cpu);
    }
    if (kick) {
        device_.transport().notify(cpu, type_.queue);
    }
    kernel_.cpus.wait_for(cpu, finished);
    return answered_;
}

void virtio_request_driver::queue_interrupt(native_cpu& cpu) {
    if (!usable_) {
        return;
    }
    completion* waiting = nullptr;
    {
        const spinlock::guard locked(lock_, cpu);
        if (const auto used = queue_.get_used(cpu)) {
            used_ = *used;
            answered_ = true;
            waiting = finished_;
        } else if (queue_.broken()) {
            usable_ = false;
            device_.reset(cpu);
            device_.fail(cpu);
            queue_.detach_unused(cpu, [](std::uint32_t) {});
            waiting = finished_;
        }
        finished_ = waiting != nullptr ? nullptr : finished_;
    }
    if (waiting != nullptr) {
        kernel_.cpus.complete(cpu, *waiting);
    }
}

}  // namespace pefsim::guest
