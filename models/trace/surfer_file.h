// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "trace/initial_view.h"
#include "trace/recorder.h"

namespace pefsim::trace {

/// Surfer's command file beside a trace: "run.sucl" beside "run.fst".
std::filesystem::path surfer_file_beside(const std::filesystem::path& trace_file);

/// The text of a command file for Surfer: it loads the trace and shows what the GTKWave save file shows
/// (trace/save_file.h), groups and modules as dividers, markers, and the part that is shown at first.
///
/// It names the trace by its file name only, to be opened in its directory: `surfer -c run.sucl`.
std::string surfer_command_file(const recorder& of, const std::filesystem::path& trace_file,
                                const initial_view& view);

}  // namespace pefsim::trace
