// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "abi/virtio.h"
#include "cpu/native/native_cpu.h"
#include "dma_ops/dma_ops_if.h"
#include "guest/dma_ops_selection.h"
#include "guest/dma_policy.h"
#include "guest/pci_bus.h"
#include "guest/virtio_device.h"
#include "report/metrics.h"
#include "trace/recorder.h"

namespace pefsim::guest {

/// The kernel's virtio core: brings devices up to FEATURES_OK and gives each its DMA operations. VIRTIO 1.2, 2.2, 3.1.1
/// and 6.1.
///
/// Ports, to DMA operations: `arch_dma_ops`, what the architecture gives every device; `virtio_direct_dma_ops`, for
/// devices without ACCESS_PLATFORM; `platform_dma_ops`, optional, the hook platform_override_dma_ops; `bounce_dma_ops`,
/// optional, what the architecture's direct path does where SWIOTLB is forced. Binding another module to one of them is
/// the experiment; the order of the choice is the policy's (guest/dma_policy.h).
///
/// Direct windows: with config::direct_window each device that is probed gets a TCE for every large page of memory, by
/// H_PUT_TCE, once, in the window that firmware has handed over (abi/direct_window.h). When a call fails the device
/// has no direct window. With ACCESS_PLATFORM negotiated, operations that give physical addresses add the window's
/// base; where the platform translates and there is no window, the device is refused: what it would be told leads
/// nowhere.
///
/// Metric: dma_ops, devices by choice.
class virtio_core : public sc_core::sc_module {
public:
    struct config {
        /// When the platform's hook applies, once it is bound.
        platform_override override_when = platform_override::secure_guest;
        /// Feature bits that no driver accepts even when they are offered: ACCESS_PLATFORM, INDIRECT_DESC, EVENT_IDX
        /// ...
        std::uint64_t refused_features = 0;
        const dma_policy* policy = &the_series();  ///< which Linux's way it is
        /// How an operation behind a pointer is called.
        dma_ops::call_form calls = dma_ops::call_form::direct;
        bool direct_window = false;  ///< every device has a window to all of memory
        bool translated = false;     ///< a device with ACCESS_PLATFORM is behind an IOMMU
        std::uint64_t ram_size = 0;  ///< bytes, for the windows
    };

    sc_core::sc_port<dma_ops::dma_ops_if> arch_dma_ops;
    sc_core::sc_port<dma_ops::dma_ops_if> virtio_direct_dma_ops;
    sc_core::sc_port<dma_ops::dma_ops_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND> platform_dma_ops;
    sc_core::sc_port<dma_ops::dma_ops_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND> bounce_dma_ops;

    virtio_core(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters);

    /// Sets up the bound DMA operations; called at boot and again when the guest has become secure.
    void set_up(native_cpu& cpu);

    /// Steps 1 to 6 of 3.1.1. \param supported feature bits of the device's type that its driver knows
    /// \returns false when the device is not usable; it is in FAILED then, and its selection() says why if it is the
    /// policy that refuses it
    bool probe(native_cpu& cpu, virtio_device& device, pci_bus& bus, const pci_device& pci,
               std::uint64_t supported);

    /// Writes the accepted features and chooses the DMA operations (virtio_finalize_features of the series).
    /// \returns false when the device is refused
    bool finalize_features(native_cpu& cpu, virtio_device& device, std::uint64_t accepted);

private:
    [[nodiscard]] dma_ops::dma_ops_if* operations_of(dma_ops_choice choice);
    bool open_direct_window(native_cpu& cpu, const pci_device& pci);

    trace::recorder& recorder_;
    config parameters_;
    report::tally selected_;
    std::uint64_t window_call_;
};

}  // namespace pefsim::guest
