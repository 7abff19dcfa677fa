// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>
#include <tlm>
#include <vector>

#include "abi/address.h"
#include "interrupt/event_state_buffer.h"
#include "interrupt/presented_counts.h"
#include "memory/bus_payload.h"

namespace pefsim::interrupt {

/// An event queue of XIVE (event notification descriptor, END), one for each server and priority: entries of 4 bytes in
/// guest memory (abi/xive.h), written in a circle.
struct event_queue {
    abi::phys_addr at{};
    unsigned size_shift = 0;     ///< log2 of its bytes; 0: there is no queue
    std::uint32_t next = 0;      ///< index of the next entry to be written
    bool generation = true;      ///< of the next entry; turns with each wrap
    bool always_notify = false;  ///< otherwise `notifications` coalesces
    event_state_buffer notifications{};
    source_kind latest = source_kind::message;  ///< of the latest entry's source

    [[nodiscard]] bool enabled() const { return size_shift != 0; }
    [[nodiscard]] std::uint32_t entries() const { return std::uint32_t{1} << (size_shift - 2); }
};

/// All event queues, and how an entry comes into guest memory: a write on the memory bus, in the controller's own name
/// and the host's world, so that a page that the host cannot reach is refused there, and reported. A write costs
/// timing::memory_access.
class event_queues {
public:
    static constexpr unsigned priorities = 8;

    /// \param initiator who writes, to the exposure ledger
    event_queues(tlm::tlm_initiator_socket<>& bus, unsigned servers, std::uint16_t initiator,
                 const sc_core::sc_time& write_cost);

    /// \returns nullptr when there is no such server or priority
    event_queue* find(std::uint64_t server, std::uint64_t priority) {
        return priority < priorities && server < queues_.size() / priorities
                   ? &queues_[server * priorities + priority]
                   : nullptr;
    }
    /// Writes an entry. \returns false when the bus refuses it; the queue is then as it was
    bool push(event_queue& to, std::uint32_t eisn, sc_core::sc_time& delay);
    /// There are no queues then.
    void reset();

private:
    tlm::tlm_initiator_socket<>& bus_;
    memory::bus_payload payload_;
    sc_core::sc_time write_cost_;
    std::vector<event_queue> queues_;
};

}  // namespace pefsim::interrupt
