// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "abi/platform.h"
#include "interrupt/event_state_buffer.h"
#include "interrupt/presented_counts.h"

namespace pefsim::interrupt {

/// Where a source's events go (XIVE's event assignment structure): to the event queue of a server and priority, with a
/// number of the guest's choice.
struct event_assignment {
    bool masked = true;  ///< events that the source lets through are dropped
    std::uint32_t server = 0;
    std::uint8_t priority = 0;
    std::uint32_t eisn = 0;  ///< effective interrupt source number, 31 bits
    friend bool operator==(const event_assignment&, const event_assignment&) = default;
};

/// One interrupt source by its LISN.
struct xive_source {
    source_kind kind = source_kind::message;
    event_state_buffer events;
    event_assignment goes_to;
    bool asserted = false;  ///< level: the wire is active

    /// An event. \returns whether it is let through
    bool trigger() { return events.trigger(); }
    /// \returns whether an event is let through: one that was held back, or that of a wire which is active still
    bool end_of_interrupt() {
        const bool held_back = events.end_of_interrupt();
        return retrigger() || held_back;
    }
    /// A level source does not hold events back, it asks the wire again. \returns whether that is an event
    bool retrigger() {
        return kind == source_kind::level && asserted && events.state() == event_state::reset &&
               events.trigger();
    }
};

/// XIVE's sources (abi/platform.h): the guest's for inter-processor interrupts, as many as servers, the host bridge's,
/// and those of virtual devices. At the begin all are off, masked, and have their LISN for EISN.
class xive_sources {
public:
    explicit xive_sources(unsigned servers);

    /// \returns nullptr for a number that is no source
    xive_source* find(std::uint64_t lisn) {
        const std::uint64_t place = place_of(lisn);
        return place < sources_.size() ? &sources_[place] : nullptr;
    }
    [[nodiscard]] const xive_source* find(std::uint64_t lisn) const {
        const std::uint64_t place = place_of(lisn);
        return place < sources_.size() ? &sources_[place] : nullptr;
    }
    /// As at the begin, but for the wires of level sources.
    void reset();

private:
    /// The sources stand without gaps: those of the servers first.
    [[nodiscard]] std::uint64_t place_of(std::uint64_t lisn) const {
        return lisn < servers_                           ? lisn
               : lisn >= abi::platform::first_msi_source ? servers_ + (lisn - abi::platform::first_msi_source)
                                                         : sources_.size();
    }
    [[nodiscard]] std::uint32_t lisn_of(std::uint32_t place) const {
        return place < servers_ ? place : abi::platform::first_msi_source + (place - servers_);
    }

    std::uint32_t servers_;
    std::vector<xive_source> sources_;
};

}  // namespace pefsim::interrupt
