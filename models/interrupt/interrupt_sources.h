// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "abi/platform.h"

namespace pefsim::interrupt {

/// Priority that masks: a source's (never presented) and a server's MFRR (no inter-processor interrupt).
inline constexpr std::uint8_t masked_priority = 0xff;

/// One interrupt source of the platform (PAPR 2.8, chapter 6.11 and 7.3.10: the external interrupt vector entry, XIVE).
struct interrupt_source {
    std::uint32_t server = 0;
    std::uint8_t priority = masked_priority;
    std::uint8_t saved_priority = masked_priority;  ///< what ibm,int-on brings back
    bool level_sensitive = false;
    bool asserted = false;        ///< level: the line is active
    bool sent = false;            ///< level: handed to a server and not rejected, until its end of interrupt
    bool masked_pending = false;  ///< message: came while the source was masked
    bool rejected = false;        ///< message: a server gave it back; to be presented again
    std::uint64_t presented = 0;  ///< times it reached a server
};

/// The platform's sources by XICS number: message-signalled ones, then level-sensitive ones, then those of virtual
/// devices, which are like messages (abi/platform.h).
///
/// Keeps which of them have something to present again, so that looking for it costs a few words.
class interrupt_sources {
public:
    static constexpr std::uint32_t first = abi::platform::first_msi_source;
    static constexpr std::uint32_t count = abi::platform::source_end - first;

    /// As firmware leaves them: message n routed to server n mod `servers`, enabled; the others masked, server 0.
    explicit interrupt_sources(unsigned servers);

    /// \returns nullptr for a number that is no source
    interrupt_source* find(std::uint32_t number) {
        return number - first < count ? &sources_[number - first] : nullptr;
    }
    [[nodiscard]] const interrupt_source* find(std::uint32_t number) const {
        return number - first < count ? &sources_[number - first] : nullptr;
    }

    /// To be called after each change of a source: remembers whether it waits to be presented.
    void note(std::uint32_t number);
    /// The lowest-numbered source from `from` on that waits to be presented; 0 when there is none.
    [[nodiscard]] std::uint32_t waiting(std::uint32_t from) const;

private:
    std::vector<interrupt_source> sources_;
    std::array<std::uint64_t, (count + 63) / 64> waiting_{};
};

}  // namespace pefsim::interrupt
