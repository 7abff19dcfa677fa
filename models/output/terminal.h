// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// What text for people may look like where it goes.
namespace pefsim::output {

/// Columns of a line that goes to `descriptor`: as many as its terminal has, from 80 to 120, or 100 when it is none (or
/// does not say), so that what is kept in files does not depend on where it was made.
std::size_t columns_of(int descriptor);

/// Whether colours are shown there: by a terminal, unless NO_COLOR (no-color.org) is in the environment with any
/// content, or TERM is "dumb".
bool takes_colour(int descriptor);

}  // namespace pefsim::output
