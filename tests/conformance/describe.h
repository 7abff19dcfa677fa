// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/conformance/known_differences.h"

namespace pefsim::conformance {

/// A difference for readers: the instruction, the operands it reads, and every register that differs.
std::string describe(const sample& of);

}  // namespace pefsim::conformance
