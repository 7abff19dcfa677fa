// SPDX-License-Identifier: Apache-2.0
#include "power/debug/call_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <utility>

#include "power/engine/tlb.h"

namespace pefsim::power::debug {
namespace {

constexpr std::string_view unknown = "[unknown]";

}  // namespace

std::string unnamed_place(std::uint64_t ea) { return fmt::format("[{:#x}]", ea & small_page_mask); }

void call_tree::add(std::span<const chain_step> chain, std::uint64_t count) {
    total_ += count;
    std::uint32_t at = 0;
    for (const chain_step step : std::views::reverse(chain)) {
        if (const auto known = inner_.find({at, step.key()}); known != inner_.end()) {
            at = known->second;
        } else if (nodes_.size() < most_nodes) {
            const auto made = static_cast<std::uint32_t>(nodes_.size());
            inner_.emplace(edge{at, step.key()}, made);
            nodes_.push_back({.parent = at, .step = step});
            at = made;
        } else {
            shortened_ += count;
            break;
        }
    }
    nodes_[at].count += count;
}

std::vector<std::string> call_tree::names(std::uint32_t innermost, const symbol_lookup& symbols) const {
    std::vector<std::string> functions;
    for (std::uint32_t at = innermost; at != 0; at = nodes_[at].parent) {
        const chain_step step = nodes_[at].step;
        std::string name(symbols.at(step.ea()).name);
        if (name.empty()) {
            name = functions.empty() ? unnamed_place(step.ea()) : std::string(unknown);
        }
        std::ranges::replace(name, ';', ':');
        const bool repeats = !functions.empty() && name == functions.back() &&
                             (step.from_lr() || name == unknown);
        if (!repeats) {
            functions.push_back(std::move(name));
        }
    }
    std::ranges::reverse(functions);
    return functions;
}

std::vector<named_stack> call_tree::by_function(const symbol_lookup& symbols) const {
    std::map<std::vector<std::string>, std::uint64_t> sums;
    for (std::uint32_t at = 1; at < nodes_.size(); ++at) {
        if (nodes_[at].count != 0) {
            sums[names(at, symbols)] += nodes_[at].count;
        }
    }
    std::vector<named_stack> stacks;
    for (auto& [functions, count] : sums) {
        stacks.push_back({functions, count});
    }
    return stacks;
}

}  // namespace pefsim::power::debug
