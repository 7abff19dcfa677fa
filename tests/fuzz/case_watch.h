// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace pefsim::fuzz {

/// A case that crashes or hangs names itself: from watch_for_crashes() on, a signal, a sanitizer's report or a case
/// that uses up its CPU time prints "failed: " and the command that plays the case again on standard error, and ends
/// the process.
void watch_for_crashes();

/// A case begins. \param command what plays it again  \param hang_seconds of CPU time that it may take
void begin_case(std::string_view command, int hang_seconds);

/// Prints the same line for a case that has failed in any other way.
void name_case();

}  // namespace pefsim::fuzz
