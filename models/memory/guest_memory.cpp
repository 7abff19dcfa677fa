// SPDX-License-Identifier: Apache-2.0
#include "memory/guest_memory.h"

namespace pefsim::memory {

using sc_core::sc_time;

guest_memory::guest_memory(bus_port& bus, world who, const timing::timing& costs, std::uint16_t initiator)
    : bus_(bus),
      access_cost_(costs.memory_access_ns, sc_core::SC_NS),
      ticks_per_byte_(sc_time(1, sc_core::SC_NS) / sc_core::sc_get_time_resolution() /
                      costs.memcpy_gb_per_s) {
    payload_.attributes.who = who;
    payload_.attributes.secure = who == world::ultravisor;
    payload_.attributes.writer.initiator = initiator;
}

bool guest_memory::read(abi::phys_addr from, std::span<std::byte> to, sc_time& delay) {
    return access(tlm::TLM_READ_COMMAND, from, to.data(), to.size(), delay);
}

bool guest_memory::write(abi::phys_addr to, std::span<const std::byte> from, sc_time& delay) {
    // A payload's data pointer is not const; a target of a write only reads through it.
    return access(tlm::TLM_WRITE_COMMAND, to, const_cast<std::byte*>(from.data()), from.size(), delay);
}

bool guest_memory::access(tlm::tlm_command command, abi::phys_addr at, std::byte* data, std::size_t size,
                          sc_time& delay) {
    if (bus_.size() == 0) {
        return false;
    }
    delay += access_cost_ + sc_time::from_value(static_cast<sc_time::value_type>(static_cast<double>(size) *
                                                                                 ticks_per_byte_));
    payload_.prepare(command, at.value(), data, size);
    bus_->b_transport(payload_.transaction, delay);
    return payload_.transaction.is_response_ok();
}

}  // namespace pefsim::memory
