// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "abi/pci.h"

namespace pefsim::pci {

/// The 256 bytes of a function's configuration space with, for each bit, whether software can change it, and the list
/// of its capabilities. PCI Local Bus Specification 3.0, 6.1 and 6.7. Nothing here runs: pci_function gives it its
/// meaning.
///
/// A BAR's size is its writable bits: all-ones written to it read back as the mask of the size (6.2.5.1).
class config_space {
public:
    struct capability {
        unsigned offset;
        unsigned size;  ///< with id and next pointer
        std::uint8_t id;
        [[nodiscard]] bool covers(unsigned at) const { return at - offset < size; }
    };

    /// Value of `size` bytes (1, 2 or 4); zero beyond byte 255, where no extended capability stands.
    [[nodiscard]] std::uint32_t load(unsigned offset, unsigned size) const;
    /// What software writes: changes the writable bits only.
    void write(unsigned offset, unsigned size, std::uint32_t value);
    /// What the function itself sets, and which bits software may change.
    void set(unsigned offset, unsigned size, std::uint32_t value);
    void set_writable(unsigned offset, unsigned size, std::uint32_t mask);

    /// Everything has been set up: reset() goes back to what stands here now.
    void remember() { after_reset_ = bytes_; }
    void reset() { bytes_ = after_reset_; }

    /// A memory BAR of 64 bits in registers `bar` and `bar + 1`. \param size bytes, a power of two of at least 16
    void add_memory_bar(unsigned bar, std::uint64_t size);
    /// Base address that software has given it.
    [[nodiscard]] std::uint64_t bar_address(unsigned bar) const;

    /// Appends to the list. \returns the capability's offset
    /// \throws std::logic_error when the 192 bytes are used up
    unsigned add_capability(std::uint8_t id, std::span<const std::byte> body);
    [[nodiscard]] const std::vector<capability>& capabilities() const { return capabilities_; }
    /// The capability that covers this byte; nullptr when none does.
    [[nodiscard]] const capability* capability_at(unsigned offset) const;

private:
    std::array<std::uint8_t, abi::pci::compatible_size> bytes_{};
    std::array<std::uint8_t, abi::pci::compatible_size> writable_{};
    std::array<std::uint8_t, abi::pci::compatible_size> after_reset_{};
    std::vector<capability> capabilities_;
    unsigned free_ = abi::pci::header_size;
};

}  // namespace pefsim::pci
