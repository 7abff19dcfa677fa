// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace pefsim::trace {

/// Looks whether a waveform can be written to `file`, and leaves it as it was: what a long run should know before it
/// begins.
/// \throws std::invalid_argument naming the file when it cannot be written, when its ending is neither .vcd nor .fst,
///         or when it is .fst and the FST writer was not there at build time
void check_trace_file(const std::filesystem::path& file);

}  // namespace pefsim::trace
