// SPDX-License-Identifier: Apache-2.0
#include "report/scope_group.h"

namespace pefsim::report {

namespace {

bool covers(std::string_view group, std::string_view scope) {
    return scope.starts_with(group) && (scope.size() == group.size() || scope[group.size()] == '.');
}

}  // namespace

std::size_t group_of(std::span<const scope_group> groups, std::string_view scope) {
    std::size_t best = groups.size();
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const std::string& candidate = groups[i].scope;
        if (covers(candidate, scope) &&
            (best == groups.size() || candidate.size() > groups[best].scope.size())) {
            best = i;
        }
    }
    return best;
}

}  // namespace pefsim::report
