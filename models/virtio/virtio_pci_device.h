// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <systemc>
#include <vector>

#include "abi/virtio_pci.h"
#include "pci/pci_function.h"
#include "report/metrics.h"
#include "timing/timing.h"
#include "trace/recorder.h"
#include "trace/signal.h"
#include "virtio/device_transport.h"
#include "virtio/virtio_device.h"

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

/// Virtio over PCI, modern interface (VIRTIO 1.2, 4.1), with a virtio_device plugged into it.
///
/// BAR 0:
///
/// | offset | structure     | capability                                                                             |
/// |--------|---------------|----------------------------------------------------------------------------------------|
/// | 0x0000 | common_cfg    | 1, with queue_notif_config_data (0) and queue_reset                                    |
/// | 0x1000 | ISR status    | 3, one byte, cleared by reading                                                        |
/// | 0x2000 | device_cfg    | 4                                                                                      |
/// | 0x3000 | notifications | 2, queue n at n * notify_multiplier                                                    |
/// | all    | BAR 0         | 5, window in configuration space (PCI_CFG)                                             |
///
/// Interrupts: MSI-X, one vector for configuration changes and one for each queue by default; the driver maps them as
/// it likes. While MSI-X is off, the ISR status and the interrupt pin.
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
/// Queues become active at DRIVER_OK, and with RING_RESET again at queue_enable after a queue_reset; the device does
/// not access memory before. Without ACCESS_PLATFORM negotiated it bypasses the IOMMU: bus addresses are guest physical
/// ones.
///
/// A driver that breaks these rules, or accesses a field in another than its natural width (4.1.3.1), or the IDs of
/// queues that do not exist, is in the log of violations (device_protocol). Such a write has no effect, unless only its
/// width is wrong.
///
/// Signals: `status`, `phase`, `features` (negotiated), `config_interrupt` (event), `isr`.
class virtio_pci_device : public pci::pci_function, private device_transport {
public:
    struct config {
        // Which features of the transport and of its rings are offered.
        bool access_platform = true;
        bool indirect_desc = true;
        bool event_idx = true;
        bool ring_reset = true;
        /// Refuse FEATURES_OK to a driver that declines ACCESS_PLATFORM, as QEMU does; only where it is offered.
        bool require_access_platform = false;
        bool packed = false;
        bool in_order = false;
        bool notification_data = false;
        /// Every address that a driver names is judged when the device learns of it (pci_function::judge_address()).
        bool judge_addresses = false;
        /// Distance of the queues' notification addresses: 0 or an even power of two; with notification_data 0 or a
        /// multiple of 4.
        std::uint32_t notify_multiplier = 4;
        unsigned msix_vectors = 0;  ///< 0: one for each queue and one for configuration changes
        timing::timing costs = {};
    };
    static constexpr std::uint64_t common_offset = 0x0000;
    static constexpr std::uint64_t isr_offset = 0x1000;
    static constexpr std::uint64_t device_offset = 0x2000;
    static constexpr std::uint64_t notify_offset = 0x3000;
    static constexpr std::uint64_t region_size = 0x1000;

    /// \throws std::invalid_argument when the notification addresses of all queues do not fit, the multiplier is not
    ///         allowed, or ACCESS_PLATFORM is required and not offered
    virtio_pci_device(const sc_core::sc_module_name& name, trace::recorder& recorder,
                      const config& parameters, const device_identity& identity);

    [[nodiscard]] std::uint64_t offered_features() const;
    /// 0 before FEATURES_OK.
    [[nodiscard]] std::uint64_t negotiated_features() const { return negotiated_; }
    [[nodiscard]] std::uint8_t status() const { return status_; }

protected:
    /// At elaboration, once.
    void plug(virtio_device& device);

    std::uint64_t bar_read(std::uint64_t offset, unsigned size, sc_core::sc_time& delay) override;
    void bar_write(std::uint64_t offset, unsigned size, std::uint64_t value,
                   sc_core::sc_time& delay) override;
    void reset_function() override { reset_device(sc_core::sc_time_stamp()); }
    std::uint32_t capability_read(unsigned offset, unsigned size, std::uint32_t stored) override;
    void capability_write(unsigned offset, unsigned size, std::uint32_t value) override;

private:
    /// The registers of a queue, as the driver set them.
    struct queue_registers {
        std::uint16_t size = 0;
        std::uint16_t vector = abi::virtio::pci::msi_no_vector;
        bool enabled = false;
        std::uint64_t desc = 0;
        std::uint64_t driver = 0;
        std::uint64_t device = 0;
    };
    using setter = void (virtio_pci_device::*)(std::uint64_t value, sc_core::sc_time& delay);
    struct field {
        unsigned offset;
        unsigned size;
        std::string_view name;
        setter set;  ///< null: the driver may only read it
    };
    static const std::array<field, 17> fields;

