// SPDX-License-Identifier: Apache-2.0
#include "cpu/local_time.h"

#include "output/stop_request.h"

namespace pefsim::cpu {

local_time::local_time(const sc_core::sc_time& quantum)
    : quantum_(quantum),
      left_(quantum),
      meeting_point_(quantum) {}

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
    waited_until_ = timing::simulation_time();
    if (quantum_ == sc_core::SC_ZERO_TIME) {
        return;
    }
    if (waited_until_ >= meeting_point_) {
        const auto quanta = waited_until_.value() / quantum_.value() + 1;
        meeting_point_ = sc_core::sc_time::from_value(quanta * quantum_.value());
    }
    left_ = meeting_point_ - waited_until_;
}

}  // namespace pefsim::cpu
