// SPDX-License-Identifier: Apache-2.0
#include "power/debug/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace pefsim::power::debug {

std::uint64_t coverage::total() const {
    return std::accumulate(rows_.begin(), rows_.end(), std::uint64_t{0});
}

std::size_t coverage::rows_covered() const {
    return static_cast<std::size_t>(
        std::count_if(rows_.begin(), rows_.end() - 1, [](std::uint64_t count) { return count != 0; }));
}

std::vector<coverage::class_count> coverage::by_class() const {
    std::vector<class_count> classes(static_cast<std::size_t>(isa::instruction_class::reserved_nop) + 1);
    for (std::size_t i = 0; i < classes.size(); ++i) {
        classes[i].kind = static_cast<isa::instruction_class>(i);
    }
    for (std::size_t row = 0; row < isa::instructions().size(); ++row) {
        class_count& of = classes[static_cast<std::size_t>(isa::instructions()[row].kind)];
        of.executed += rows_[row];
        ++of.rows;
        of.rows_covered += rows_[row] != 0 ? 1 : 0;
    }
    return classes;
}

std::string coverage::table(bool missing) const {
    std::vector<class_count> classes = by_class();
    std::ranges::stable_sort(classes, std::greater<>(), &class_count::executed);
    const double all = static_cast<double>(std::max<std::uint64_t>(total(), 1));
    std::string out = fmt::format("{:<14} {:>14} {:>7} {:>9}\n", "class", "executed", "share", "rows");
    for (const class_count& each : classes) {
        out += fmt::format("{:<14} {:>14} {:>6.2f}% {:>4}/{:<4}\n", isa::name_of(each.kind), each.executed,
                           100 * static_cast<double>(each.executed) / all, each.rows_covered, each.rows);
    }
    out += fmt::format("{:<14} {:>14} {:>7} {:>4}/{:<4}\n", "all", total(), "", rows_covered(),
                       rows_.size() - 1);
    if (undefined() != 0) {
        out += fmt::format("{:<14} {:>14}\n", "undefined", undefined());
    }
    if (missing) {
        for (std::size_t row = 0; row < isa::instructions().size(); ++row) {
            if (rows_[row] == 0) {
                out += fmt::format("never executed: {}\n", isa::instructions()[row].mnemonic);
            }
        }
    }
    return out;
}

}  // namespace pefsim::power::debug
