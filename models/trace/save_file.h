// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "trace/initial_view.h"
#include "trace/recorder.h"

namespace pefsim::trace {

/// The text of a GTKWave save file: the signals that a request's journey touches, then all signals, a group per title
/// (trace/signal_groups.h) with a comment line per module, addresses in hexadecimal, counts in decimal, enumerations
/// by name; the tree of modules opened. A group in which nothing has changed is folded.
///
/// It names the trace by its file name only, so that equal runs in different directories make equal files and the two
/// files may be moved together.
std::string gtkwave_save_file(const recorder& of, const std::filesystem::path& trace_file,
                              const initial_view& view);

}  // namespace pefsim::trace
