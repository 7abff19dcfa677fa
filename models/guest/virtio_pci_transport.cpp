// SPDX-License-Identifier: Apache-2.0
#include "guest/virtio_pci_transport.h"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

#include "abi/virtio.h"
#include "abi/virtio_ring.h"
#include "report/violations.h"

namespace pefsim::guest {

namespace {

namespace virtio = abi::virtio;
using virtio::pci::common_cfg;

/// How long a device may take to reset, in reads of its status.
constexpr unsigned reset_polls = 1000;
constexpr unsigned most_capabilities = 48;

/// BARs hold virtio structures in the first six only (4.1.4: values 6 and 7 are reserved).
bool inside(const pci_bar& bar, std::uint64_t offset, std::uint64_t length) {
    return length <= bar.size && offset <= bar.size - length;
}

}  // namespace

std::optional<virtio_pci_transport::structure>
virtio_pci_transport::read_capability(native_cpu& cpu, pci_bus& bus, unsigned at) {
    const auto bar = bus.config_read<std::uint8_t>(cpu, *device_, at + virtio::pci::cap_bar_offset);
    const auto offset = bus.config_read<std::uint32_t>(cpu, *device_, at + virtio::pci::cap_offset_offset);
    const auto length = bus.config_read<std::uint32_t>(cpu, *device_, at + virtio::pci::cap_length_offset);
    if (bar >= device_->bars.size()) {
        return std::nullopt;  // reserved: to be ignored
    }
    if (!inside(device_->bars[bar], offset, length)) {
        violation(cpu, fmt::format("capability at {:#x} names {:#x} bytes at {:#x}, outside BAR {}", at,
                                   length, offset, bar));
        return std::nullopt;
    }
    return structure{device_->bars[bar].address + offset, length};
}

bool virtio_pci_transport::attach(native_cpu& cpu, pci_bus& bus, const pci_device& device) {
    device_ = &device;
    std::optional<unsigned> at = bus.find_capability(cpu, device, virtio::pci::cap_id_vendor_specific);
    for (unsigned i = 0; at && i < most_capabilities; ++i) {
        const auto type = static_cast<virtio::pci::cap_type>(
            bus.config_read<std::uint8_t>(cpu, device, *at + virtio::pci::cap_type_offset));
        structure* const place = type == virtio::pci::cap_type::common_cfg   ? &common_
                                 : type == virtio::pci::cap_type::notify_cfg ? &notify_
                                 : type == virtio::pci::cap_type::isr_cfg    ? &isr_
                                 : type == virtio::pci::cap_type::device_cfg ? &config_
                                                                             : nullptr;
        // 4.1.4: of several of one type the first that the driver can use is the device's preference.
        if (place != nullptr && place->length == 0) {
            *place = read_capability(cpu, bus, *at).value_or(structure{});
            if (type == virtio::pci::cap_type::notify_cfg) {
                notify_off_multiplier_ = bus.config_read<std::uint32_t>(
                    cpu, device, *at + virtio::pci::notify_cap_multiplier_offset);
            }
        }
        at = bus.find_capability(cpu, device, virtio::pci::cap_id_vendor_specific, *at);
    }
    constexpr std::uint64_t common_without_options = offsetof(common_cfg, queue_notif_config_data);
    if (common_.length < common_without_options || notify_.length == 0 || isr_.length == 0) {
        violation(cpu, "common configuration, notification or ISR structure is missing");
        device_ = nullptr;
        return false;
    }
    return true;
}

std::uint8_t virtio_pci_transport::status(native_cpu& cpu) {
    return cpu.mmio_load<std::uint8_t>(common_.address + offsetof(common_cfg, device_status));
}

void virtio_pci_transport::set_status(native_cpu& cpu, std::uint8_t status) {
    cpu.mmio_store<std::uint8_t>(common_.address + offsetof(common_cfg, device_status), status);
}

bool virtio_pci_transport::reset(native_cpu& cpu) {
    set_status(cpu, 0);
    for (unsigned i = 0; i < reset_polls; ++i) {
        if (status(cpu) == 0) {
            return true;
        }
    }
    violation(cpu, "the device does not come out of reset");
    return false;
}

std::uint64_t virtio_pci_transport::device_features(native_cpu& cpu) {
    std::uint64_t features = 0;
    for (std::uint32_t half = 0; half < 2; ++half) {
        cpu.mmio_store(common_.address + offsetof(common_cfg, device_feature_select), half);
        const auto bits = cpu.mmio_load<std::uint32_t>(common_.address +
                                                       offsetof(common_cfg, device_feature));
        features |= std::uint64_t{bits} << (32 * half);
    }
    return features;
}

void virtio_pci_transport::set_driver_features(native_cpu& cpu, std::uint64_t features) {
    for (std::uint32_t half = 0; half < 2; ++half) {
        cpu.mmio_store(common_.address + offsetof(common_cfg, driver_feature_select), half);
        cpu.mmio_store(common_.address + offsetof(common_cfg, driver_feature),
                       static_cast<std::uint32_t>(features >> (32 * half)));
    }
}

std::uint16_t virtio_pci_transport::queues(native_cpu& cpu) {
    return cpu.mmio_load<std::uint16_t>(common_.address + offsetof(common_cfg, num_queues));
}

std::uint16_t virtio_pci_transport::queue_size(native_cpu& cpu, std::uint16_t index) {
    cpu.mmio_store(common_.address + offsetof(common_cfg, queue_select), index);
    const auto size = cpu.mmio_load<std::uint16_t>(common_.address + offsetof(common_cfg, queue_size));
    if (size != 0 && (!std::has_single_bit(size) || size > virtio::max_queue_size)) {
        violation(cpu, fmt::format("queue {} has a size of {}, which is not a power of two", index, size));
        return 0;
    }
    return size;
}

bool virtio_pci_transport::enable_queue(native_cpu& cpu, std::uint16_t index, std::uint16_t size,
                                        dma_addr descriptors, dma_addr available, dma_addr used,
                                        std::uint16_t vector) {
    const auto write_address = [this, &cpu](std::size_t field, dma_addr value) {
        cpu.mmio_store(common_.address + field, static_cast<std::uint32_t>(value.value()));
        cpu.mmio_store(common_.address + field + 4, static_cast<std::uint32_t>(value.value() >> 32));
    };
    cpu.mmio_store(common_.address + offsetof(common_cfg, queue_select), index);
    const auto notify_off = cpu.mmio_load<std::uint16_t>(common_.address +
                                                         offsetof(common_cfg, queue_notify_off));
    const std::uint64_t doorbell = std::uint64_t{notify_off} * notify_off_multiplier_;
    if (doorbell + sizeof(std::uint16_t) > notify_.length) {
        violation(cpu,
                  fmt::format("the doorbell of queue {} lies at {:#x}, outside the notification structure",
                              index, doorbell));
        return false;
    }
    doorbells_.resize(std::max<std::size_t>(doorbells_.size(), index + 1U));
    doorbells_[index] = notify_.address + doorbell;

    cpu.mmio_store(common_.address + offsetof(common_cfg, queue_size), size);
    write_address(offsetof(common_cfg, queue_desc), descriptors);
    write_address(offsetof(common_cfg, queue_driver), available);
    write_address(offsetof(common_cfg, queue_device), used);
    cpu.mmio_store(common_.address + offsetof(common_cfg, queue_msix_vector), vector);
    if (cpu.mmio_load<std::uint16_t>(common_.address + offsetof(common_cfg, queue_msix_vector)) != vector) {
        violation(cpu, fmt::format("the device refuses vector {} for queue {}", vector, index));
        return false;
    }
    cpu.mmio_store(common_.address + offsetof(common_cfg, queue_enable), std::uint16_t{1});
    return true;
}

bool virtio_pci_transport::set_config_vector(native_cpu& cpu, std::uint16_t vector) {
    const phys_addr at = common_.address + offsetof(common_cfg, config_msix_vector);
    cpu.mmio_store(at, vector);
    return cpu.mmio_load<std::uint16_t>(at) == vector;
}

std::uint8_t virtio_pci_transport::isr_status(native_cpu& cpu) {
    return cpu.mmio_load<std::uint8_t>(isr_.address);
}

std::uint8_t virtio_pci_transport::generation(native_cpu& cpu) {
    return cpu.mmio_load<std::uint8_t>(common_.address + offsetof(common_cfg, config_generation));
}

void virtio_pci_transport::violation(native_cpu& cpu, std::string detail) {
    recorder_.violations().report({.when = cpu.now(),
                                   .kind = report::violation_kind::driver_protocol,
                                   .who = name_,
                                   .address = 0,
                                   .size = 0,
                                   .page_state = {},
                                   .request = 0,
                                   .detail = std::move(detail)});
}

}  // namespace pefsim::guest
