// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trace/recorder.h"

namespace pefsim::trace {

/// A group with what belongs to it, in order of declaration.
struct grouped_signals {
    std::string scope;
    std::string title;
    bool folded;
    std::vector<std::uint32_t> signals;  ///< ids
};

/// All signals of the recorder, each in one group, in the order in which they are shown (see
/// recorder::group()). Groups without signals are left out; the recorder's own (violations) come last.
std::vector<grouped_signals> signal_groups(const recorder& of);

}  // namespace pefsim::trace
