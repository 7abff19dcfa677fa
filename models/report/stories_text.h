// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "report/run_report.h"

namespace pefsim::report {

/// The section of the text report that tells the stories of watched pages, alone; empty where none is watched.
std::string stories_text(const run_record& of, const run_facts& facts, std::size_t columns = report_columns);

}  // namespace pefsim::report
