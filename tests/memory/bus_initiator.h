// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <utility>
#include <vector>

#include "abi/address.h"
#include "exposure/ledger.h"
#include "memory/bus_attributes.h"
#include "memory/memory_bus.h"
#include "trace/recorder.h"

namespace pefsim::testing {

/// Whoever a test wants on the memory bus: makes accesses in any world, holds no DMI pointer, counts invalidations.
class bus_initiator : public sc_core::sc_module {
public:
    struct invalidation {
        std::uint64_t first;
        std::uint64_t last;
    };

    tlm_utils::simple_initiator_socket<bus_initiator> socket{"socket"};
    memory::bus_attributes attributes;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    std::vector<invalidation> invalidations;

    bus_initiator(const sc_core::sc_module_name& name, trace::recorder& recorder, memory::memory_bus& bus,
                  memory::world who, bool secure = false)
        : sc_module(name) {
        attributes.who = who;
        attributes.secure = secure;
        attributes.writer.initiator = recorder.ledger().name_initiator(this->name());
        socket.register_invalidate_direct_mem_ptr(this, &bus_initiator::invalidate);
        socket.bind(bus.initiators);
    }

    tlm::tlm_response_status write(abi::phys_addr at, std::span<const std::byte> data) {
        return transport(tlm::TLM_WRITE_COMMAND, at, const_cast<std::byte*>(data.data()), data.size());
    }
    tlm::tlm_response_status read(abi::phys_addr at, std::span<std::byte> data) {
        return transport(tlm::TLM_READ_COMMAND, at, data.data(), data.size());
    }
    tlm::tlm_response_status write(abi::phys_addr at, std::uint64_t value) {
        return write(at, std::as_bytes(std::span(&value, 1)));
    }
    tlm::tlm_response_status read(abi::phys_addr at, std::uint64_t& value) {
        return read(at, std::as_writable_bytes(std::span(&value, 1)));
    }
    tlm::tlm_response_status fetch(abi::phys_addr at) {
        std::uint64_t instruction = 0;
        attributes.fetch = true;
        const auto response = read(at, instruction);
        attributes.fetch = false;
        return response;
    }

    bool dmi(tlm::tlm_command command, abi::phys_addr at, tlm::tlm_dmi& grant) {
        tlm::tlm_generic_payload payload;
        payload.set_command(command);
        payload.set_address(at.value());
        payload.set_extension(&attributes);
        const bool granted = socket->get_direct_mem_ptr(payload, grant);
        payload.clear_extension(&attributes);
        return granted;
    }

    unsigned debug(tlm::tlm_command command, abi::phys_addr at, std::span<std::byte> data,
                   bool with_attributes = true) {
        tlm::tlm_generic_payload payload;
        fill(payload, command, at, data.data(), data.size());
        if (with_attributes) {
            payload.set_extension(&attributes);
        }
        const unsigned moved = socket->transport_dbg(payload);
        payload.clear_extension(&attributes);
        return moved;
    }

    tlm::tlm_response_status transport(tlm::tlm_command command, abi::phys_addr at, std::byte* data,
                                       std::size_t size) {
        tlm::tlm_generic_payload payload;
        fill(payload, command, at, data, size);
        payload.set_extension(&attributes);
        socket->b_transport(payload, delay);
        payload.clear_extension(&attributes);
        return payload.get_response_status();
    }

    static void fill(tlm::tlm_generic_payload& payload, tlm::tlm_command command, abi::phys_addr at,
                     std::byte* data, std::size_t size) {
        payload.set_command(command);
        payload.set_address(at.value());
        payload.set_data_ptr(reinterpret_cast<unsigned char*>(data));
        payload.set_data_length(static_cast<unsigned>(size));
        payload.set_streaming_width(static_cast<unsigned>(size));
    }

private:
    void invalidate(sc_dt::uint64 first, sc_dt::uint64 last) { invalidations.push_back({first, last}); }
};

}  // namespace pefsim::testing
