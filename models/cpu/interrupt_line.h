// SPDX-License-Identifier: Apache-2.0
#pragma once

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
    /// Ends a wait that is under way at that time, whatever the line's level.
    void wake(const sc_core::sc_time& when) { woken_.notify(when - sc_core::sc_time_stamp()); }
    /// Waits, in the calling thread, until the line is asserted. \returns false when it was woken before
    bool wait_until_asserted();
    /// The same, for at most `at_most`. \returns false when it was woken before either
    bool wait_until_asserted(const sc_core::sc_time& at_most);

private:
    trace::signal<bool> level_;
    sc_core::sc_event rise_;
    sc_core::sc_event woken_;
};

}  // namespace pefsim::cpu
