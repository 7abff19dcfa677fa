// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <systemc>
#include <vector>

#include "abi/pci.h"
#include "abi/virtio_pci.h"
#include "tests/pci/pci_bench.h"
#include "tests/virtio/mock_driver.h"
#include "virtio/virtio_pci_device.h"

namespace pefsim::virtio::testing {

/// A virtio function on a host bridge, and the driver's side of the transport: it finds the structures through the
/// capabilities, as a driver must, and makes every access through the bridge's MMIO socket.
///
/// Guest memory starts at bus address 0; rings and buffers are the test's.
template <class Device>
struct virtio_pci_bench : pci::pci_bench {
    static constexpr unsigned devfn = 8;
    static constexpr std::uint64_t msi_data = abi::platform::first_msi_source;

    struct structure {
        unsigned capability;  ///< offset in configuration space
        std::uint8_t bar;
        std::uint64_t offset;
        std::uint64_t length;
    };

    on_pci<Device> function;
    std::uint64_t bar0 = 0;
    std::map<abi::virtio::pci::cap_type, structure> structures;

    virtio_pci_bench(const typename Device::config& parameters,
                     const virtio_pci_device::config& transport = {}, bool iommu_bypass = true)
        : pci_bench(iommu_bypass),
          function("virtio0", recorder, transport, parameters) {
        bridge.attach(devfn, function);
    }

    /// Call once the device's own ports are bound.
    void start() {
        elaborate();
        bar0 = enable(devfn);
        find_structures();
    }

    // --- registers
    std::uint64_t read_in(abi::virtio::pci::cap_type type, std::uint64_t offset, unsigned size) {
        return read(bar0 + structures.at(type).offset + offset, size);
    }
    void write_in(abi::virtio::pci::cap_type type, std::uint64_t offset, unsigned size, std::uint64_t value) {
        write(bar0 + structures.at(type).offset + offset, size, value);
    }
    std::uint64_t common(std::size_t offset, unsigned size) {
        return read_in(abi::virtio::pci::cap_type::common_cfg, offset, size);
    }
    void set_common(std::size_t offset, unsigned size, std::uint64_t value) {
        write_in(abi::virtio::pci::cap_type::common_cfg, offset, size, value);
    }
    std::uint8_t status() { return static_cast<std::uint8_t>(common(20, 1)); }
    void set_status(unsigned value) { set_common(20, 1, value); }
    std::uint64_t device_features() {
        set_common(0, 4, 0);
        const std::uint64_t low = common(4, 4);
        set_common(0, 4, 1);
        return low | common(4, 4) << 32;
    }
    void accept(std::uint64_t features) {
        set_common(8, 4, 0);
        set_common(12, 4, features & 0xffff'ffff);
        set_common(8, 4, 1);
        set_common(12, 4, features >> 32);
    }
    void select(std::uint16_t queue) { set_common(22, 2, queue); }
    void notify(std::uint16_t queue) {
        select(queue);
        const std::uint64_t at = common(30, 2) * multiplier();
        write_in(abi::virtio::pci::cap_type::notify_cfg, at, 2, queue);
    }
    std::uint32_t multiplier() {
        const unsigned capability = structures.at(abi::virtio::pci::cap_type::notify_cfg).capability;
        return config_read(devfn, capability + abi::virtio::pci::notify_cap_multiplier_offset, 4);
    }

    // --- a driver as it should be
    /// Up to FEATURES_OK. \returns whether the device kept the bit
    bool negotiate(std::uint64_t features) {
        set_status(0);
        set_status(1);
        set_status(1 | 2);
        accept(features);
        set_status(1 | 2 | 8);
        return (status() & 8) != 0;
    }
    void set_up_queue(std::uint16_t queue, const virtqueue::layout& where, unsigned vector) {
        select(queue);
        set_common(24, 2, where.size);
        set_address(32, where.desc.value());
        set_address(40, where.driver.value());
        set_address(48, where.device.value());
        set_common(26, 2, vector);
        set_common(28, 2, 1);
    }
    void set_address(std::size_t offset, std::uint64_t value) {
        set_common(offset, 4, value & 0xffff'ffff);
        set_common(offset + 4, 4, value >> 32);
    }
    void set_driver_ok() { set_status(status() | 4U); }
    /// MSI-X on; vector n's message is source first_msi_source + n.
    void enable_msix(unsigned vectors) {
        const std::uint64_t table = bar0 + (1U << 20);
        for (unsigned n = 0; n < vectors; ++n) {
            write(table + 16 * n, 4, abi::platform::msi_address.value() & 0xffff'ffff);
            write(table + 16 * n + 4, 4, abi::platform::msi_address.value() >> 32);
            write(table + 16 * n + 8, 4, msi_data + n);
            write(table + 16 * n + 12, 4, 0);
        }
        set_msix_control(abi::pci::msix_enable);
    }
    void set_msix_control(unsigned value) {
        config_write(devfn, *find_capability(abi::pci::capability_msix) + abi::pci::msix_message_control, 2,
                     value);
    }
    std::optional<unsigned> find_capability(std::uint8_t id) {
        return pci::pci_bench::find_capability(devfn, id);
    }
    memory_view guest_memory() { return {memory.bytes, 0}; }

private:
    void find_structures() {
        namespace wire = abi::virtio::pci;
        for (unsigned at = config_read(devfn, abi::pci::capabilities_pointer, 1); at != 0;
             at = config_read(devfn, at + abi::pci::capability_next, 1)) {
            if (config_read(devfn, at, 1) != wire::cap_id_vendor_specific) {
                continue;
            }
            const auto type = static_cast<wire::cap_type>(config_read(devfn, at + wire::cap_type_offset, 1));
            structures.emplace(
                type,
                structure{at, static_cast<std::uint8_t>(config_read(devfn, at + wire::cap_bar_offset, 1)),
                          config_read(devfn, at + wire::cap_offset_offset, 4),
                          config_read(devfn, at + wire::cap_length_offset, 4)});
        }
    }
};

}  // namespace pefsim::virtio::testing
