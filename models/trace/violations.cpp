// SPDX-License-Identifier: Apache-2.0
#include "trace/violations.h"

#include <numeric>
#include <utility>

namespace pefsim::trace {

namespace {

constexpr std::array<std::string_view, violation_kinds> kind_names{
    "refused_access",      "bad_address",     "iommu_fault",     "page_tampered", "call_refused",
    "virtqueue_malformed", "device_protocol", "driver_protocol", "dma_mapping",   "guest_terminated"};
static_assert(static_cast<std::size_t>(violation_kind::guest_terminated) + 1 == violation_kinds);

}  // namespace

std::string_view to_name(violation_kind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

void violation_log::report(violation what) {
    ++counts_[static_cast<std::size_t>(what.kind)];
    for (observer* by : observers_) {
        by->violated(what);
    }
    if (kept_.size() < capacity) {
        kept_.push_back(std::move(what));
    }
}

std::uint64_t violation_log::total() const {
    return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

}  // namespace pefsim::trace
