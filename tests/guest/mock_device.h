// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <systemc>
#include <vector>

#include "abi/pci.h"
#include "abi/virtio.h"
#include "abi/virtio_pci.h"
#include "tests/guest/device_ring.h"

namespace pefsim::testing {

/// A virtio-pci device that does as the test says: registers and configuration space written from the specifications
/// (PCI 3.0, VIRTIO 1.2 4.1), obedient unless one of the knobs is turned. What becomes of a notification is up to
/// `on_notify`.
///
/// BAR 0: common configuration at 0, ISR at 0x1000, device configuration at 0x2000, notification at 0x3000, 4 bytes a
/// queue. BAR 4: MSI-X table at 0, pending bits at 0x800.
class mock_device {
public:
    struct queue {
        std::uint16_t size = 0;
        std::uint16_t vector = 0xffff;
        std::uint16_t enabled = 0;
        std::array<std::uint64_t, 3> areas{};
        device_ring ring{};
    };

    static constexpr std::uint64_t bar_size = 0x4000;
    static constexpr std::uint64_t msix_bar_size = 0x1000;

    mock_device(device_memory& memory, abi::virtio::device_id type, std::uint64_t offered,
                unsigned queue_count, std::uint16_t queue_size)
        : features(offered),
          queues(queue_count),
          memory_(memory),
          largest_(queue_size) {
        put<std::uint16_t>(abi::pci::vendor_id, abi::virtio::pci::vendor_id);
        put<std::uint16_t>(abi::pci::device_id, abi::virtio::pci::pci_device_id(type));
        put<std::uint16_t>(abi::pci::status, abi::pci::status_capabilities_list);
        put<std::uint8_t>(abi::pci::capabilities_pointer, 0x40);
        put<std::uint32_t>(abi::pci::base_address, abi::pci::bar_type_64bit);
        put<std::uint32_t>(abi::pci::base_address_register(4), abi::pci::bar_type_64bit);
        virtio_capability(0x40, 0x50, 1, 0, sizeof(abi::virtio::pci::common_cfg));
        virtio_capability(0x50, 0x64, 2, 0x3000, 4 * queue_count);
        put<std::uint32_t>(0x60, 4);  // notify_off_multiplier
        virtio_capability(0x64, 0x74, 3, 0x1000, 1);
        virtio_capability(0x74, 0x84, 4, 0x2000, 0x100);
        put<std::uint8_t>(0x84, abi::pci::capability_msix);
        set_msix_vectors(queue_count + 1);
        put<std::uint32_t>(0x84 + abi::pci::msix_table, 4);
        put<std::uint32_t>(0x84 + abi::pci::msix_pending_bits, 0x804);
        reset();
    }
    /// BAR 2, in which nothing is. \param size a power of two
    void add_spare_bar(std::uint64_t size) {
        spare_bar_size_ = size;
        put<std::uint32_t>(abi::pci::base_address_register(2), abi::pci::bar_type_64bit);
    }

    // --- knobs
    std::uint64_t features;
    bool refuse_features_ok = false;
    bool stay_in_reset = false;
    unsigned reset_reads = 0;  ///< reads of the status that find a reset still under way
    std::uint16_t refused_vector = 0xfffe;
    std::vector<queue> queues;
    std::array<std::byte, 0x100> config{};
    unsigned generation_changes = 0;  ///< reads of config_generation that still find a new one
    /// Kinds of register access, in their order, for the order that 3.1.1 demands: "status 1" ...
    std::vector<std::string> log;
    std::function<void(std::uint16_t, sc_core::sc_time&)> on_notify;
    std::function<void(std::uint32_t source, const sc_core::sc_time& delay)> raise;

    // --- state that tests look at
    std::uint8_t status = 0;
    std::uint64_t driver_features = 0;
    unsigned notifications = 0;
    std::uint16_t config_vector = 0xffff;

