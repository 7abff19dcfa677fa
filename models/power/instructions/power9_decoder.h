// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "power/engine/decoder.h"

namespace pefsim::power::isa {

/// The instructions of a POWER9, for a core to execute.
const power::decoder& power9_decoder();

}  // namespace pefsim::power::isa
