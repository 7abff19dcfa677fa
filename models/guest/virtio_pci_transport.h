// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/address.h"
#include "abi/virtio_pci.h"
#include "cpu/native/native_cpu.h"
#include "guest/pci_bus.h"
#include "trace/recorder.h"

namespace pefsim::guest {

using abi::dma_addr;

/// Driver side of the modern virtio-pci transport (VIRTIO 1.2, 4.1): one device's capabilities, common configuration,
/// notifications, ISR status and device configuration.
///
/// Every register access has the width of its field; 64-bit fields are accessed as two halves of 32 bits (4.1.3.1).
/// What the device says is not trusted: structures that lie outside their BAR, queue sizes that are no power of two and
/// notification addresses outside their structure are violations (driver_protocol) and make attach() or enable_queue()
/// fail.
class virtio_pci_transport {
public:
    virtio_pci_transport(trace::recorder& recorder, std::string_view device_name)
        : recorder_(recorder),
          name_(device_name) {}

    /// Finds the structures of `device`. \returns false when one that every device must have is missing
    bool attach(native_cpu& cpu, pci_bus& bus, const pci_device& device);
    [[nodiscard]] bool attached() const { return device_ != nullptr; }
    [[nodiscard]] const pci_device& device() const { return *device_; }

    // --- common configuration (4.1.4.3)
    std::uint8_t status(native_cpu& cpu);
    void set_status(native_cpu& cpu, std::uint8_t status);
    /// Writes 0 to the status and waits until it reads as 0. \returns false when it never does
    bool reset(native_cpu& cpu);
    std::uint64_t device_features(native_cpu& cpu);
    void set_driver_features(native_cpu& cpu, std::uint64_t features);
    std::uint16_t queues(native_cpu& cpu);
    /// Largest size of queue `index`; 0 when there is no such queue, or its size is not a power of two.
    std::uint16_t queue_size(native_cpu& cpu, std::uint16_t index);
    /// \param vector MSI-X vector, or msi_no_vector
    bool enable_queue(native_cpu& cpu, std::uint16_t index, std::uint16_t size, dma_addr descriptors,
                      dma_addr available, dma_addr used, std::uint16_t vector);
    /// \returns false when the device refuses the vector
    bool set_config_vector(native_cpu& cpu, std::uint16_t vector);

    // --- notification (4.1.5.2): the queue's index, 16 bits
    void notify(native_cpu& cpu, std::uint16_t index) {
        cpu.mmio_store<std::uint16_t>(doorbells_[index], index);
    }

    /// ISR status (4.1.4.5); reading clears it.
    std::uint8_t isr_status(native_cpu& cpu);

    // --- device configuration (4.1.4.6)
    /// One field, with accesses of its own width (64 bits: two of 32); 0 when it lies beyond the structure's end.
    template <std::unsigned_integral T>
    T config_field(native_cpu& cpu, std::size_t offset) {
        if (offset + sizeof(T) > config_.length) {
            return 0;
        }
        const phys_addr at = config_.address + offset;
        if constexpr (sizeof(T) == 8) {
            const std::uint64_t low = cpu.mmio_load<std::uint32_t>(at);
            return low | std::uint64_t{cpu.mmio_load<std::uint32_t>(at + 4)} << 32;
        } else {
            return cpu.mmio_load<T>(at);
        }
    }
    /// What `read` returns, repeated until the configuration's generation did not change meanwhile (2.5.1).
    template <class Read>
    auto read_config(native_cpu& cpu, Read read) {
        for (unsigned i = 0; i < generation_retries; ++i) {
            const std::uint8_t before = generation(cpu);
            auto value = read();
            if (generation(cpu) == before) {
                return value;
            }
        }
        violation(cpu, "the device configuration changes all the time");
        return read();
    }

private:
    struct structure {
        phys_addr address;
        std::uint64_t length = 0;
    };

    static constexpr unsigned generation_retries = 100;

    std::optional<structure> read_capability(native_cpu& cpu, pci_bus& bus, unsigned at);
    std::uint8_t generation(native_cpu& cpu);
    void violation(native_cpu& cpu, std::string detail);

    trace::recorder& recorder_;
    std::string name_;
    const pci_device* device_ = nullptr;
    structure common_;
    structure notify_;
    structure isr_;
    structure config_;
    std::uint32_t notify_off_multiplier_ = 0;
    std::vector<phys_addr> doorbells_;  // by queue
};

}  // namespace pefsim::guest
