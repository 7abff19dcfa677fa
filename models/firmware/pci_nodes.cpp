// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "abi/pci.h"
#include "abi/platform.h"
#include "abi/rtas.h"
#include "firmware/machine_tree.h"

/// The host bridge and its functions in the device tree. PCI Bus Binding to IEEE 1275, revision 2.1; PAPR 2.8, B.6.4.
namespace pefsim::firmware {
namespace {

using device_tree::lower;
using device_tree::node;
using device_tree::upper;
namespace layout = abi::platform;
namespace pci_space = abi::pci;

/// The upper cell of an address: which space, which function, which register.
constexpr std::uint32_t space_memory_64 = 0x0300'0000;
constexpr std::uint32_t not_relocatable = 0x8000'0000;
constexpr std::uint32_t address_of(unsigned devfn, unsigned offset) { return devfn << 8 | offset; }

template <class F>
void for_each_function(const pci::host_bridge& bridge, F&& call) {
    for (unsigned devfn = 0; devfn < pci_space::functions_per_bus; ++devfn) {
        if (pci::pci_function* function = bridge.function(devfn); function != nullptr) {
            call(*function);
        }
    }
}

/// A 64-bit memory BAR, and what it has room for.
struct memory_bar {
    unsigned offset;  ///< in configuration space
    std::uint64_t size;
    std::uint64_t address;
};

std::uint64_t read_bar(pci::pci_function& of, unsigned offset) {
    return std::uint64_t{of.config_read(offset + 4, 4)} << 32 |
           (of.config_read(offset, 4) & ~pci_space::bar_memory_flags);
}

void write_bar(pci::pci_function& of, unsigned offset, std::uint64_t value) {
    of.config_write(offset, 4, lower(value));
    of.config_write(offset + 4, 4, upper(value));
}

/// Found as any software finds them: by all-ones.
std::vector<memory_bar> bars_of(pci::pci_function& function) {
    std::vector<memory_bar> bars;
    for (unsigned bar = 0; bar < pci_space::base_address_count; ++bar) {
        const unsigned offset = pci_space::base_address_register(bar);
        if ((function.config_read(offset, 4) & pci_space::bar_memory_flags & ~pci_space::bar_prefetchable) !=
            pci_space::bar_type_64bit) {
            continue;
        }
        const std::uint64_t address = read_bar(function, offset);
        write_bar(function, offset, ~std::uint64_t{0});
        const std::uint64_t mask = read_bar(function, offset);
        write_bar(function, offset, address);
        if (mask != 0) {
            bars.push_back({.offset = offset, .size = ~mask + 1, .address = address});
            ++bar;
        }
    }
    return bars;
}

std::string_view name_of(std::uint32_t class_code) {
    switch (class_code >> 8) {
    case 0x0100:
        return "scsi";
    case 0x0200:
        return "ethernet";
    case 0x0780:
        return "communication-controller";
    default:
        return "unknown-legacy-device";
    }
}

constexpr std::uint32_t token(abi::rtas call) { return static_cast<std::uint32_t>(call); }

/// The default window, and how to ask for a dynamic one: the calls; as extensions, the one that takes windows back, and
/// that a query may have a wide answer.
void describe_windows(node& of, unsigned devfn, bool dynamic) {
    of.set("ibm,#dma-address-cells", {2});
    of.set("ibm,#dma-size-cells", {2});
    of.set("ibm,dma-window", {lower(layout::liobn_of(devfn)), 0, 0, upper(layout::dma_window_size),
                              lower(layout::dma_window_size)});
    if (dynamic) {
        of.set("ibm,ddw-applicable",
               {token(abi::rtas::query_pe_dma_window), token(abi::rtas::create_pe_dma_window),
                token(abi::rtas::remove_pe_dma_window)});
        of.set("ibm,ddw-extensions", {2, token(abi::rtas::reset_pe_dma_window), 1});
    }
}

void describe_function(node& bridge, pci::pci_function& function, bool dynamic_windows) {
    const unsigned devfn = function.devfn();
    const auto read = [&](unsigned offset, unsigned size) { return function.config_read(offset, size); };
    const std::uint32_t class_code = read(pci_space::revision_id, 4) >> 8;
    const unsigned device = pci_space::device_of(devfn);
    const unsigned number = pci_space::function_of(devfn);
    node& here = bridge.add(number == 0 ? fmt::format("{}@{:x}", name_of(class_code), device)
                                        : fmt::format("{}@{:x},{:x}", name_of(class_code), device, number));
    here.set("vendor-id", {read(pci_space::vendor_id, 2)});
    here.set("device-id", {read(pci_space::device_id, 2)});
    here.set("revision-id", {read(pci_space::revision_id, 1)});
    here.set("class-code", {class_code});
    here.set("subsystem-vendor-id", {read(pci_space::subsystem_vendor_id, 2)});
    here.set("subsystem-id", {read(pci_space::subsystem_id, 2)});
    here.set("ibm,loc-code", fmt::format("pefsim:{}", function.basename()));
    if (const std::uint32_t pin = read(pci_space::interrupt_pin, 1); pin != 0) {
        here.set("interrupts", {pin});
    }
    if (const unsigned vectors = function.msix_size(); vectors != 0) {
        here.set("ibm,req#msi-x", {vectors});
    }
    std::vector<std::uint32_t> reg{address_of(devfn, 0), 0, 0, 0, 0};
    std::vector<std::uint32_t> assigned;
    for (const memory_bar& bar : bars_of(function)) {
        const std::uint32_t which = space_memory_64 | address_of(devfn, bar.offset);
        reg.insert(reg.end(), {which, 0, 0, upper(bar.size), lower(bar.size)});
        if (bar.address != 0) {
            assigned.insert(assigned.end(), {which | not_relocatable, upper(bar.address), lower(bar.address),
                                             upper(bar.size), lower(bar.size)});
        }
    }
    here.set("reg", reg);
    if (!assigned.empty()) {
        here.set("assigned-addresses", assigned);
    }
    describe_windows(here, devfn,
                     dynamic_windows);  // each function is a partitionable endpoint with a window of its own
}

/// INTA to INTD of every device that is there, as abi/platform.h wires them: its functions share them.
std::vector<std::uint32_t> interrupt_map(const pci::host_bridge& bridge, device_tree::phandle parent) {
    constexpr std::uint32_t level = 1;
    constexpr unsigned pins = 4;
    std::vector<std::uint32_t> map;
    std::optional<unsigned> last;
    for_each_function(bridge, [&](const pci::pci_function& function) {
        const unsigned device = pci_space::device_of(function.devfn());
        if (std::exchange(last, device) == device) {
            return;
        }
        for (unsigned pin = 1; pin <= pins; ++pin) {
            const std::uint32_t source = layout::first_lsi_source +
                                         (device + pin - 1) % layout::lsi_source_count;
            map.insert(map.end(), {address_of(device << 3, 0), 0, 0, pin, parent, source, level});
        }
    });
    return map;
}

}  // namespace

void describe_bridge(device_tree::tree& tree, const machine_description& machine,
                     device_tree::phandle interrupt_parent) {
    constexpr std::uint32_t device_mask = 0xf800;
    constexpr std::uint32_t pin_mask = 7;
    node& bridge = tree.root().add(fmt::format("pci@{:x}", layout::bridge_unit));
    bridge.set("device_type", "pci");
    bridge.set("compatible", "IBM,Logical_PHB");
    bridge.set("reg", {upper(layout::bridge_unit), lower(layout::bridge_unit), 0, 0});
    bridge.set("#address-cells", {3});
    bridge.set("#size-cells", {2});
    bridge.set("#interrupt-cells", {1});
    bridge.set("bus-range", {0, 0});
    const std::uint64_t window = layout::pci_memory_base.value();
    bridge.set("ranges", {space_memory_64, upper(window), lower(window), upper(window), lower(window),
                          upper(layout::pci_memory_size), lower(layout::pci_memory_size)});
    bridge.set("ibm,pci-config-space-type", {1});
    bridge.set("ibm,pe-total-#msi", {layout::msi_source_count});
    bridge.set_flag("used-by-rtas");
    describe_windows(bridge, 0, false);  // slot 0 is the bridge's own: a window for what has none
    bridge.set("interrupt-map-mask", {device_mask, 0, 0, pin_mask});
    bridge.set("interrupt-map", interrupt_map(machine.bridge, interrupt_parent));
    for_each_function(machine.bridge, [&](pci::pci_function& function) {
        describe_function(bridge, function, machine.dynamic_windows);
    });
}

void assign_addresses(pci::host_bridge& bridge) {
    // BARs of less than a host's page get one of their own: a guest of 64 KiB pages maps no two of them at once.
    constexpr std::uint64_t least = std::uint64_t{64} << 10;
    constexpr std::uint64_t end = layout::pci_memory_base.value() + layout::pci_memory_size;
    std::uint64_t next = layout::pci_memory_base.value();
    for_each_function(bridge, [&](pci::pci_function& function) {
        for (const memory_bar& bar : bars_of(function)) {
            const std::uint64_t room = std::max(bar.size, least);
            next = (next + room - 1) & ~(room - 1);
            if (next > end || room > end - next) {
                throw std::invalid_argument(fmt::format(
                    "the host bridge's window of {} MiB has no room for the BARs of all functions",
                    layout::pci_memory_size >> 20));
            }
            write_bar(function, bar.offset, next);
            next += room;
        }
        const std::uint32_t command = function.config_read(pci_space::command, 2);
        function.config_write(pci_space::command, 2, command | pci_space::command_memory_space);
    });
}

}  // namespace pefsim::firmware
