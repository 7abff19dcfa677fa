// SPDX-License-Identifier: Apache-2.0
#include "cpu/local_time.h"

#include "output/stop_request.h"

namespace pefsim::cpu {

local_time::local_time(const sc_core::sc_time& quantum)
    : quantum_(quantum),
      left_(quantum),
      meeting_point_(quantum.value()) {}

void local_time::catch_up() {
    if (ahead_ == sc_core::SC_ZERO_TIME) {
        return;
    }
    if (output::stop_request::made() != 0) [[unlikely]] {
        sc_core::sc_stop();
    }
    sc_core::wait(ahead_);
    ahead_ = sc_core::SC_ZERO_TIME;
    resume();
}

void local_time::resume() {
    if (quantum_ == sc_core::SC_ZERO_TIME) {
        return;
    }
    const auto now = sc_core::sc_time_stamp().value();
    if (now >= meeting_point_) {
        meeting_point_ = (now / quantum_.value() + 1) * quantum_.value();
    }
    left_ = sc_core::sc_time::from_value(meeting_point_ - now);
}

}  // namespace pefsim::cpu
