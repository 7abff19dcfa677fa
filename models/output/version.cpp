// SPDX-License-Identifier: Apache-2.0
#include "output/version.h"

namespace pefsim::output {

std::string_view version() { return PEFSIM_VERSION; }

}  // namespace pefsim::output
