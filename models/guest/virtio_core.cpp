// SPDX-License-Identifier: Apache-2.0
#include "guest/virtio_core.h"
#include "report/violations.h"

#include <fmt/format.h>
#include <string>
#include <vector>

namespace pefsim::guest {

namespace {

namespace virtio = abi::virtio;

/// Reserved features that this kernel's rings and transport know (chapter 6); ORDER_PLATFORM: native_cpu::barrier() is
/// one for devices too.
constexpr std::uint64_t known_features = virtio::f_indirect_desc | virtio::f_event_idx | virtio::f_version_1 |
                                         virtio::f_access_platform | virtio::f_order_platform;

std::vector<std::string> choice_labels() {
    std::vector<std::string> labels;
    for (unsigned choice = 0; choice < dma_ops_choices; ++choice) {
        labels.emplace_back(to_name(static_cast<dma_ops_choice>(choice)));
    }
    return labels;
}

}  // namespace

virtio_core::virtio_core(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters)
    : sc_module(name),
      arch_dma_ops("arch_dma_ops"),
      virtio_direct_dma_ops("virtio_direct_dma_ops"),
      platform_dma_ops("platform_dma_ops"),
      recorder_(recorder),
      parameters_(parameters),
      selected_(recorder.metrics(), sc_module::name(), "dma_ops", "devices", "DMA operations by choice",
                choice_labels()) {}

void virtio_core::set_up(native_cpu& cpu) {
    arch_dma_ops->setup(cpu);
    virtio_direct_dma_ops->setup(cpu);
    if (platform_dma_ops.size() != 0) {
        platform_dma_ops->setup(cpu);
    }
}

bool virtio_core::probe(native_cpu& cpu, virtio_device& device, pci_bus& bus, const pci_device& pci,
                        std::uint64_t supported) {
    if (!device.begin(cpu, bus, pci)) {
        return false;
    }
    const std::uint64_t offered = device.transport().device_features(cpu);
    const std::uint64_t accepted = offered & (supported | known_features) & ~parameters_.refused_features;
    const bool modern = (accepted & virtio::f_version_1) != 0;
    if (modern) {
        finalize_features(cpu, device, accepted);
    }
    if (modern && device.features_ok(cpu)) {
        return true;
    }
    recorder_.violations().report({.when = cpu.now(),
                                   .kind = report::violation_kind::driver_protocol,
                                   .who = device.name(),
                                   .address = 0,
                                   .size = 0,
                                   .page_state = {},
                                   .request = 0,
                                   .detail = fmt::format("{} (features {:#x})",
                                                         modern ? "the device refuses FEATURES_OK"
                                                                : "VERSION_1 is missing: a legacy device",
                                                         offered)});
    device.fail(cpu);
    return false;
}

void virtio_core::finalize_features(native_cpu& cpu, virtio_device& device, std::uint64_t accepted) {
    device.set_features(cpu, accepted);
    const dma_ops_selection selection = select_dma_ops(
        {.access_platform = (accepted & virtio::f_access_platform) != 0,
         .hook_present = platform_dma_ops.size() != 0,
         .hook = parameters_.override_when,
         .secure_guest = cpu.secure()});
    dma_ops::dma_ops_if* const operations = selection.choice == dma_ops_choice::platform_override
                                                ? platform_dma_ops[0]
                                            : selection.choice == dma_ops_choice::virtio_direct
                                                ? virtio_direct_dma_ops[0]
                                                : arch_dma_ops[0];
    device.set_dma_operations(cpu, *operations, selection);
    selected_.add(static_cast<std::size_t>(selection.choice));
}

}  // namespace pefsim::guest
