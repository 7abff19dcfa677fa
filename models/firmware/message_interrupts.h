// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>

#include "abi/pci.h"
#include "abi/platform.h"

namespace pefsim::firmware {

/// Which of the host bridge's message-signalled sources belong to which function: contiguous, as ibm,change-msi gives
/// them out.
class message_interrupts {
public:
    struct range {
        std::uint32_t first = 0;  ///< source number
        unsigned count = 0;       ///< 0: the function has none
    };

    [[nodiscard]] const range& of(unsigned devfn) const { return ranges_.at(devfn); }
    /// How many assign() has for this function at most: in one piece, of its own or nobody's.
    [[nodiscard]] unsigned available(unsigned devfn) const;
    /// Gives back what the function has, and takes `count` in one piece. \returns false, and it has what it had, when
    /// there are not that many
    bool assign(unsigned devfn, unsigned count);

private:
    static constexpr unsigned sources = abi::platform::msi_source_count;

    using taken_sources = std::bitset<sources>;

    [[nodiscard]] std::optional<unsigned> find_free(unsigned count) const;
    static void mark(taken_sources& in, const range& which, bool taken);

    taken_sources taken_;
    std::array<range, abi::pci::functions_per_bus> ranges_{};
};

}  // namespace pefsim::firmware
