// SPDX-License-Identifier: Apache-2.0
#include "power/debug/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <vector>

#include "power/engine/tlb.h"

namespace pefsim::power::debug {

profile::profile(std::uint64_t period) : period_(period) {
    if (period == 0) {
        throw std::invalid_argument("the period of a profile is 0 instructions; at least 1 is needed");
    }
}

std::unordered_map<std::string, std::uint64_t> profile::by_symbol(const symbol_lookup& symbols) const {
    std::unordered_map<std::string, std::uint64_t> sums;
    for (const auto& [nip, count] : samples_) {
        const symbol_at where = symbols.at(nip);
        sums[where.name.empty() ? fmt::format("[{:#x}]", nip & small_page_mask) : std::string(where.name)] +=
            count;
    }
    return sums;
}

std::string profile::table(const symbol_lookup& symbols, std::size_t most) const {
    const auto sums = by_symbol(symbols);
    std::vector<std::pair<std::string, std::uint64_t>> lines(sums.begin(), sums.end());
    std::ranges::sort(lines, [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    std::string out = fmt::format("{} samples, one each {} instructions\n", total_, period_);
    for (const auto& [name, count] : lines) {
        if (most-- == 0) {
            break;
        }
        out += fmt::format("{:>7.2f}% {:>10}  {}\n",
                           100.0 * static_cast<double>(count) / static_cast<double>(total_), count, name);
    }
    return out;
}

std::string profile::folded(const symbol_lookup& symbols) const {
    const auto sums = by_symbol(symbols);
    std::string out;
    for (const auto& [name, count] : std::map(sums.begin(), sums.end())) {
        out += fmt::format("{} {}\n", name, count);
    }
    return out;
}

}  // namespace pefsim::power::debug
