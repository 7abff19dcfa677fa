// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "report/journeys.h"

namespace pefsim::report {

/// The body of the report's section: for each kind of request its parts, and what has not come to its end.
std::string anatomy_text(const journey_log& journeys, std::size_t columns);

}  // namespace pefsim::report
