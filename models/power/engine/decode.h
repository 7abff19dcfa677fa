// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "power/engine/op.h"

namespace pefsim::power {

/// The op of an instruction word; one that raises the architected interrupt when the word is undefined.
/// \param index of the word in its small page
op decode(std::uint32_t word, unsigned index);

}  // namespace pefsim::power
