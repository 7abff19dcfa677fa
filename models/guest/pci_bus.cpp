// SPDX-License-Identifier: Apache-2.0
#include "guest/pci_bus.h"
#include "report/violations.h"

#include <bit>
#include <cstddef>
#include <fmt/format.h>

namespace pefsim::guest {

namespace {

namespace pci = abi::pci;

constexpr std::uint8_t header_multi_function = 0x80;
constexpr unsigned functions_per_device = 8;
/// More capabilities than fit into configuration space: the list is a loop.
constexpr unsigned most_capabilities = (pci::compatible_size - pci::header_size) / 4;

}  // namespace

void pci_bus::enumerate(native_cpu& cpu) {
    for (unsigned first = 0; first < pci::functions_per_bus; first += functions_per_device) {
        if (!probe(cpu, first)) {
            continue;
        }
        const auto header = config_read<std::uint8_t>(cpu, pci_device{.devfn = first}, pci::header_type);
        if ((header & header_multi_function) == 0) {
            continue;
        }
        for (unsigned function = 1; function < functions_per_device; ++function) {
            probe(cpu, first + function);
        }
    }
}

bool pci_bus::probe(native_cpu& cpu, unsigned devfn) {
    pci_device device{.devfn = devfn};
    device.vendor_id = config_read<std::uint16_t>(cpu, device, pci::vendor_id);
    if (device.vendor_id == pci::no_vendor) {
        return false;
    }
    device.device_id = config_read<std::uint16_t>(cpu, device, pci::device_id);
    const auto class_and_revision = config_read<std::uint32_t>(cpu, device, pci::revision_id);
    device.revision = static_cast<std::uint8_t>(class_and_revision);
    device.class_code = class_and_revision >> 8;
    assign_bars(cpu, device);
    find_msix(cpu, device);
    devices_.push_back(device);
    return true;
}

void pci_bus::assign_bars(native_cpu& cpu, pci_device& device) {
    const auto command = config_read<std::uint16_t>(cpu, device, pci::command);
    constexpr std::uint16_t decoding = pci::command_io_space | pci::command_memory_space;
    config_write<std::uint16_t>(cpu, device, pci::command, command & static_cast<std::uint16_t>(~decoding));

    for (unsigned bar = 0; bar < pci::base_address_count; ++bar) {
        const auto flags = config_read<std::uint32_t>(cpu, device, pci::base_address_register(bar));
        const bool wide = (flags & pci::bar_type_64bit) != 0;
        if ((flags & pci::bar_io_space) != 0 || (wide && bar + 1 == pci::base_address_count)) {
            continue;
        }
        const std::uint64_t size = size_of_bar(cpu, device, bar, wide);
        if (size != 0) {
            const std::optional<phys_addr> address = wide ? take_window(size) : std::nullopt;
            if (address) {
                device.bars[bar] = {*address, size};
                const std::uint64_t value = address->value();
                config_write(cpu, device, pci::base_address_register(bar), static_cast<std::uint32_t>(value));
                config_write(cpu, device, pci::base_address_register(bar + 1),
                             static_cast<std::uint32_t>(value >> 32));
            } else {
                violation(
                    cpu, device,
                    fmt::format("BAR {} of {:#x} bytes does not fit into the memory window", bar, size));
            }
        }
        bar += wide ? 1 : 0;
    }
    config_write<std::uint16_t>(cpu, device, pci::command,
                                command | pci::command_memory_space | pci::command_bus_master);
}

std::uint64_t pci_bus::size_of_bar(native_cpu& cpu, const pci_device& device, unsigned bar, bool wide) {
    config_write(cpu, device, pci::base_address_register(bar), ~std::uint32_t{0});
    std::uint64_t mask = config_read<std::uint32_t>(cpu, device, pci::base_address_register(bar)) &
                         ~pci::bar_memory_flags;
    if (wide) {
        config_write(cpu, device, pci::base_address_register(bar + 1), ~std::uint32_t{0});
        mask |= std::uint64_t{config_read<std::uint32_t>(cpu, device, pci::base_address_register(bar + 1))}
                << 32;
    } else if (mask != 0) {
        mask |= ~std::uint64_t{0} << 32;
    }
    const std::uint64_t size = ~mask + 1;
    return mask != 0 && std::has_single_bit(size) ? size : 0;
}

std::optional<phys_addr> pci_bus::take_window(std::uint64_t size) {
    const std::uint64_t used = next_ - abi::platform::pci_memory_base;
    const std::uint64_t offset = (used + size - 1) & ~(size - 1);
    if (size > abi::platform::pci_memory_size || offset > abi::platform::pci_memory_size - size) {
        return std::nullopt;
    }
    const phys_addr address = abi::platform::pci_memory_base + offset;
    next_ = address + size;
    return address;
}

std::optional<unsigned> pci_bus::find_capability(native_cpu& cpu, const pci_device& device, std::uint8_t id,
                                                 unsigned after) {
    if (after == 0 &&
        (config_read<std::uint16_t>(cpu, device, pci::status) & pci::status_capabilities_list) == 0) {
        return std::nullopt;
    }
    unsigned link = after == 0 ? pci::capabilities_pointer : after + pci::capability_next;
    for (unsigned i = 0; i <= most_capabilities; ++i) {  // and the end of the list
        const unsigned at = config_read<std::uint8_t>(cpu, device, link) & ~3U;
        if (at == 0) {
            return std::nullopt;
        }
        if (at < pci::header_size) {
            violation(cpu, device,
                      fmt::format("capability pointer at {:#x} leads into the header ({:#x})", link, at));
            return std::nullopt;
        }
        if (config_read<std::uint8_t>(cpu, device, at + pci::capability_id) == id) {
            return at;
        }
        link = at + pci::capability_next;
    }
    violation(cpu, device, "the capability list is a loop");
    return std::nullopt;
}

void pci_bus::find_msix(native_cpu& cpu, pci_device& device) {
    const std::optional<unsigned> at = find_capability(cpu, device, pci::capability_msix);
    if (!at) {
        return;
    }
    const auto control = config_read<std::uint16_t>(cpu, device, *at + pci::msix_message_control);
    const auto table = config_read<std::uint32_t>(cpu, device, *at + pci::msix_table);
    const unsigned vectors = (control & pci::msix_table_size_mask) + 1U;
    const unsigned bar = table & pci::msix_bar_mask;
    const std::uint64_t offset = table & ~pci::msix_bar_mask;
    const std::uint64_t bytes = std::uint64_t{vectors} * sizeof(pci::msix_table_entry);
    if (bar >= device.bars.size() || bytes > device.bars[bar].size ||
        offset > device.bars[bar].size - bytes) {
        violation(cpu, device, fmt::format("MSI-X table of {} entries lies outside BAR {}", vectors, bar));
        return;
    }
    device.msix_capability = *at;
    device.msix_vectors = vectors;
    device.msix_table = device.bars[bar].address + offset;
}

void pci_bus::route_msix(native_cpu& cpu, const pci_device& device, unsigned vector, std::uint32_t source) {
    using entry = pci::msix_table_entry;
    const phys_addr at = device.msix_table + std::uint64_t{vector} * sizeof(entry);
    const std::uint64_t message = abi::platform::msi_address.value();
    cpu.mmio_store(at + offsetof(entry, vector_control), pci::msix_vector_masked);
    cpu.mmio_store(at + offsetof(entry, address_low), static_cast<std::uint32_t>(message));
    cpu.mmio_store(at + offsetof(entry, address_high), static_cast<std::uint32_t>(message >> 32));
    cpu.mmio_store(at + offsetof(entry, data), source);
    cpu.mmio_store(at + offsetof(entry, vector_control), std::uint32_t{0});
}

void pci_bus::enable_msix(native_cpu& cpu, const pci_device& device) {
    const unsigned at = device.msix_capability + pci::msix_message_control;
    const auto control = config_read<std::uint16_t>(cpu, device, at);
    config_write<std::uint16_t>(
        cpu, device, at, (control & static_cast<std::uint16_t>(~pci::msix_function_mask)) | pci::msix_enable);
}

void pci_bus::violation(native_cpu& cpu, const pci_device& device, std::string detail) {
    recorder_.violations().report(
        {.when = cpu.now(),
         .kind = report::violation_kind::driver_protocol,
         .who = fmt::format("pci {:02x}.{}", pci::device_of(device.devfn), pci::function_of(device.devfn)),
         .address = config_address(device, 0).value(),
         .size = 0,
         .page_state = {},
         .request = 0,
         .detail = std::move(detail)});
}

}  // namespace pefsim::guest
