// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace pefsim::report {

/// Signals and metrics that belong together for a reader: those of a module and of the modules below it.
struct scope_group {
    std::string scope;
    std::string title;
    bool folded = false;  ///< the viewer shows its title only, until it is opened
};

/// Index of the group that covers `scope`, the one with the longest scope if there are several; groups.size() when
/// there is none.
std::size_t group_of(std::span<const scope_group> groups, std::string_view scope);

}  // namespace pefsim::report
