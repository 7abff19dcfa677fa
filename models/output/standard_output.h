// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace pefsim::output {

/// Standard output, where a write that fails is not forgotten, and a reader that does not read cannot keep a run from
/// ending when it is asked to (stop_request).
///
/// Lines reach a terminal at once, other readers in blocks. Nothing is written after the first failure.
namespace standard_output {

void write(std::string_view text);
/// What has been written so far is on its way.
void flush();
/// \throws write_error when something was not written
void check();

}  // namespace standard_output

/// One line on standard error; if that cannot be written, nobody will hear it.
void complain(std::string_view line);

/// Descriptors 0, 1 and 2 are open afterwards, so that no file of the run becomes a standard one: what the caller has
/// closed fails when it is used.
void occupy_standard_descriptors();

}  // namespace pefsim::output
