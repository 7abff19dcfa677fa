// SPDX-License-Identifier: Apache-2.0
#include "trace/signal_hierarchy.h"

#include <algorithm>
#include <fmt/format.h>

namespace pefsim::trace {

namespace {

hierarchy_node& module_of(hierarchy_node& root, std::string_view scope) {
    hierarchy_node* at = &root;
    while (!scope.empty()) {
        const std::size_t dot = scope.find('.');
        const std::string_view name = scope.substr(0, dot);
        scope = dot == std::string_view::npos ? std::string_view{} : scope.substr(dot + 1);
        auto found = std::ranges::find(at->modules, name, &hierarchy_node::name);
        if (found == at->modules.end()) {
            at->modules.push_back({std::string(name), {}, {}});
            found = at->modules.end() - 1;
        }
        at = &*found;
    }
    return *at;
}

}  // namespace

hierarchy_node hierarchy_of(const std::vector<signal_declaration>& signals) {
    hierarchy_node root;
    for (std::uint32_t id = 0; id < signals.size(); ++id) {
        module_of(root, signals[id].scope).signals.push_back(id);
    }
    return root;
}

std::string waveform_name(const signal_declaration& signal, std::string_view before_range) {
    if (signal.type == signal_type::text || signal.width <= 1) {
        return signal.name;
    }
    return fmt::format("{}{}[{}:0]", signal.name, before_range, signal.width - 1);
}

}  // namespace pefsim::trace
