// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <fmt/format.h>
#include <optional>

#include "abi/address.h"
#include "interrupt/thread_context.h"
#include "interrupt/xive_controller.h"

namespace pefsim::interrupt {

/// A server's thread context, and how it shows.
struct xive_controller::context {
    context(trace::recorder& recorder, const char* scope, unsigned number)
        : server(number),
          pending_signal(recorder, scope, fmt::format("server{}_pending", number),
                         "pending priorities, 0 the highest bit"),
          cppr_signal(recorder, scope, fmt::format("server{}_cppr", number), "current processor priority"),
          line_signal(recorder, scope, fmt::format("server{}_line", number),
                      "external interrupt line of the CPU"),
          presented(recorder, scope, fmt::format("server{}_presented", number),
                    "the server is notified of an event") {}

    unsigned server;
    thread_context thread;
    std::optional<abi::phys_addr> reporting_line;

    trace::signal<std::uint8_t> pending_signal;
    trace::signal<std::uint8_t> cppr_signal;
    trace::signal<bool> line_signal;
    trace::event_signal presented;
};

}  // namespace pefsim::interrupt
