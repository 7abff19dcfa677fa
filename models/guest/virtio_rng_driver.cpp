// SPDX-License-Identifier: Apache-2.0
#include "guest/virtio_rng_driver.h"

#include <algorithm>
#include <array>

#include "abi/virtio_rng.h"

namespace pefsim::guest {

namespace {

constexpr std::uint16_t queue_size = 8;

}  // namespace

virtio_rng_driver::virtio_rng_driver(const driver_environment& kernel, std::string_view scope,
                                     std::string_view name)
    : kernel_(kernel),
      device_(kernel.recorder, scope, name),
      queue_(kernel.recorder, kernel.costs, scope, "queue0", name, abi::virtio::rng::request_queue),
      lock_(kernel.costs),
      read_call_(kernel.recorder, kernel.costs, "virtio_rng.read"),
      requests_(kernel.recorder.metrics(), scope, "requests", "requests", "buffers given to the device"),
      bytes_(kernel.recorder.metrics(), scope, "bytes", "bytes", "entropy received"),
      latency_(kernel.recorder.metrics(), scope, "latency", "from request to completion") {}

bool virtio_rng_driver::probe(native_cpu& cpu, const pci_device& pci) {
    if (!kernel_.virtio.probe(cpu, device_, kernel_.pci, pci, 0)) {
        return false;
    }
    constexpr std::array servers{0U};
    const auto memory = kernel_.memory.alloc(buffer_size);
    const bool ready = memory.has_value() &&
                       device_.request_vectors(
                           cpu, kernel_.pci, kernel_.irqs, servers,
                           [this](native_cpu& on, std::uint16_t) { queue_interrupt(on); },
                           [](native_cpu&) {}) &&
                       device_.add_queue(cpu, abi::virtio::rng::request_queue, queue_, queue_size,
                                         kernel_.memory);
    if (!ready) {
        device_.fail(cpu);
        return false;
    }
    buffer_ = *memory;
    device_.driver_ok(cpu);
    usable_ = true;
    return true;
}

std::size_t virtio_rng_driver::read(native_cpu& cpu, std::span<std::byte> to) {
    reading_.lock(kernel_.cpus, cpu);
    std::size_t got = 0;
    while (got < to.size()) {
        const std::size_t more = read_some(cpu, to.subspan(got));
        if (more == 0) {
            break;
        }
        got += more;
    }
    reading_.unlock(kernel_.cpus, cpu);
    return got;
}

std::size_t virtio_rng_driver::read_some(native_cpu& cpu, std::span<std::byte> to) {
    const auto wanted = static_cast<std::uint32_t>(std::min(to.size(), buffer_size));
    const sc_core::sc_time begin = cpu.now();
    completion finished(cpu, {.what = "random bytes", .whose = device_.name()});
    bool kick = false;
    {
        const driver_call call(cpu, read_call_);
        const spinlock::guard locked(lock_, cpu);
        const segment buffer{buffer_, wanted};
        if (!usable_ || queue_.add(cpu, {&buffer, 1}, 0, 0, begin) != split_virtqueue::add_result::added) {
            return 0;
        }
        requests_.add();
        used_ = {};
        finished_ = &finished;
        kick = queue_.kick_prepare(cpu);
    }
    if (kick) {
        device_.transport().notify(cpu, abi::virtio::rng::request_queue);
    }
    kernel_.cpus.wait_for(cpu, finished);
    cpu.read(buffer_, to.first(used_.written));
    queue_.completed(cpu, used_);
    bytes_.add(used_.written);
    latency_.add(cpu.now() - begin);
    return used_.written;
}

void virtio_rng_driver::queue_interrupt(native_cpu& cpu) {
    if (!usable_) {
        return;
    }
    completion* waiting = nullptr;
    {
        const spinlock::guard locked(lock_, cpu);
        if (const auto used = queue_.get_used(cpu)) {
            used_ = *used;
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
