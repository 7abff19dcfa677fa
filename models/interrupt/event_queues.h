// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <systemc>
#include <vector>

#include "abi/address.h"
#include "interrupt/controller_writes.h"
#include "interrupt/event_state_buffer.h"
#include "interrupt/presented_counts.h"

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

/// All event queues, and how an entry comes into guest memory.
class event_queues {
public:
    static constexpr unsigned priorities = 8;

    event_queues(controller_writes& memory, unsigned servers)
        : memory_(memory),
          queues_(std::size_t{servers} * priorities) {}

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
    controller_writes& memory_;
    std::vector<event_queue> queues_;
};

}  // namespace pefsim::interrupt
