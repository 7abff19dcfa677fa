// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trace/recorder.h"

namespace pefsim::trace {

/// A module in the tree that the dotted names of the signals' scopes span; order of first mention throughout.
struct hierarchy_node {
    std::string name;
    std::vector<std::uint32_t> signals;  ///< ids
    std::vector<hierarchy_node> modules;
};

/// The tree's root has no name.
hierarchy_node hierarchy_of(const std::vector<signal_declaration>& signals);

/// The name that a waveform gives the signal: with its bit range when it is wider than one bit.
std::string waveform_name(const signal_declaration& signal, std::string_view before_range = "");

}  // namespace pefsim::trace
