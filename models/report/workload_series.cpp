// SPDX-License-Identifier: Apache-2.0
#include "report/workload_series.h"

#include <algorithm>

#include "report/metrics.h"

namespace pefsim::report {

void workload_series::begin(const sc_core::sc_time& when) {
    begin_ = when;
    length_ = shortest_share;
    shares_.clear();
}

void workload_series::add(const journey& done) {
    const sc_core::sc_time end = done.end();
    if (end < begin_) {
        return;
    }
    const std::uint64_t since = (end - begin_).value();
    while (since / length_ >= most_shares) {
        join_pairs();
    }
    const auto place = static_cast<std::size_t>(since / length_);
    if (place >= shares_.size()) {
        shares_.resize(place + 1);
    }
    share& into = shares_[place];
    ++into.requests;
    into.bytes += done.bytes;
    into.latency += done.total();
    into.pool_used = std::max(into.pool_used, pool_ == nullptr ? 0 : pool_->value());
}

void workload_series::join_pairs() {
    length_ *= 2;
    for (std::size_t i = 0; i < shares_.size(); ++i) {
        const share from = shares_[i];
        share& to = shares_[i / 2];
        if (i % 2 == 0) {
            to = from;
        } else {
            to.requests += from.requests;
            to.bytes += from.bytes;
            to.latency += from.latency;
            to.pool_used = std::max(to.pool_used, from.pool_used);
        }
    }
    shares_.resize((shares_.size() + 1) / 2);
}

}  // namespace pefsim::report
