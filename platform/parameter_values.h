// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "platform/parameter_set.h"
#include "report/run_report.h"

namespace pefsim::platform {

/// The values of those parameters that are numbers: sizes in bytes, times in ns, yes and no as 1 and 0, others in the
/// unit that their row names. What is no single number is left out.
std::vector<report::report_header::quantity> parameter_values(const parameter_set& parameters);

}  // namespace pefsim::platform
