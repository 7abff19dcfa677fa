// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <systemc>
#include <tlm>

#include "abi/address.h"
#include "exposure/attribution.h"
#include "memory/bus_payload.h"
#include "timing/timing.h"

namespace pefsim::hypervisor {

/// The host's own accesses to guest memory: transactions on the bus, world hypervisor. An access costs
/// timing::memory_access and its bytes at timing::memcpy.
class guest_memory {
public:
    /// \param initiator who the host is to the exposure ledger
    guest_memory(tlm::tlm_initiator_socket<>& bus, const timing::timing& costs, std::uint16_t initiator);

    /// \returns false when the bus refuses
    bool read(abi::phys_addr from, std::span<std::byte> to, sc_core::sc_time& delay);
    bool write(abi::phys_addr to, std::span<const std::byte> from, sc_core::sc_time& delay);

    [[nodiscard]] const exposure::attribution& writer() const { return payload_.attributes.writer; }

private:
    bool access(tlm::tlm_command command, abi::phys_addr at, std::byte* data, std::size_t size,
                sc_core::sc_time& delay);

    tlm::tlm_initiator_socket<>& bus_;
    memory::bus_payload payload_;
    sc_core::sc_time access_cost_;
    double ticks_per_byte_;
};

}  // namespace pefsim::hypervisor
