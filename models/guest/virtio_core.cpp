// SPDX-License-Identifier: Apache-2.0
#include "guest/virtio_core.h"
#include "report/violations.h"

#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

#include "abi/direct_window.h"
#include "abi/hcall.h"
#include "exposure/ledger.h"

namespace pefsim::guest {

namespace {

namespace virtio = abi::virtio;

/// Reserved features that this kernel's rings and transport know (chapter 6); ORDER_PLATFORM: native_cpu::barrier() is
/// one for devices too.
constexpr std::uint64_t known_features = virtio::f_indirect_desc | virtio::f_event_idx | virtio::f_version_1 |
                                         virtio::f_access_platform | virtio::f_order_platform;

/// By number; those that this guest can come to.
std::vector<std::string> choice_labels(const virtio_core::config& of) {
    const bool series = of.policy == &the_series() && !of.direct_window;
    std::vector<std::string> labels;
    for (unsigned choice = 0; choice < (series ? dma_ops_choices_of_series : dma_ops_choices); ++choice) {
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
      bounce_dma_ops("bounce_dma_ops"),
      recorder_(recorder),
      parameters_(parameters),
      selected_(recorder.metrics(), sc_module::name(), "dma_ops", "devices", "DMA operations by choice",
                choice_labels(parameters)),
      window_call_(parameters.direct_window ? recorder.ledger().name_origin("open_direct_window") : 0) {}

void virtio_core::set_up(native_cpu& cpu) {
    arch_dma_ops->setup(cpu);
    virtio_direct_dma_ops->setup(cpu);
    if (platform_dma_ops.size() != 0) {
        platform_dma_ops->setup(cpu);
    }
    // An ordinary guest forces nothing, and has no pool of its own for it.
    if (bounce_dma_ops.size() != 0 && cpu.secure()) {
        bounce_dma_ops->setup(cpu);
    }
}

bool virtio_core::probe(native_cpu& cpu, virtio_device& device, pci_bus& bus, const pci_device& pci,
                        std::uint64_t supported) {
    if (!device.begin(cpu, bus, pci)) {
        return false;
    }
    device.set_direct_window(parameters_.direct_window && open_direct_window(cpu, pci));
    const std::uint64_t offered = device.transport().device_features(cpu);
    const std::uint64_t accepted = offered & (supported | known_features) & ~parameters_.refused_features;
    const bool modern = (accepted & virtio::f_version_1) != 0;
    std::string_view why = "VERSION_1 is missing: a legacy device";
    if (modern) {
        if (!finalize_features(cpu, device, accepted)) {
            why = device.selection().reason;
        } else if (device.features_ok(cpu)) {
            return true;
        } else {
            why = "the device refuses FEATURES_OK";
        }
    }
    recorder_.violations().report({.when = cpu.now(),
                                   .kind = report::violation_kind::driver_protocol,
                                   .who = device.name(),
                                   .address = 0,
                                   .size = 0,
                                   .page_state = {},
                                   .request = 0,
                                   .detail = fmt::format("{} (features {:#x})", why, offered)});
    device.fail(cpu);
    return false;
}

bool virtio_core::finalize_features(native_cpu& cpu, virtio_device& device, std::uint64_t accepted) {
    device.set_features(cpu, accepted);
    const bool access_platform = (accepted & virtio::f_access_platform) != 0;
    dma_ops_selection selection = parameters_.policy->select({.access_platform = access_platform,
                                                              .hook_present = platform_dma_ops.size() != 0,
                                                              .hook = parameters_.override_when,
                                                              .secure_guest = cpu.secure(),
                                                              .direct_window = device.has_direct_window(),
                                                              .bounce_present = bounce_dma_ops.size() != 0});
    dma_ops::dma_ops_if* const operations = operations_of(selection.choice);
    const bool translated = access_platform && parameters_.translated;
    if (operations != nullptr && operations->physical_addresses() && translated &&
        !device.has_direct_window()) {
        selection = {dma_ops_choice::none, "its addresses are translated, and no window leads to memory",
                     dma_ops_call::none};
    }
    selected_.add(static_cast<std::size_t>(selection.choice));
    if (selection.choice == dma_ops_choice::none) {
        device.refuse_dma_operations(cpu, selection);
        return false;
    }
    device.set_dma_operations(cpu, *operations, selection,
                              {.offset = translated ? abi::direct_window::base : 0,
                               .calls = selection.calls == dma_ops_call::none ? dma_ops::call_form::no_call
                                        : selection.calls == dma_ops_call::direct ? dma_ops::call_form::direct
                                                                                  : parameters_.calls});
    return true;
}

dma_ops::dma_ops_if* virtio_core::operations_of(dma_ops_choice choice) {
    switch (choice) {
    case dma_ops_choice::none:
        return nullptr;
    case dma_ops_choice::architecture_default:
        return arch_dma_ops[0];
    case dma_ops_choice::platform_override:
        return platform_dma_ops[0];
    case dma_ops_choice::forced_swiotlb:
        return bounce_dma_ops[0];
    case dma_ops_choice::virtio_direct:
    case dma_ops_choice::own_path:
    case dma_ops_choice::dma_direct:
        return virtio_direct_dma_ops[0];
    }
    return nullptr;
}

// Linux opens it when the driver sets its DMA mask, before features are known (enable_ddw()).
bool virtio_core::open_direct_window(native_cpu& cpu, const pci_device& pci) {
    if (!parameters_.translated) {
        return true;  // bus addresses are physical
    }
    const native_cpu::call_scope named(cpu, window_call_);
    namespace window = abi::direct_window;
    for (std::uint64_t at = 0; at < parameters_.ram_size; at += window::page_size) {
        const abi::h_status status = cpu.hypercall(
            abi::hcall::h_put_tce,
            {window::liobn_of(pci.devfn), window::base + at, at | abi::tce_read | abi::tce_write});
        if (status != abi::h_status::h_success) {
            return false;
        }
    }
    return true;
}

}  // namespace pefsim::guest
