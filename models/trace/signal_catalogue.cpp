// SPDX-License-Identifier: Apache-2.0
#include "trace/signal_catalogue.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "trace/signal_groups.h"

namespace pefsim::trace {

namespace {

constexpr std::array<std::string_view, 5> type_names{"bit", "unsigned", "address", "text", "event"};
static_assert(static_cast<std::size_t>(signal_type::event) + 1 == type_names.size());

std::string type_text(const signal_declaration& s) {
    return s.width <= 1 ? std::string(to_name(s.type)) : fmt::format("{} {}", to_name(s.type), s.width);
}

}  // namespace

std::string_view to_name(signal_type type) { return type_names[static_cast<std::size_t>(type)]; }

std::string signal_catalogue(const recorder& of) {
    std::size_t widest = 0;
    for (const signal_declaration& s : of.signals()) {
        widest = std::max(widest, s.scope.size() + 1 + s.name.size());
    }
    std::string result;
    for (const grouped_signals& group : signal_groups(of)) {
        result += fmt::format("{}{}\n", result.empty() ? "" : "\n", group.title);
        for (const std::uint32_t id : group.signals) {
            const signal_declaration& s = of.signals()[id];
            result += fmt::format("  {:<{}}  {:<11}  {}\n", s.scope + '.' + s.name, widest, type_text(s),
                                  s.description);
        }
    }
    return result;
}

}  // namespace pefsim::trace