    template <class T>
    void put(unsigned offset, T value) {
        std::memcpy(space_.data() + offset, &value, sizeof value);
    }
    template <class T>
    T get(unsigned offset) const {
        T value;
        std::memcpy(&value, space_.data() + offset, sizeof value);
        return value;
    }
    void set_msix_vectors(unsigned count) {
        put<std::uint16_t>(0x84 + abi::pci::msix_message_control, static_cast<std::uint16_t>(count - 1));
    }

    void interrupt(std::uint16_t vector, const sc_core::sc_time& delay) {
        const bool enabled = (get<std::uint16_t>(0x84 + abi::pci::msix_message_control) &
                              abi::pci::msix_enable) != 0;
        if (!enabled || vector >= 64) {
            return;
        }
        abi::pci::msix_table_entry entry;
        std::memcpy(&entry, msix_.data() + sizeof entry * vector, sizeof entry);
        if ((entry.vector_control & abi::pci::msix_vector_masked) == 0 && raise) {
            raise(entry.data, delay);
        }
    }
    /// A queue interrupt, unless the driver does not want one for what happened since `before`.
    void interrupt_for(std::uint16_t index, std::uint16_t before, const sc_core::sc_time& delay) {
        const bool event_idx = (driver_features & abi::virtio::f_event_idx) != 0;
        if (queues[index].ring.wants_interrupt(event_idx, before)) {
            interrupt(queues[index].vector, delay);
        }
    }

