// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "abi/address.h"
#include "abi/pci.h"

namespace pefsim::pci {

/// A message-signalled interrupt: a 32-bit write.
struct msi_message {
    abi::dma_addr address;
    std::uint32_t data = 0;
};

/// MSI-X table and pending bits of a function, as they stand in a BAR of their own: the table in its first half, the
/// pending bits in its second. PCI Local Bus Specification 3.0, 6.8.2 and 6.8.3.
///
/// A vector that is raised while it or the function is masked sets its pending bit; it is sent, once, when nothing
/// masks it any more. Accesses must be aligned and of 4 or 8 bytes.
class msix_vectors {
public:
    /// \param vectors 1 .. 2048
    explicit msix_vectors(unsigned vectors);

    /// Every entry masked and empty, nothing pending, MSI-X disabled (6.8.2.9, 6.8.2.7).
    void reset();

    [[nodiscard]] unsigned size() const { return static_cast<unsigned>(table_.size()); }
    [[nodiscard]] std::uint64_t bar_size() const { return bar_size_; }
    [[nodiscard]] std::uint32_t pending_bits_offset() const {
        return static_cast<std::uint32_t>(bar_size_ / 2);
    }

    [[nodiscard]] static bool valid_access(std::uint64_t offset, unsigned size) {
        return (size == 4 || size == 8) && offset % size == 0;
    }
    [[nodiscard]] std::uint64_t read(std::uint64_t offset, unsigned size) const;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);

    /// As firmware does for an operating system that leaves it to that: address and data of a vector.
    void set_message(unsigned vector, const msi_message& message);

    /// Message control of the capability: function mask and enable bit.
    void set_control(bool enabled, bool function_masked) {
        enabled_ = enabled;
        function_masked_ = function_masked;
    }
    [[nodiscard]] bool enabled() const { return enabled_; }

    /// \returns the message to send now, nothing when the vector became pending instead. Only while enabled.
    std::optional<msi_message> raise(unsigned vector);
    /// Takes a pending vector that nothing masks any more, lowest first; nothing when there is none.
    std::optional<msi_message> take_unmasked();

private:
    [[nodiscard]] std::uint32_t read_word(std::uint64_t offset) const;
    void write_word(std::uint64_t offset, std::uint32_t value);
    [[nodiscard]] bool masked(unsigned vector) const {
        return function_masked_ || (table_[vector].vector_control & abi::pci::msix_vector_masked) != 0;
    }
    [[nodiscard]] msi_message message(unsigned vector) const;

    std::vector<abi::pci::msix_table_entry> table_;
    std::vector<std::uint64_t> pending_;
    std::uint64_t bar_size_;
    bool enabled_ = false;
    bool function_masked_ = false;
};

}  // namespace pefsim::pci
