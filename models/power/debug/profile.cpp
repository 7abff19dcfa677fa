// SPDX-License-Identifier: Apache-2.0
#include "power/debug/profile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace pefsim::power::debug {

profile::profile(std::uint64_t period) : period_(period) {
    if (period == 0) {
        throw std::invalid_argument("the period of a profile is 0 instructions; at least 1 is needed");
    }
}

void profile::happened(std::string_view what, std::span<const chain_step> chain) {
    auto found = events_.find(what);
    if (found == events_.end()) {
        found = events_.emplace(what, call_tree()).first;
    }
    found->second.add(chain);
}

std::unordered_map<std::string, std::uint64_t> profile::by_symbol(const symbol_lookup& symbols) const {
    std::unordered_map<std::string, std::uint64_t> sums;
    for (const auto& [nip, count] : samples_) {
        const symbol_at where = symbols.at(nip);
        sums[where.name.empty() ? unnamed_place(nip) : std::string(where.name)] += count;
    }
    return sums;
}

std::string profile::table(const symbol_lookup& symbols, std::size_t most) const {
    const auto sums = by_symbol(symbols);
    std::vector<std::pair<std::string, std::uint64_t>> lines(sums.begin(), sums.end());
    std::ranges::sort(lines, [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    std::string out = fmt::format("{} samples, one each {} instructions\n", samples(), period_);
    for (const auto& [name, count] : lines) {
        if (most-- == 0) {
            break;
        }
        out += fmt::format("{:>7.2f}% {:>10}  {}\n",
                           100.0 * static_cast<double>(count) / static_cast<double>(samples()), count, name);
    }
    return out;
}

std::string profile::collapsed(const symbol_lookup& symbols) const {
    std::string out;
    for (const named_stack& each : stacks_.by_function(symbols)) {
        out += fmt::format("{} {}\n", fmt::join(each.functions, ";"), each.count);
    }
    return out;
}

}  // namespace pefsim::power::debug
