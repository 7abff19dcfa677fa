// SPDX-License-Identifier: Apache-2.0
#include "interrupt/event_queues.h"

#include <algorithm>
#include <boost/endian/conversion.hpp>

#include "abi/xive.h"

namespace pefsim::interrupt {

bool event_queues::push(event_queue& to, std::uint32_t eisn, sc_core::sc_time& delay) {
    std::uint32_t entry = boost::endian::native_to_big((to.generation ? abi::xive::entry_generation : 0) |
                                                       (eisn & abi::xive::eisn_mask));
    const abi::phys_addr at = to.at + std::uint64_t{to.next} * sizeof entry;
    if (!memory_.write(at, &entry, sizeof entry, delay)) {
        return false;
    }
    to.next = (to.next + 1) % to.entries();
    to.generation = to.generation != (to.next == 0);
    return true;
}

void event_queues::reset() { std::ranges::fill(queues_, event_queue{}); }

}  // namespace pefsim::interrupt
