// SPDX-License-Identifier: Apache-2.0
#include "cpu/interrupt_line.h"

#include <algorithm>

namespace pefsim::cpu {

interrupt_line::interrupt_line(trace::recorder& recorder, std::string_view scope)
    : level_(recorder, scope, "interrupt_line",
             "external interrupt input, as the interrupt controller drives it") {}

void interrupt_line::drive(bool asserted) {
    level_.set(asserted, sc_core::sc_time_stamp());
    if (asserted) {
        changed_.notify(sc_core::SC_ZERO_TIME);
    }
}

void interrupt_line::wake(const sc_core::sc_time& when) {
    wake_at_ = std::min(wake_at_.value_or(when), when);
    changed_.notify(sc_core::SC_ZERO_TIME);
}

void interrupt_line::wait_until_woken() {
    while (!wake_at_ || *wake_at_ > sc_core::sc_time_stamp()) {
        if (wake_at_) {
            sc_core::wait(*wake_at_ - sc_core::sc_time_stamp(), changed_);
        } else {
            sc_core::wait(changed_);
        }
    }
}

bool interrupt_line::wait_until_asserted() { return wait_until(std::nullopt); }

bool interrupt_line::wait_until_asserted(const sc_core::sc_time& at_most) {
    return wait_until(sc_core::sc_time_stamp() + at_most);
}

bool interrupt_line::wait_until(const std::optional<sc_core::sc_time>& end) {
    while (!asserted()) {
        const sc_core::sc_time now = sc_core::sc_time_stamp();
        if (wake_at_ && *wake_at_ <= now) {
            return false;
        }
        if (end && *end <= now) {
            return true;
        }
        const std::optional<sc_core::sc_time> next = end && wake_at_ ? std::min(*end, *wake_at_)
                                                     : end           ? end
                                                                     : wake_at_;
        if (next) {
            sc_core::wait(*next - now, changed_);
        } else {
            sc_core::wait(changed_);
        }
    }
    return true;
}

}  // namespace pefsim::cpu
