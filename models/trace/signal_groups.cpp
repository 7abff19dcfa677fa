// SPDX-License-Identifier: Apache-2.0
#include "trace/signal_groups.h"

#include <algorithm>

namespace pefsim::trace {

namespace {

bool covers(std::string_view group, std::string_view scope) {
    return scope.starts_with(group) && (scope.size() == group.size() || scope[group.size()] == '.');
}

}  // namespace

std::size_t group_of(const recorder& of, std::string_view scope) {
    std::size_t best = of.groups().size();
    for (std::size_t i = 0; i < of.groups().size(); ++i) {
        const std::string& candidate = of.groups()[i].scope;
        if (covers(candidate, scope) &&
            (best == of.groups().size() || candidate.size() > of.groups()[best].scope.size())) {
            best = i;
        }
    }
    return best;
}

std::vector<grouped_signals> signal_groups(const recorder& of) {
    std::vector<grouped_signals> result;
    for (const signal_group& g : of.groups()) {
        result.push_back({g.scope, g.title, g.folded, {}});
    }
    grouped_signals own{std::string(recorder::violation_scope), "Violations", false, {}};
    for (std::uint32_t id = 0; id < of.signals().size(); ++id) {
        const std::string& scope = of.signals()[id].scope;
        const std::size_t group = group_of(of, scope);
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
