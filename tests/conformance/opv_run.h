// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/conformance/opv_test.h"

namespace pefsim::opv {

/// Runs `that` on a core of its own, instruction by instruction, and compares what each instruction writes and the
/// final state; then once more at one go, and again with translated code, and compares the final state. \returns what
/// differs first, with the line of the file; empty: the test passed.
///
/// Compared are architected bits: of XER not those that the ISA reserves, which IBM's model keeps for another operating
/// system; not the decrementer, which runs. Registers that the core has not are a difference, so that nothing passes
/// unseen.
std::string difference(const test& that);

}  // namespace pefsim::opv
