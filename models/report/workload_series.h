// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <systemc>
#include <vector>

#include "report/journey.h"

namespace pefsim::report {

class level;

/// What was done when, from the workload's begin on: requests that ended, their bytes and latency, and how full the
/// pool of bounce buffers was. In shares of equal length, as many as fit into `most_shares`: when the run goes on
/// beyond the last, two become one.
class workload_series {
public:
    static constexpr std::size_t most_shares = 512;
    static constexpr std::uint64_t shortest_share = 100'000;  // in units of SystemC's time resolution

    struct share {
        std::uint64_t requests = 0;
        std::uint64_t bytes = 0;      ///< of their buffers
        sc_core::sc_time latency;     ///< of all of them together
        std::uint64_t pool_used = 0;  ///< slots, the most at any request's end
    };

    /// What was before is forgotten.
    void begin(const sc_core::sc_time& when);
    /// The level whose value is pool_used; it outlives the series.
    void watch_pool(const level& slots) { pool_ = &slots; }
    void add(const journey& done);

    [[nodiscard]] sc_core::sc_time begun() const { return begin_; }
    [[nodiscard]] sc_core::sc_time length_of_share() const { return sc_core::sc_time::from_value(length_); }
    /// As far as something ended in them, or in a later one.
    [[nodiscard]] const std::vector<share>& shares() const { return shares_; }

private:
    void join_pairs();

    sc_core::sc_time begin_;
    std::uint64_t length_ = shortest_share;
    std::vector<share> shares_;
    const level* pool_ = nullptr;
};

}  // namespace pefsim::report
