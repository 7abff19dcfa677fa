// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemc>

namespace pefsim::dma_ops {

/// Linux's default for rate-limited messages (DEFAULT_RATELIMIT_*): ten in five seconds of simulated time.
class rate_limit {
public:
    /// True when a message may go out at `now`.
    bool allows(const sc_core::sc_time& now) {
        static constexpr unsigned burst = 10;
        if (printed_ == 0 || now >= window_end_) {
            window_end_ = now + sc_core::sc_time(5, sc_core::SC_SEC);
            printed_ = 0;
        }
        return printed_ < burst && ++printed_ != 0;
    }

private:
    sc_core::sc_time window_end_;
    unsigned printed_ = 0;
};

}  // namespace pefsim::dma_ops
