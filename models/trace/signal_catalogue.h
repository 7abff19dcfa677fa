// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "trace/recorder.h"

namespace pefsim::trace {

std::string_view to_name(signal_type type);

/// All declared signals for people, a paragraph per group in the order of the save file: full name, type with
/// width, description.
std::string signal_catalogue(const recorder& of);

}  // namespace pefsim::trace
