// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <systemc>
#include <tlm>

#include "abi/address.h"
#include "exposure/attribution.h"
#include "memory/bus_attributes.h"
#include "memory/bus_payload.h"
#include "timing/timing.h"

namespace pefsim::memory {

/// A supervisor's own accesses to guest memory (hypervisor, Ultravisor): transactions on the bus in its name. An access
/// costs timing::memory_access and its bytes at timing::memcpy.
class guest_memory {
public:
    using bus_port = sc_core::sc_port_b<tlm::tlm_fw_transport_if<>>;

    /// \param bus of the supervisor's initiator socket; one that is not bound reaches nothing
    /// \param initiator who it is to the exposure ledger
    guest_memory(bus_port& bus, world who, const timing::timing& costs, std::uint16_t initiator);

    /// \returns false when the bus refuses
    bool read(abi::phys_addr from, std::span<std::byte> to, sc_core::sc_time& delay);
    bool write(abi::phys_addr to, std::span<const std::byte> from, sc_core::sc_time& delay);

    [[nodiscard]] const exposure::attribution& writer() const { return payload_.attributes.writer; }
    /// From now on what is written is `of`'s to the exposure ledger: it is handed on for somebody else.
    void write_for(const exposure::attribution& of) { payload_.attributes.writer = of; }

private:
    bool access(tlm::tlm_command command, abi::phys_addr at, std::byte* data, std::size_t size,
                sc_core::sc_time& delay);

    bus_port& bus_;
    bus_payload payload_;
    sc_core::sc_time access_cost_;
    double ticks_per_byte_;
};

}  // namespace pefsim::memory
