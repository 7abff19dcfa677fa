// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>
#include <utility>
#include <vector>

#include "cpu/traps.h"

namespace pefsim::interrupt {

/// A CPU's interrupt input that remembers each change and its time.
class recorded_line : public cpu::interrupt_line_if {
public:
    void external_interrupt(bool asserted) override {
        level = asserted;
        changes.emplace_back(sc_core::sc_time_stamp(), asserted);
    }

    bool level = false;
    std::vector<std::pair<sc_core::sc_time, bool>> changes;
};

}  // namespace pefsim::interrupt
