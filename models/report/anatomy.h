// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "report/durations.h"
#include "report/journey.h"

namespace pefsim::report {

/// Where the time of all requests of one kind to one device has gone.
class kind_anatomy {
public:
    kind_anatomy(std::string of_device, std::string_view of_kind)
        : device(std::move(of_device)),
          kind(of_kind) {}

    std::string device;
    std::string_view kind;
    durations total{};
    std::array<durations, journey_parts> parts{};  ///< of those that were seen
    journey first{};
    journey slowest{};  ///< the first of the slowest

    void add(const journey& done);

private:
    sc_core::sc_time slowest_total_;
};

}  // namespace pefsim::report
