// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "abi/address.h"
#include "abi/pci.h"
#include "abi/platform.h"
#include "cpu/native/native_cpu.h"
#include "trace/recorder.h"

namespace pefsim::guest {

using abi::phys_addr;
using cpu::native::native_cpu;

/// A base address register of a PCI function, as sized and assigned by the guest. Size 0: not there.
struct pci_bar {
    phys_addr address{};
    std::uint64_t size = 0;
};

/// A PCI function that enumeration has found.
struct pci_device {
    unsigned devfn = 0;
    std::uint16_t vendor_id = 0;
    std::uint16_t device_id = 0;
    std::uint8_t revision = 0;
    std::uint32_t class_code = 0;
    std::array<pci_bar, abi::pci::base_address_count> bars{};
    unsigned msix_vectors = 0;  ///< entries of the MSI-X table; 0 without MSI-X
    phys_addr msix_table{};
    unsigned msix_capability = 0;  ///< its offset in configuration space
};

/// The guest's PCI bus: enumeration, base addresses, capabilities and MSI-X, by loads and stores of its CPU in the
/// host bridge's ECAM and in the devices' BARs (abi/platform.h).
///
/// Everything read from a device is the host's word: a capability list that loops, a BAR number or an offset that is
/// not there, a BAR that the window cannot hold are reported as violations (driver_protocol) and what depends on them
/// is left out; nothing else happens.
class pci_bus {
public:
    explicit pci_bus(trace::recorder& recorder) : recorder_(recorder) {}

    /// Finds the functions of bus 0, assigns their memory BARs and turns on memory decoding and bus mastering.
    void enumerate(native_cpu& cpu);
    /// In order of devfn.
    [[nodiscard]] std::span<const pci_device> devices() const { return devices_; }

    template <std::unsigned_integral T>
    T config_read(native_cpu& cpu, const pci_device& device, unsigned offset) {
        return cpu.mmio_load<T>(config_address(device, offset));
    }
    template <std::unsigned_integral T>
    void config_write(native_cpu& cpu, const pci_device& device, unsigned offset, T value) {
        cpu.mmio_store<T>(config_address(device, offset), value);
    }

    /// Offset of the next capability with this id.
    /// \param after offset of a capability to go on from; 0: from the start
    std::optional<unsigned> find_capability(native_cpu& cpu, const pci_device& device, std::uint8_t id,
                                            unsigned after = 0);

    /// Lets an MSI-X vector raise a source of the host bridge.
    void route_msix(native_cpu& cpu, const pci_device& device, unsigned vector, std::uint32_t source);
    void enable_msix(native_cpu& cpu, const pci_device& device);

private:
    static phys_addr config_address(const pci_device& device, unsigned offset) {
        return abi::platform::ecam_base + abi::pci::ecam_offset(device.devfn, offset);
    }

    bool probe(native_cpu& cpu, unsigned devfn);
    void assign_bars(native_cpu& cpu, pci_device& device);
    void find_msix(native_cpu& cpu, pci_device& device);
    std::uint64_t size_of_bar(native_cpu& cpu, const pci_device& device, unsigned bar, bool wide);
    std::optional<phys_addr> take_window(std::uint64_t size);
    void violation(native_cpu& cpu, const pci_device& device, std::string detail);

    trace::recorder& recorder_;
    std::vector<pci_device> devices_;
    phys_addr next_ = abi::platform::pci_memory_base;
};

}  // namespace pefsim::guest
