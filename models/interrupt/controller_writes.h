// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <systemc>
#include <tlm>

#include "abi/address.h"
#include "memory/bus_payload.h"

namespace pefsim::interrupt {

/// How XIVE writes guest memory: on the memory bus, in the controller's own name and the host's world, so that a page
/// that the host cannot reach is refused there, and reported. A write costs timing::memory_access.
class controller_writes {
public:
    /// \param initiator who writes, to the exposure ledger
    controller_writes(tlm::tlm_initiator_socket<>& bus, std::uint16_t initiator, const sc_core::sc_time& cost)
        : bus_(bus),
          cost_(cost) {
        payload_.attributes.who = memory::world::hypervisor;
        payload_.attributes.writer.initiator = initiator;
    }

    /// \returns false when the bus refuses it
    bool write(abi::phys_addr at, void* bytes, std::size_t size, sc_core::sc_time& delay) {
        delay += cost_;
        payload_.prepare(tlm::TLM_WRITE_COMMAND, at.value(), bytes, size);
        bus_->b_transport(payload_.transaction, delay);
        return payload_.transaction.is_response_ok();
    }

private:
    tlm::tlm_initiator_socket<>& bus_;
    memory::bus_payload payload_;
    sc_core::sc_time cost_;
};

}  // namespace pefsim::interrupt