    // --- configuration space and BARs, little-endian
    std::uint64_t config_read(unsigned offset, std::size_t size) const {
        std::uint64_t value = 0;
        std::memcpy(&value, space_.data() + offset, size);
        return value;
    }
    void config_write(unsigned offset, std::size_t size, std::uint64_t value) {
        if (offset >= abi::pci::base_address && offset < abi::pci::base_address_register(6)) {
            const unsigned bar = (offset - abi::pci::base_address) / 4;
            const std::uint64_t length = std::array{bar_size, spare_bar_size_, msix_bar_size}.at(bar / 2);
            const auto bits = static_cast<std::uint32_t>(value);
            const auto mask = length == 0 ? 0U
                                          : static_cast<std::uint32_t>(~(length - 1) >> (32 * (bar % 2)));
            put<std::uint32_t>(offset,
                               (bits & mask) | (bar % 2 == 0 && length != 0 ? abi::pci::bar_type_64bit : 0U));
        } else {
            std::memcpy(space_.data() + offset, &value, size);
        }
    }
    /// \returns whether a BAR of this device answers
    bool access(std::uint64_t at, std::size_t size, std::uint64_t& value, bool write,
                sc_core::sc_time& delay) {
        if ((get<std::uint16_t>(abi::pci::command) & abi::pci::command_memory_space) == 0) {
            return false;
        }
        const auto base = [this](unsigned bar) {
            return (get<std::uint64_t>(abi::pci::base_address_register(bar))) & ~std::uint64_t{0xf};
        };
        if (at - base(4) < msix_bar_size) {
            std::memcpy(write ? static_cast<void*>(msix_.data() + (at - base(4))) : &value,
                        write ? static_cast<const void*>(&value) : msix_.data() + (at - base(4)), size);
            return true;
        }
        if (at - base(0) >= bar_size) {
            return false;
        }
        const std::uint64_t offset = at - base(0);
        if (write) {
            register_write(offset, size, value, delay);
        } else {
            value = register_read(offset, size);
        }
        return true;
    }

private:
    void virtio_capability(unsigned at, unsigned next, std::uint8_t type, std::uint32_t offset,
                           std::size_t length) {
        put<std::uint8_t>(at, abi::virtio::pci::cap_id_vendor_specific);
        put<std::uint8_t>(at + 1, static_cast<std::uint8_t>(next));
        put<std::uint8_t>(at + 2, type == 2 ? 20 : 16);
        put<std::uint8_t>(at + 3, type);
        put<std::uint8_t>(at + 4, 0);
        put<std::uint32_t>(at + 8, offset);
        put<std::uint32_t>(at + 12, static_cast<std::uint32_t>(length));
    }
    void reset() {
        driver_features = 0;
        status = 0;
        config_vector = 0xffff;
        for (queue& q : queues) {
            q = {.size = largest_};
        }
    }
    std::uint64_t register_read(std::uint64_t offset, std::size_t size) {
        if (offset >= 0x2000 && offset + size <= 0x2000 + config.size()) {
            std::uint64_t value = 0;
            std::memcpy(&value, config.data() + (offset - 0x2000), size);
            return value;
        }
        if (offset >= 0x1000) {
            return 0;
        }
        queue none;
        const queue& q = queue_select_ < queues.size() ? queues[queue_select_] : none;
        switch (offset) {
        case 4:
            return feature_select_ < 2 ? static_cast<std::uint32_t>(features >> (32 * feature_select_)) : 0;
        case 16:
            return config_vector;
        case 18:
            return queues.size();
        case 20:
            if (resetting_ != 0) {
                --resetting_;
                return abi::virtio::status_acknowledge;
            }
            return status;
        case 21:
            if (generation_changes != 0) {
                --generation_changes;
                ++generation_;
            }
            return generation_;
        case 24:
            return q.size;
        case 26:
            return q.vector;
        case 28:
            return q.enabled;
        case 30:
            return queue_select_;
        default:
            return 0;
        }
    }
    void register_write(std::uint64_t offset, std::size_t size, std::uint64_t value,
                        sc_core::sc_time& delay) {
        queue none;
        queue& q = queue_select_ < queues.size() ? queues[queue_select_] : none;
        if (offset >= 0x3000) {
            ++notifications;
            log.push_back("notify");
            if (on_notify && (status & abi::virtio::status_driver_ok) != 0) {
                on_notify(static_cast<std::uint16_t>(value), delay);
            }
            return;
        }
        switch (offset) {
        case 0:
            feature_select_ = static_cast<std::uint32_t>(value);
            break;
        case 8:
            driver_select_ = static_cast<std::uint32_t>(value);
            break;
        case 12:
            log.push_back("features");
            driver_features &= ~(std::uint64_t{0xffff'ffff} << (32 * driver_select_));
            driver_features |= value << (32 * driver_select_);
            break;
        case 16:
            config_vector = value == refused_vector ? 0xffff : static_cast<std::uint16_t>(value);
            break;
        case 20:
            write_status(static_cast<std::uint8_t>(value));
            break;
        case 22:
            queue_select_ = static_cast<std::uint16_t>(value);
            break;
        case 24:
            q.size = static_cast<std::uint16_t>(value);
            break;
        case 26:
            q.vector = value == refused_vector ? 0xffff : static_cast<std::uint16_t>(value);
            break;
        case 28:
            log.push_back("enable");
            q.enabled = static_cast<std::uint16_t>(value);
            q.ring = {.memory = &memory_,
                      .descriptors = q.areas[0],
                      .available = q.areas[1],
                      .used = q.areas[2],
                      .size = q.size};
            break;
        default:
            if (offset >= 32 && offset < 56 && size == 4) {
                std::uint64_t& area = q.areas[(offset - 32) / 8];
                const unsigned shift = offset % 8 == 0 ? 0 : 32;
                area = (area & ~(std::uint64_t{0xffff'ffff} << shift)) | value << shift;
            }
            break;
        }
    }
    void write_status(std::uint8_t value) {
        log.push_back("status " + std::to_string(value));
        if (value == 0) {
            if (!stay_in_reset) {
                reset();
            }
            resetting_ = reset_reads;
            return;
        }
        status = value;
        if (refuse_features_ok) {
            status &= static_cast<std::uint8_t>(~abi::virtio::status_features_ok);
        }
    }

    device_memory& memory_;
    std::uint16_t largest_;
    std::uint64_t spare_bar_size_ = 0;
    std::array<std::byte, abi::pci::config_space_size> space_{};
    std::array<std::byte, msix_bar_size> msix_{};
    std::uint32_t feature_select_ = 0;
    std::uint32_t driver_select_ = 0;
    std::uint16_t queue_select_ = 0;
    std::uint8_t generation_ = 0;
    unsigned resetting_ = 0;
};

}  // namespace pefsim::testing
