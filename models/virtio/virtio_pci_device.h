// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
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
#include "virtio/common_configuration.h"
#include "virtio/device_transport.h"
#include "virtio/virtio_device.h"

namespace pefsim::virtio {

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
/// Without ACCESS_PLATFORM negotiated it bypasses the IOMMU: bus addresses are guest physical ones. The device does not
/// access memory before DRIVER_OK.
///
/// A driver that breaks the rules of common_configuration, or notifies queues that do not exist, is in the log of
/// violations (device_protocol). So is one that notifies a queue before DRIVER_OK (3.1.1), as virtio-rng of Linux 5.10
/// does; the queue is looked at with DRIVER_OK, as hosts look at all of them then.
///
/// Signals: `status`, `phase`, `features` (negotiated), `config_interrupt` (event), `isr`.
class virtio_pci_device : public pci::pci_function,
                          private device_transport,
                          private common_configuration::owner {
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

    [[nodiscard]] std::uint64_t offered_features() const override;
    /// 0 before FEATURES_OK.
    [[nodiscard]] std::uint64_t negotiated_features() const { return common_.negotiated_features(); }
    [[nodiscard]] std::uint8_t status() const { return common_.status(); }

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
    void add_capabilities();
    std::uint64_t read_isr(sc_core::sc_time& delay);
    [[nodiscard]] bool window_usable();
    void write_device_config(std::uint64_t offset, unsigned size, std::uint64_t value);
    void notify(std::uint64_t offset, unsigned size, std::uint64_t value, const sc_core::sc_time& delay);

    // --- common_configuration::owner
    [[nodiscard]] std::uint16_t max_queue_size() const override { return device_->max_queue_size(); }
    void features_accepted() override;
    void activate(std::uint16_t queue) override;
    void deactivate(std::uint16_t queue) override { device_->deactivate(queue); }
    void reset_device(const sc_core::sc_time& when) override;
    void status_changed(const sc_core::sc_time& when) override;
    void breach(std::string detail) override;

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

    common_configuration common_;
    std::uint8_t isr_ = 0;
    std::set<std::uint16_t> notified_early_;  // queues, before DRIVER_OK

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
