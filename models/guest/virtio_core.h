// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>

#include "abi/virtio.h"
#include "cpu/native/native_cpu.h"
#include "dma_ops/dma_ops_if.h"
#include "guest/dma_ops_selection.h"
#include "guest/pci_bus.h"
#include "guest/virtio_device.h"
#include "report/metrics.h"
#include "trace/recorder.h"

namespace pefsim::guest {

/// The kernel's virtio core: brings devices up to FEATURES_OK and gives each its DMA operations. VIRTIO 1.2, 2.2, 3.1.1
/// and 6.1.
///
/// Ports, to DMA operations: `arch_dma_ops`, what the architecture gives every device; `virtio_direct_dma_ops`, for
/// devices without ACCESS_PLATFORM; `platform_dma_ops`, optional, the hook platform_override_dma_ops. Binding another
/// module to one of them is the experiment; the order of the choice is in guest/dma_ops_selection.h.
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
    };

    sc_core::sc_port<dma_ops::dma_ops_if> arch_dma_ops;
    sc_core::sc_port<dma_ops::dma_ops_if> virtio_direct_dma_ops;
    sc_core::sc_port<dma_ops::dma_ops_if, 1, sc_core::SC_ZERO_OR_MORE_BOUND> platform_dma_ops;

    virtio_core(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters);

    /// Sets up the bound DMA operations; called at boot and again when the guest has become secure.
    void set_up(native_cpu& cpu);

    /// Steps 1 to 6 of 3.1.1. \param supported feature bits of the device's type that its driver knows
    /// \returns false when the device is not usable; it is in FAILED then
    bool probe(native_cpu& cpu, virtio_device& device, pci_bus& bus, const pci_device& pci,
               std::uint64_t supported);

    /// Writes the accepted features and chooses the DMA operations (virtio_finalize_features of the series).
    void finalize_features(native_cpu& cpu, virtio_device& device, std::uint64_t accepted);

private:
    trace::recorder& recorder_;
    config parameters_;
    report::tally selected_;
};

}  // namespace pefsim::guest
