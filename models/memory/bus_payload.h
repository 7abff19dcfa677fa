// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <tlm>

#include "memory/bus_attributes.h"

namespace pefsim::memory {

/// A payload for the memory bus with its attributes in one object, for an initiator that uses the same one again and
/// again. (A TLM payload frees the extensions that it still holds when it dies; these are not on the heap.)
struct bus_payload {
    bus_payload() { transaction.set_extension(&attributes); }
    ~bus_payload() { transaction.clear_extension(&attributes); }
    bus_payload(const bus_payload&) = delete;
    bus_payload& operator=(const bus_payload&) = delete;

    /// Makes it a transaction of `size` bytes at `at` that has not been answered.
    void prepare(tlm::tlm_command command, std::uint64_t at, void* data, std::size_t size) {
        transaction.set_command(command);
        transaction.set_address(at);
        transaction.set_data_ptr(static_cast<unsigned char*>(data));
        transaction.set_data_length(static_cast<unsigned>(size));
        transaction.set_streaming_width(static_cast<unsigned>(size));
        transaction.set_dmi_allowed(false);
        transaction.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    }

    bus_attributes attributes;
    tlm::tlm_generic_payload transaction;
};

}  // namespace pefsim::memory
