// SPDX-License-Identifier: Apache-2.0
#include "interrupt/event_queues.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>

#include "abi/xive.h"

namespace pefsim::interrupt {

event_queues::event_queues(tlm::tlm_initiator_socket<>& bus, unsigned servers, std::uint16_t initiator,
                           const sc_core::sc_time& write_cost)
    : bus_(bus),
      write_cost_(write_cost),
      queues_(std::size_t{servers} * priorities) {
    payload_.attributes.who = memory::world::hypervisor;
    payload_.attributes.writer.initiator = initiator;
}

bool event_queues::push(event_queue& to, std::uint32_t eisn, sc_core::sc_time& delay) {
    std::uint32_t entry = boost::endian::native_to_big((to.generation ? abi::xive::entry_generation : 0) |
                                                       (eisn & abi::xive::eisn_mask));
    delay += write_cost_;
    payload_.prepare(tlm::TLM_WRITE_COMMAND, to.at.value() + std::uint64_t{to.next} * sizeof entry, &entry,
                     sizeof entry);
    bus_->b_transport(payload_.transaction, delay);
    if (!payload_.transaction.is_response_ok()) {
        return false;
    }
    to.next = (to.next + 1) % to.entries();
    to.generation = to.generation != (to.next == 0);
    return true;
}

void event_queues::reset() { std::ranges::fill(queues_, event_queue{}); }

}  // namespace pefsim::interrupt
