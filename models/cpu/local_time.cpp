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

bool local_time::undisturbed() const {
    return ahead_ == sc_core::SC_ZERO_TIME ||
           sc_core::sc_time_to_pending_activity(sc_core::sc_get_curr_simcontext()) > ahead_;
}

void local_time::resume() {
    waited_until_ = sc_core::sc_time_stamp();
    if (quantum_ == sc_core::SC_ZERO_TIME) {
        return;
    }
    const auto now = waited_until_.value();
    if (now >= meeting_point_) {
        meeting_point_ = (now / quantum_.value() + 1) * quantum_.value();
    }
    left_ = sc_core::sc_time::from_value(meeting_point_ - now);
}

}  // namespace pefsim::cpu