    // --- registers
    void add_capabilities();
    [[nodiscard]] abi::virtio::pci::common_cfg common() const;
    std::uint64_t read_common(std::uint64_t offset, unsigned size);
    void write_common(std::uint64_t offset, unsigned size, std::uint64_t value, sc_core::sc_time& delay);
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
    std::uint64_t read_isr(sc_core::sc_time& delay);
    [[nodiscard]] bool window_usable();
    void write_device_config(std::uint64_t offset, unsigned size, std::uint64_t value);
    void notify(std::uint64_t offset, unsigned size, std::uint64_t value, const sc_core::sc_time& delay);

    // --- life cycle
    void reset_device(const sc_core::sc_time& when);
    bool accept_features();
    void go_live();
    void activate(std::uint16_t queue);
    void show_status(const sc_core::sc_time& when);
    [[nodiscard]] bool has(std::uint8_t status_bit) const { return (status_ & status_bit) != 0; }
    [[nodiscard]] bool negotiated(std::uint64_t feature) const { return (negotiated_ & feature) != 0; }
    [[nodiscard]] queue_registers* selected() {
        return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
    }
    /// The selected queue while the driver may still configure it; else a breach and nullptr.
    queue_registers* configurable(std::string_view field_name);
    [[nodiscard]] std::uint16_t valid_vector(std::uint64_t value) const;
    [[nodiscard]] queue_registers default_queue() const;
    void breach(std::string detail);

    // --- device_transport
    bool read(abi::dma_addr from, std::span<std::byte> to, std::uint64_t request,
              sc_core::sc_time& delay) override {
        return dma_read(from, to, request, delay) == pci::dma_status::ok;
    }
    bool write(abi::dma_addr to, std::span<const std::byte> from, std::uint64_t request,
               sc_core::sc_time& delay) override {
        return dma_write(to, from, request, delay) == pci::dma_status::ok;
    }
    void named(abi::dma_addr at, std::uint64_t size, std::uint64_t request, std::uint16_t queue,
               bool writable) override {
        if (config_.judge_addresses) {
            judge_address(at, size, request, queue, writable);
        }
    }
    void returned(std::uint64_t request) override;
    bool queue_interrupt(std::uint16_t queue, sc_core::sc_time& delay) override;
    void config_changed(sc_core::sc_time& delay) override;
    void needs_reset(sc_core::sc_time& delay) override;
    [[nodiscard]] std::string_view initiator_name() const override { return basename(); }
    bool interrupt(std::uint16_t vector, std::uint8_t isr_bit, sc_core::sc_time& delay);
    void config_interrupt(sc_core::sc_time& delay);

    config config_;
    unsigned vectors_;
    virtio_device* device_ = nullptr;
    unsigned window_ = 0;  // offset of the PCI_CFG capability in configuration space

    std::uint32_t device_feature_select_ = 0;
    std::uint32_t driver_feature_select_ = 0;
    std::uint64_t driver_features_ = 0;
    std::uint64_t negotiated_ = 0;
    std::uint16_t config_vector_ = abi::virtio::pci::msi_no_vector;
    std::uint8_t status_ = 0;
    std::uint8_t config_generation_ = 0;
    std::uint16_t queue_select_ = 0;
    std::uint8_t isr_ = 0;
    std::vector<queue_registers> queues_;

    trace::signal<std::uint8_t> status_signal_;
    trace::signal<device_phase> phase_;
    trace::signal<std::uint64_t> features_;
    trace::signal<std::uint8_t> isr_signal_;
    trace::event_signal config_interrupt_;
};

/// A device on the PCI bus: the function is the module `name`, the device its child "block", "net", ...
template <class Device>
class on_pci final : public virtio_pci_device {
public:
    on_pci(const sc_core::sc_module_name& name, trace::recorder& recorder, const config& transport,
           const typename Device::config& parameters)
        : virtio_pci_device(name, recorder, transport, Device::identity(parameters)),
          device(Device::kind, recorder, parameters) {
        plug(device);
    }

    Device device;
};

}  // namespace pefsim::virtio
