// SPDX-License-Identifier: Apache-2.0
#include "platform/verdict.h"

#include <algorithm>

namespace pefsim::platform {

bool verdict::shown() const { return !points_.empty() && std::ranges::all_of(points_, &point::shown); }

}  // namespace pefsim::platform
