// SPDX-License-Identifier: Apache-2.0
#include "cpu/interrupt_line.h"

namespace pefsim::cpu {

interrupt_line::interrupt_line(trace::recorder& recorder, std::string_view scope)
    : level_(recorder, scope, "interrupt_line",
             "external interrupt input, as the interrupt controller drives it") {}

void interrupt_line::drive(bool asserted) {
    level_.set(asserted, sc_core::sc_time_stamp());
    if (asserted) {
        rise_.notify(sc_core::SC_ZERO_TIME);
    }
}

bool interrupt_line::wait_until_asserted() {
    while (!asserted()) {
        sc_core::wait(rise_ | woken_);
        if (woken_.triggered()) {
            return false;
        }
    }
    return true;
}

bool interrupt_line::wait_until_asserted(const sc_core::sc_time& at_most) {
    const sc_core::sc_time end = sc_core::sc_time_stamp() + at_most;
    while (!asserted() && sc_core::sc_time_stamp() < end) {
        sc_core::wait(end - sc_core::sc_time_stamp(), rise_ | woken_);
        if (woken_.triggered()) {
            return false;
        }
    }
    return true;
}

}  // namespace pefsim::cpu
