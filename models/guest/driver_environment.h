// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dma_ops/dma_ops_if.h"
#include "guest/interrupts.h"
#include "guest/pci_bus.h"
#include "guest/scheduler.h"
#include "guest/slab_allocator.h"
#include "guest/virtio_core.h"
#include "timing/timing.h"
#include "trace/recorder.h"

namespace pefsim::guest {

/// The parts of the kernel that a driver works with. All of them outlive it.
struct driver_environment {
    trace::recorder& recorder;
    const timing::timing& costs;
    slab_allocator& memory;
    pci_bus& pci;
    interrupts& irqs;
    scheduler& cpus;
    virtio_core& virtio;
    dma_ops::kernel_log_if& log;
};

}  // namespace pefsim::guest
