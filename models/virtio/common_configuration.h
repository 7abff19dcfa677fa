// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/virtio_pci.h"

namespace pefsim::virtio {

/// How far a driver has come with a device (2.1), for traces.
enum class device_phase : std::uint8_t {
    reset,
    acknowledged,
    driver,
    features_ok,
    driver_ok,
    needs_reset,
    failed
};
inline constexpr std::array<std::string_view, 7> device_phase_names{
    "RESET", "ACKNOWLEDGE", "DRIVER", "FEATURES_OK", "DRIVER_OK", "DEVICE_NEEDS_RESET", "FAILED"};
constexpr std::string_view to_name(device_phase phase) {
    return device_phase_names[static_cast<std::size_t>(phase)];
}
device_phase phase_of(std::uint8_t status);

/// The registers of a queue, as the driver set them.
struct queue_registers {
    std::uint16_t size = 0;
    std::uint16_t vector = abi::virtio::pci::msi_no_vector;
    bool enabled = false;
    std::uint64_t desc = 0;
    std::uint64_t driver = 0;
    std::uint64_t device = 0;
};

/// The common configuration structure of a device (VIRTIO 1.2, 4.1.4.3): its registers, and what a driver may write
/// there and when.
///
/// Life of the device status (2.1, 3.1): each step is allowed when those before it were taken.
///
///     0 --ACKNOWLEDGE--> --DRIVER--> --FEATURES_OK--> --DRIVER_OK--> live --ring malformed--> DEVICE_NEEDS_RESET
///     ^                                 |                                                          |
///     |   for a subset of the offered features that has those which are needed; else it reads 0    |
///     +------- writing 0, at any time -------------------------------------------------------------+
///
/// Needed are VERSION_1, and ACCESS_PLATFORM where the configuration requires it.
///
/// Queues become active at DRIVER_OK, and with RING_RESET again at queue_enable after a queue_reset. What a driver does
/// against these rules, and an access in another than a field's natural width (4.1.3.1), is a breach; such a write has
/// no effect, unless only its width is wrong.
class common_configuration {
public:
    /// The device behind the registers.
    class owner {
    public:
        [[nodiscard]] virtual std::uint64_t offered_features() const = 0;
        [[nodiscard]] virtual std::uint16_t max_queue_size() const = 0;
        /// FEATURES_OK: negotiated_features() are settled.
        virtual void features_accepted() = 0;
        virtual void activate(std::uint16_t queue) = 0;
        virtual void deactivate(std::uint16_t queue) = 0;
        /// 0 has been written to the status: the whole device is to be reset, with reset() among it.
        virtual void reset_device(const sc_core::sc_time& when) = 0;
        virtual void status_changed(const sc_core::sc_time& when) = 0;
        virtual void breach(std::string detail) = 0;

    protected:
        ~owner() = default;
    };

    struct config {
        std::size_t queues = 1;
        unsigned vectors = 0;
        bool require_access_platform = false;
        bool one_notification_address = false;  ///< queue_notify_off is 0 for all queues
    };

    common_configuration(owner& of, const config& parameters)
        : owner_(of),
          config_(parameters),
          queues_(parameters.queues) {}

    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value, sc_core::sc_time& delay);
    /// As the device is before a driver comes.
    void reset();

    [[nodiscard]] std::uint8_t status() const { return status_; }
    [[nodiscard]] bool has(std::uint8_t status_bit) const { return (status_ & status_bit) != 0; }
    void needs_reset();
    /// A driver that reads the device configuration piece by piece sees that it has changed.
    void device_configuration_changed() { ++config_generation_; }
    /// 0 before FEATURES_OK.
    [[nodiscard]] std::uint64_t negotiated_features() const { return negotiated_; }
    [[nodiscard]] bool negotiated(std::uint64_t feature) const { return (negotiated_ & feature) != 0; }
    [[nodiscard]] std::uint16_t config_vector() const { return config_vector_; }
    [[nodiscard]] std::size_t queue_count() const { return queues_.size(); }
    [[nodiscard]] const queue_registers& queue(std::size_t number) const { return queues_[number]; }

private:
    using setter = void (common_configuration::*)(std::uint64_t value, sc_core::sc_time& delay);
    struct field {
        unsigned offset;
        unsigned size;
        std::string_view name;
        setter set;  ///< null: the driver may only read it
    };
    static const std::array<field, 17> fields;

    [[nodiscard]] abi::virtio::pci::common_cfg common() const;
    void check_width(const field& of, std::uint64_t offset, unsigned size, std::string_view verb);
    void set_device_feature_select(std::uint64_t value, sc_core::sc_time& delay);
    void set_driver_feature_select(std::uint64_t value, sc_core::sc_time& delay);
    void set_driver_feature(std::uint64_t value, sc_core::sc_time& delay);
    void set_config_msix_vector(std::uint64_t value, sc_core::sc_time& delay);
    void set_device_status(std::uint64_t value, sc_core::sc_time& delay);
    void set_queue_select(std::uint64_t value, sc_core::sc_time& delay);
    void set_queue_size(std::uint64_t value, sc_core::sc_time& delay);
    void set_queue_msix_vector(std::uint64_t value, sc_core::sc_time& delay);
    void set_queue_enable(std::uint64_t value, sc_core::sc_time& delay);
    void set_queue_desc(std::uint64_t value, sc_core::sc_time& delay);
    void set_queue_driver(std::uint64_t value, sc_core::sc_time& delay);
    void set_queue_device(std::uint64_t value, sc_core::sc_time& delay);
    void set_queue_reset(std::uint64_t value, sc_core::sc_time& delay);

    bool accept_features();
    void go_live();
    [[nodiscard]] queue_registers* selected() {
        return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
    }
    /// The selected queue while the driver may still configure it; else a breach and nullptr.
    queue_registers* configurable(std::string_view field_name);
    [[nodiscard]] std::uint16_t valid_vector(std::uint64_t value) const;
    [[nodiscard]] queue_registers default_queue() const;

    owner& owner_;
    config config_;
    std::uint32_t device_feature_select_ = 0;
    std::uint32_t driver_feature_select_ = 0;
    std::uint64_t driver_features_ = 0;
    std::uint64_t negotiated_ = 0;
    std::uint16_t config_vector_ = abi::virtio::pci::msi_no_vector;
    std::uint8_t status_ = 0;
    std::uint8_t config_generation_ = 0;
    std::uint16_t queue_select_ = 0;
    std::vector<queue_registers> queues_;
};

}  // namespace pefsim::virtio
