// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace pefsim::abi {

/// An address of one address space; addresses of different spaces do not convert into each other.
template <class Space>
class address {
public:
    constexpr address() = default;
    constexpr explicit address(std::uint64_t value) : value_(value) {}

    [[nodiscard]] constexpr std::uint64_t value() const { return value_; }

    friend constexpr auto operator<=>(address, address) = default;
    friend constexpr address operator+(address base, std::uint64_t offset) {
        return address{base.value_ + offset};
    }
    friend constexpr address operator-(address base, std::uint64_t offset) {
        return address{base.value_ - offset};
    }
    /// Bytes from `from` to `to`.
    friend constexpr std::uint64_t operator-(address to, address from) { return to.value_ - from.value_; }

private:
    std::uint64_t value_ = 0;
};

/// Guest physical address (the Power ISA's guest real address): what the guest's kernel and the memory bus use.
using phys_addr = address<struct guest_physical_space>;
/// Address on the PCI bus, as a device issues it; the host bridge's IOMMU turns it into a phys_addr.
using dma_addr = address<struct pci_bus_space>;
/// Effective address of the Power ISA, before the guest's own translation.
using effective_addr = address<struct effective_space>;

/// Pages as the Ultravisor manages and shares them: 64 KiB (SVM_PAGESIZE).
inline constexpr unsigned page_shift = 16;
inline constexpr std::uint64_t page_size = std::uint64_t{1} << page_shift;

/// Guest frame number: guest physical address in units of 64 KiB.
using gfn = std::uint64_t;
constexpr gfn gfn_of(phys_addr at) { return at.value() >> page_shift; }
constexpr phys_addr page_base(gfn frame) { return phys_addr{frame << page_shift}; }
constexpr std::uint64_t page_offset(phys_addr at) { return at.value() & (page_size - 1); }

/// Real-address bit 15 (big-endian numbering): set in the real address of a secure frame (SMF).
inline constexpr std::uint64_t secure_memory_bit = std::uint64_t{1} << (63 - 15);

}  // namespace pefsim::abi
