// SPDX-License-Identifier: Apache-2.0
#include "guest/virtio_device.h"

#include <algorithm>

#include "abi/platform.h"

namespace pefsim::guest {

namespace {

namespace virtio = abi::virtio;

}  // namespace

virtio_device::virtio_device(trace::recorder& recorder, std::string_view scope, std::string_view name)
    : recorder_(recorder),
      transport_(recorder, name),
      dma_{.name = std::string(name)},
      state_(recorder, scope, "status", "how far the device is initialised"),
      features_(recorder, scope, "features", "feature bits that were negotiated"),
      operations_name_(recorder, scope, "dma_ops", "DMA operations of the device", "-"),
      operations_reason_(recorder, scope, "dma_ops_reason", "why these DMA operations", "-") {}

void virtio_device::add_status(native_cpu& cpu, std::uint8_t bit, virtio_state reached) {
    status_ |= bit;
    transport_.set_status(cpu, status_);
    state_.set(reached, cpu.now());
}

bool virtio_device::begin(native_cpu& cpu, pci_bus& bus, const pci_device& device) {
    if (!transport_.attach(cpu, bus, device) || !reset(cpu)) {
        return false;
    }
    dma_.liobn = abi::platform::liobn_of(device.devfn);
    add_status(cpu, virtio::status_acknowledge, virtio_state::acknowledged);
    add_status(cpu, virtio::status_driver, virtio_state::driver);
    return true;
}

void virtio_device::set_features(native_cpu& cpu, std::uint64_t features) {
    transport_.set_driver_features(cpu, features);
    features_.set(features, cpu.now());
}

void virtio_device::set_dma_operations(native_cpu& cpu, dma_ops::dma_ops_if& operations,
                                       dma_ops_selection why, const dma_manner& how) {
    operations_ = &operations;
    selection_ = why;
    dma_.dma_offset = how.offset;
    dma_.calls = how.calls;
    operations_name_.set(recorder_.intern(operations.operations()), cpu.now());
    operations_reason_.set(why.reason, cpu.now());
}

void virtio_device::refuse_dma_operations(native_cpu& cpu, dma_ops_selection why) {
    selection_ = why;
    operations_reason_.set(why.reason, cpu.now());
}

bool virtio_device::features_ok(native_cpu& cpu) {
    add_status(cpu, virtio::status_features_ok, virtio_state::features_ok);
    return (transport_.status(cpu) & virtio::status_features_ok) != 0;
}

bool virtio_device::request_vectors(native_cpu& cpu, pci_bus& bus, interrupts& irqs,
                                    std::span<const unsigned> servers, queue_handler on_queue,
                                    config_handler on_config) {
    on_queue_ = on_queue;
    on_config_ = on_config;
    const pci_device& pci = transport_.device();
    const auto queues = static_cast<std::uint16_t>(servers.size());
    if (pci.msix_vectors == 0) {
        return false;
    }
    // One vector: everything on it. Fewer than one per queue: all queues on the second.
    const bool one_each = pci.msix_vectors > queues;
    const auto used = static_cast<std::uint16_t>(one_each ? queues + 1U : std::min(pci.msix_vectors, 2U));
    vectors_.assign(queues, static_cast<std::uint16_t>(used - 1U));
    for (std::uint16_t queue = 0; one_each && queue < queues; ++queue) {
        vectors_[queue] = static_cast<std::uint16_t>(queue + 1U);
    }
    for (std::uint16_t vector = 0; vector < used; ++vector) {
        const auto source = irqs.allocate_msi(vector == 0 ? 0 : servers[vector - 1U]);
        if (!source) {
            return false;
        }
        irqs.request(*source, [this, vector](native_cpu& on) {
            if (vector == 0) {
                on_config_(on);
            }
            for (std::size_t queue = 0; queue < vectors_.size(); ++queue) {
                if (vectors_[queue] == vector) {
                    on_queue_(on, static_cast<std::uint16_t>(queue));
                }
            }
        });
        bus.route_msix(cpu, pci, vector, *source);
    }
    bus.enable_msix(cpu, pci);
    return transport_.set_config_vector(cpu, 0);
}

bool virtio_device::add_queue(native_cpu& cpu, std::uint16_t index, split_virtqueue& queue,
                              std::uint16_t most, slab_allocator& tables) {
    const std::uint16_t size = std::min(transport_.queue_size(cpu, index), most);
    return size != 0 && queue.set_up(cpu, *operations_, dma_, tables, size, features()) &&
           transport_.enable_queue(cpu, index, size, queue.descriptor_area(), queue.driver_area(),
                                   queue.device_area(), vectors_[index]);
}

void virtio_device::driver_ok(native_cpu& cpu) {
    add_status(cpu, virtio::status_driver_ok, virtio_state::driver_ok);
}

void virtio_device::fail(native_cpu& cpu) { add_status(cpu, virtio::status_failed, virtio_state::failed); }

bool virtio_device::reset(native_cpu& cpu) {
    status_ = 0;
    const bool done = transport_.reset(cpu);
    state_.set(done ? virtio_state::reset : virtio_state::failed, cpu.now());
    return done;
}

}  // namespace pefsim::guest
