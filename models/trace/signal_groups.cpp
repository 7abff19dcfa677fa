// SPDX-License-Identifier: Apache-2.0
#include "trace/signal_groups.h"
#include "report/scope_group.h"

#include <algorithm>

namespace pefsim::trace {

std::vector<grouped_signals> signal_groups(const recorder& of) {
    std::vector<grouped_signals> result;
    for (const report::scope_group& g : of.groups()) {
        result.push_back({g.scope, g.title, g.folded, {}});
    }
    grouped_signals own{std::string(recorder::violation_scope), "Violations", false, {}};
    for (std::uint32_t id = 0; id < of.signals().size(); ++id) {
        const std::string& scope = of.signals()[id].scope;
        const std::size_t group = report::group_of(of.groups(), scope);
        if (group != of.groups().size()) {
            result[group].signals.push_back(id);
        } else if (scope == own.scope) {
            own.signals.push_back(id);
        } else {
            const auto first = result.begin() + static_cast<std::ptrdiff_t>(of.groups().size());
            auto found = std::find_if(first, result.end(),
                                      [&](const grouped_signals& g) { return g.scope == scope; });
            if (found == result.end()) {
                result.push_back({scope, scope, false, {}});
                found = result.end() - 1;
            }
            found->signals.push_back(id);
        }
    }
    result.push_back(std::move(own));
    std::erase_if(result, [](const grouped_signals& g) { return g.signals.empty(); });
    return result;
}

}  // namespace pefsim::trace
