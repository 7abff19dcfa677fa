// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <systemc>

#include "hypervisor/virtual_terminal.h"
#include "platform/power/guest_console.h"
#include "report/run_ending.h"

namespace pefsim::platform {

/// Brings what a user types to a guest that runs, and keeps simulated time from running ahead of the user's: a guest
/// that idles takes as long as it says. Time that the simulation has lost is not made up for, and a guest that has not
/// taken yet what was typed does not wait.
class console_attendant {
public:
    /// Both outlive it.
    console_attendant(guest_console& console, hypervisor::virtual_terminal& terminal)
        : console_(console),
          terminal_(terminal) {}

    /// Called now and then, with simulated time. \returns how the run ends, if the user wants it to
    std::optional<report::run_ending> look(const sc_core::sc_time& now);

private:
    using clock = std::chrono::steady_clock;
    [[nodiscard]] std::chrono::milliseconds ahead(const sc_core::sc_time& now);

    guest_console& console_;
    hypervisor::virtual_terminal& terminal_;
    sc_core::sc_time simulated_;  // these two are the same moment
    clock::time_point passed_ = clock::now();
};

}  // namespace pefsim::platform
