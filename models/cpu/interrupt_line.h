// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <systemc>

#include "cpu/traps.h"
#include "trace/recorder.h"
#include "trace/signal.h"

namespace pefsim::cpu {

/// The external interrupt input of a CPU: a level, and what wakes a CPU that idles. Signal `interrupt_line`.
class interrupt_line {
public:
    interrupt_line(trace::recorder& recorder, std::string_view scope);

    void drive(bool asserted);
    [[nodiscard]] bool asserted() const { return level_.value(); }
    /// The CPU idles from now on: what woke it before is forgotten.
    void begin_idling() { wake_at_.reset(); }
    /// Ends the CPU's idling at that time, whatever the line's level; also when it does not wait yet, because
    /// simulation time has to catch up with its own first.
    void wake(const sc_core::sc_time& when);
    /// Waits, in the calling thread, until wake(), whatever the line's level.
    void wait_until_woken();
    /// Waits, in the calling thread, until the line is asserted. \returns false when it was woken before
    bool wait_until_asserted();
    /// The same, for at most `at_most`. \returns false when it was woken before either
    bool wait_until_asserted(const sc_core::sc_time& at_most);

private:
    bool wait_until(const std::optional<sc_core::sc_time>& end);

    trace::signal<bool> level_;
    std::optional<sc_core::sc_time> wake_at_;
    sc_core::sc_event changed_;  // the line has risen, or there is a wake
};

}  // namespace pefsim::cpu
