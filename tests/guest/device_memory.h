// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <span>
#include <systemc>
#include <tlm_utils/simple_initiator_socket.h>

#include "abi/address.h"
#include "memory/bus_payload.h"
#include "memory/memory_bus.h"

namespace pefsim::testing {

/// Guest memory as a device sees it whose bus addresses are guest physical addresses.
struct device_memory : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<device_memory> socket{"socket"};

    device_memory(const sc_core::sc_module_name& name, memory::memory_bus& bus) : sc_module(name) {
        socket.bind(bus.initiators);
        payload_.attributes.who = memory::world::device;
    }

    /// \returns whether the bus allowed it
    bool access(tlm::tlm_command command, std::uint64_t at, void* data, std::size_t size) {
        sc_core::sc_time delay;
        payload_.prepare(command, at, data, size);
        socket->b_transport(payload_.transaction, delay);
        return payload_.transaction.is_response_ok();
    }
    template <class T>
    T load(std::uint64_t at) {
        T value{};
        access(tlm::TLM_READ_COMMAND, at, &value, sizeof value);
        return value;
    }
    template <class T>
    void store(std::uint64_t at, T value) {
        access(tlm::TLM_WRITE_COMMAND, at, &value, sizeof value);
    }
    std::vector<std::byte> read(std::uint64_t at, std::size_t size) {
        std::vector<std::byte> bytes(size);
        access(tlm::TLM_READ_COMMAND, at, bytes.data(), size);
        return bytes;
    }
    void write(std::uint64_t at, std::span<const std::byte> bytes) {
        std::vector<std::byte> copy(bytes.begin(), bytes.end());
        access(tlm::TLM_WRITE_COMMAND, at, copy.data(), copy.size());
    }

private:
    memory::bus_payload payload_;
};

}  // namespace pefsim::testing
