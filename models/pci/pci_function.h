// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <vector>

#include "abi/address.h"
#include "memory/bus_attributes.h"
#include "timing/timing.h"
#include "trace/recorder.h"

namespace pefsim::pci {

/// Result of a device's access to memory.
enum class dma_status : std::uint8_t {
    ok,
    bus_error,    ///< refused, or nothing answers there: no byte moved
    iommu_fault,  ///< no translation, or not with this permission: no byte moved
};

/// A PCI function: configuration space, memory BARs, MSI-X, and bus mastering. The base of every device on the host bridge.
///
/// Ports: `dma` to the host bridge (TLM-2.0 initiator; bus addresses, bus_attributes in each payload).
///
/// Configuration space is 4 KiB; accesses of 1, 2 or 4 bytes at natural alignment (others are violations, read as ones and
/// write nothing). BAR sizing, command register, capability list and the MSI-X table and pending bits (in a BAR of their own)
/// are the base's; a device adds capabilities and answers BAR accesses.
/// PCI Local Bus Specification 3.0, chapter 6; PCI Express Base 3.0, 7.2.2 (ECAM).
class pci_function : public sc_core::sc_module {
public:
    struct config {
        std::uint16_t vendor_id = 0;
        std::uint16_t device_id = 0;
        std::uint8_t revision = 0;
        std::uint32_t class_code = 0;  ///< 24 bits
        std::uint16_t subsystem_vendor_id = 0;
        std::uint16_t subsystem_id = 0;
        std::uint64_t bar_size = 0x4000;  ///< of BAR 0 (64-bit memory), a power of two; BAR 4 holds the MSI-X structures
        unsigned msix_vectors = 2;
        timing::timing costs;
    };

    tlm_utils::simple_initiator_socket<pci_function> dma;

    pci_function(sc_core::sc_module_name name, trace::recorder& recorder, const config& parameters);

    // --- called by the host bridge
    std::uint32_t config_read(unsigned offset, unsigned size);
    void config_write(unsigned offset, unsigned size, std::uint32_t value);
    /// MMIO: \returns false when no enabled BAR of this function decodes `at`.
    bool memory_read(std::uint64_t at, unsigned size, std::uint64_t& value, sc_core::sc_time& delay);
    bool memory_write(std::uint64_t at, unsigned size, std::uint64_t value, sc_core::sc_time& delay);
    void assign(unsigned devfn);  ///< at elaboration, when it is put into a slot
    [[nodiscard]] unsigned devfn() const;

    // --- for the device: bus mastering. Each access is a transaction through the bridge's IOMMU and the SMF check; its cost is
    // added to `delay`. Without the command register's bus-master bit nothing is issued (bus_error).
    dma_status dma_read(abi::dma_addr from, std::span<std::byte> to, std::uint64_t request, sc_core::sc_time& delay);
    dma_status dma_write(abi::dma_addr to, std::span<const std::byte> from, std::uint64_t request, sc_core::sc_time& delay);
    /// True: bus addresses are guest physical addresses and the IOMMU is not consulted (virtio without ACCESS_PLATFORM).
    void set_iommu_bypass(bool bypass);
    [[nodiscard]] bool iommu_bypass() const;
    /// Raises an MSI-X vector: the table entry's message write, or its pending bit when it or the function is masked.
    void raise_msix(unsigned vector, sc_core::sc_time& delay);
    [[nodiscard]] bool msix_enabled() const;

protected:
    /// BAR 0 accesses; 1, 2, 4 or 8 bytes, little-endian values. Offsets that mean nothing read as zero.
    virtual std::uint64_t bar_read(std::uint64_t offset, unsigned size, sc_core::sc_time& delay) = 0;
    virtual void bar_write(std::uint64_t offset, unsigned size, std::uint64_t value, sc_core::sc_time& delay) = 0;
    /// Appends a capability with this id and body (after id and next pointer) to the list; \returns its offset.
    unsigned add_capability(std::uint8_t id, std::span<const std::byte> body);
    /// Lets a capability's bytes be written by the guest and be answered by the device (VIRTIO_PCI_CAP_PCI_CFG).
    virtual std::uint32_t capability_read(unsigned offset, unsigned size, std::uint32_t stored);
    virtual void capability_write(unsigned offset, unsigned size, std::uint32_t value);

    trace::recorder& recorder_;

private:
    // Completed by the owner of pci/.
};

}  // namespace pefsim::pci
