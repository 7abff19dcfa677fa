// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "abi/platform.h"

/// The DMA window to all of memory that firmware hands over with a function, for a guest that asks for none: the
/// function's dynamic window (PAPR 2.8, 7.4.3.3), as one that an earlier kernel has left, which Linux takes over
/// (linux,direct64-ddr-window-info). The guest sets its TCEs, page n of the window to page n of memory.
namespace pefsim::abi::direct_window {

/// What a guest physical address has added on the bus.
inline constexpr std::uint64_t base = platform::dynamic_window_base.value();
/// 16 MiB, the largest pages that there are.
inline constexpr unsigned page_shift = 24;
inline constexpr std::uint64_t page_size = std::uint64_t{1} << page_shift;
inline constexpr std::uint64_t liobn_of(unsigned devfn) { return platform::dynamic_liobn_of(devfn); }

}  // namespace pefsim::abi::direct_window
