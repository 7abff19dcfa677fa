// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/virtio.h"
#include "dma_ops/dma_ops_if.h"
#include "guest/callback.h"
#include "guest/dma_ops_selection.h"
#include "guest/interrupts.h"
#include "guest/pci_bus.h"
#include "guest/slab_allocator.h"
#include "guest/split_virtqueue.h"
#include "guest/virtio_pci_transport.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::guest {

/// How far a device has come (VIRTIO 1.2, 3.1.1).
enum class virtio_state : std::uint8_t {
    absent,
    reset,
    acknowledged,
    driver,
    features_ok,
    driver_ok,
    failed
};
constexpr std::string_view to_name(virtio_state state) {
    switch (state) {
    case virtio_state::absent:
        return "ABSENT";
    case virtio_state::reset:
        return "RESET";
    case virtio_state::acknowledged:
        return "ACKNOWLEDGE";
    case virtio_state::driver:
        return "DRIVER";
    case virtio_state::features_ok:
        return "FEATURES_OK";
    case virtio_state::driver_ok:
        return "DRIVER_OK";
    case virtio_state::failed:
        return "FAILED";
    }
    return "?";
}

/// A virtio device as its driver sees it: transport, status, negotiated features, DMA operations, queues and vectors.
///
/// The steps of 3.1.1 in their order: begin() (reset, ACKNOWLEDGE, DRIVER), then virtio_core (features, DMA operations,
/// FEATURES_OK), request_vectors() and add_queue(), finally driver_ok(). A step that fails leaves the device in FAILED.
///
/// Signals: status, features, dma_ops (name of the operations), dma_ops_reason.
class virtio_device {
public:
    using queue_handler = callback<void(native_cpu&, std::uint16_t)>;
    using config_handler = callback<void(native_cpu&)>;

    /// \param scope hierarchical name of the driver  \param name "virtio-blk0"
    virtio_device(trace::recorder& recorder, std::string_view scope, std::string_view name);

    [[nodiscard]] const std::string& name() const { return dma_.name; }
    [[nodiscard]] virtio_state state() const { return state_.value(); }
    [[nodiscard]] virtio_pci_transport& transport() { return transport_; }
    [[nodiscard]] std::uint64_t features() const { return features_.value(); }
    [[nodiscard]] bool has(std::uint64_t feature) const { return (features() & feature) == feature; }
    [[nodiscard]] dma_ops::dma_device& dma() { return dma_; }
    /// Those chosen in virtio_core::finalize_features().
    [[nodiscard]] dma_ops::dma_ops_if& dma_operations() { return *operations_; }
    [[nodiscard]] dma_ops_selection selection() const { return selection_; }
    /// Largest run of memory that the driver may put into one segment, bytes (virtio_max_dma_size).
    [[nodiscard]] std::size_t max_dma_size() const { return operations_->max_mapping_size(dma_); }

    bool begin(native_cpu& cpu, pci_bus& bus, const pci_device& device);
    void set_features(native_cpu& cpu, std::uint64_t features);
    /// The device reaches all of memory through a window of its own.
    void set_direct_window(bool has) { direct_window_ = has; }
    [[nodiscard]] bool has_direct_window() const { return direct_window_; }
    /// How the device's addresses are made, and how its driver gets to the operations (dma_ops::dma_device).
    struct dma_manner {
        std::uint64_t offset = 0;
        dma_ops::call_form calls = dma_ops::call_form::direct;
    };
    void set_dma_operations(native_cpu& cpu, dma_ops::dma_ops_if& operations, dma_ops_selection why,
                            const dma_manner& how);
    /// It gets none: `why` says for what reason, and selection() from now on.
    void refuse_dma_operations(native_cpu& cpu, dma_ops_selection why);
    /// FEATURES_OK, and reads back whether the device agrees.
    bool features_ok(native_cpu& cpu);

    /// Vector 0 for configuration changes, and one for each queue, routed to the CPU that servers[queue] names; when
    /// the device has too few, all queues share one. \returns false without MSI-X or without free interrupt sources
    bool request_vectors(native_cpu& cpu, pci_bus& bus, interrupts& irqs, std::span<const unsigned> servers,
                         queue_handler on_queue, config_handler on_config);
    /// Allocates rings for queue `index` and gives them to the device. \param most largest size wanted
    bool add_queue(native_cpu& cpu, std::uint16_t index, split_virtqueue& queue, std::uint16_t most,
                   slab_allocator& tables);
    void driver_ok(native_cpu& cpu);

    /// The driver gives up: FAILED.
    void fail(native_cpu& cpu);
    /// Stops the device; it touches no memory afterwards. \returns false when it does not come out of reset
    bool reset(native_cpu& cpu);

private:
    void add_status(native_cpu& cpu, std::uint8_t bit, virtio_state reached);

    trace::recorder& recorder_;
    virtio_pci_transport transport_;
    dma_ops::dma_device dma_;
    bool direct_window_ = false;
    dma_ops::dma_ops_if* operations_ = nullptr;
    dma_ops_selection selection_{dma_ops_choice::none, "-"};
    std::uint8_t status_ = 0;
    std::vector<std::uint16_t> vectors_;  // by queue
    queue_handler on_queue_;
    config_handler on_config_;

    trace::signal<virtio_state> state_;
    trace::signal<std::uint64_t> features_;
    trace::signal<std::string_view> operations_name_;
    trace::signal<std::string_view> operations_reason_;
};

}  // namespace pefsim::guest
