// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace pefsim::platform {

class machine;

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
    clock::time_point next_;
    bool drawn_ = false;
};

}  // namespace pefsim::platform
