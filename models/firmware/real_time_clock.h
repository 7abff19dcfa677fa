// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <systemc>

namespace pefsim::firmware {

/// The time of day, in UTC: a date at which simulation begins, and simulated time since. The host's clock has no part
/// in it: two runs read the same.
class real_time_clock {
public:
    using instant = std::chrono::sys_time<std::chrono::nanoseconds>;

    explicit real_time_clock(instant begin) : begin_(begin) {}

    [[nodiscard]] instant at(const sc_core::sc_time& now) const { return begin_ + since_begin(now); }
    /// It is `what` at simulated time `now`.
    void set(instant what, const sc_core::sc_time& now) { begin_ = what - since_begin(now); }

private:
    static std::chrono::nanoseconds since_begin(const sc_core::sc_time& now) {
        return std::chrono::nanoseconds(
            now / sc_core::sc_time(1, sc_core::SC_NS) < 0
                ? 0
                : static_cast<std::int64_t>(now / sc_core::sc_time(1, sc_core::SC_NS)));
    }
    instant begin_;
};

}  // namespace pefsim::firmware
