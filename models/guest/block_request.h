// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <systemc>

#include "cpu/native/native_cpu.h"
#include "guest/callback.h"
#include "guest/split_virtqueue.h"

namespace pefsim::guest {

using cpu::native::native_cpu;

enum class block_operation : std::uint8_t { read, write, flush, get_id };
inline constexpr std::array<std::string_view, 4> block_operation_names{"read", "write", "flush", "get_id"};
constexpr std::string_view to_name(block_operation operation) {
    return block_operation_names[static_cast<std::size_t>(operation)];
}

/// How a request ended.
enum class block_status : std::uint8_t {
    ok,
    io_error,
    unsupported,
    out_of_range,   ///< beyond the capacity; the device has not seen it
    read_only,      ///< a write to a read-only disk; the device has not seen it
    no_memory,      ///< no memory for the header, or no DMA mapping within the timeout
    device_failed,  ///< the device was given up
};
inline constexpr std::array<std::string_view, 7> block_status_names{
    "ok", "io_error", "unsupported", "out_of_range", "read_only", "no_memory", "device_failed"};
constexpr std::string_view to_name(block_status status) {
    return block_status_names[static_cast<std::size_t>(status)];
}

/// What the driver did last, for the trace.
enum class block_request_state : std::uint8_t {
    idle,
    submitted,
    requeued,
    available,
    notified,
    used,
    completed
};
constexpr std::string_view to_name(block_request_state state) {
    switch (state) {
    case block_request_state::idle:
        return "idle";
    case block_request_state::submitted:
        return "submitted";
    case block_request_state::requeued:
        return "requeued";
    case block_request_state::available:
        return "available";
    case block_request_state::notified:
        return "notified";
    case block_request_state::used:
        return "used";
    case block_request_state::completed:
        return "completed";
    }
    return "?";
}

struct block_request {
    block_operation operation = block_operation::read;
    std::uint64_t sector = 0;         ///< of 512 bytes
    std::span<const segment> data{};  ///< guest memory; empty for a flush
};

struct block_completion {
    std::uint64_t number = 0;
    block_operation operation = block_operation::read;
    block_status status = block_status::ok;
    std::uint64_t bytes = 0;     ///< of data
    sc_core::sc_time latency{};  ///< from submit() to completion
    [[nodiscard]] bool ok() const { return status == block_status::ok; }
};

using block_callback = callback<void(native_cpu&, const block_completion&)>;

}  // namespace pefsim::guest
