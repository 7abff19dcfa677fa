// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <systemc>

#include "platform/machine.h"

namespace pefsim::platform {

/// "direct_block: 42 %, 12.3 ms simulated, 1,234 requests, 61.7 k requests/s, 2 min left". Share and time left where
/// the end is known; the rate is that of the host's clock.
/// \param seconds since the run began, by the host's clock
std::string progress_line(const std::string& label, const sc_core::sc_time& simulated,
                          const machine::progress& how_far, double seconds);

/// A line on a terminal that tells how far a long run has come; nothing when standard error is no terminal, or when the
/// run is over within a second.
class progress {
public:
    progress(bool quiet, std::string label);
    void update(const machine& running);
    void clear();

private:
    using clock = std::chrono::steady_clock;

    bool enabled_;
    std::string label_;
    clock::time_point begin_ = clock::now();
    clock::time_point next_;
    bool drawn_ = false;
};

}  // namespace pefsim::platform
