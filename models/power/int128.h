// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Integers of 128 bits: the compiler's, which standard C++ has no name for.
namespace pefsim::power {

__extension__ using int128 = __int128;
__extension__ using uint128 = unsigned __int128;

}  // namespace pefsim::power
