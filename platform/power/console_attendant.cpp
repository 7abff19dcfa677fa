// SPDX-License-Identifier: Apache-2.0
#include "platform/power/console_attendant.h"

namespace pefsim::platform {

using std::chrono::milliseconds;

/// How far simulated time is ahead of the user's.
milliseconds console_attendant::ahead(const sc_core::sc_time& now) {
    const clock::time_point present = clock::now();
    const milliseconds simulated(
        static_cast<std::int64_t>((now - simulated_) / sc_core::sc_time(1, sc_core::SC_MS)));
    const auto passed = std::chrono::floor<milliseconds>(present - passed_);
    if (simulated > passed && terminal_.untaken() == 0) {
        return simulated - passed;
    }
    simulated_ = now;
    passed_ = present;
    return milliseconds(0);
}

std::optional<report::run_ending> console_attendant::look(const sc_core::sc_time& now) {
    const guest_console::input found = console_.look(ahead(now));
    if (found.end) {
        return report::run_ending{report::ending_kind::interrupted, "the user ended the run at its console"};
    }
    terminal_.type(found.typed);
    return std::nullopt;
}

}  // namespace pefsim::platform
