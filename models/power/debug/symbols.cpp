// SPDX-License-Identifier: Apache-2.0
#include "power/debug/symbols.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace pefsim::power::debug {

void symbol_table::add(std::uint64_t address, std::uint64_t size, std::string_view name) {
    entries_[address] = {size, std::string(name)};
}

symbol_at symbol_table::at(std::uint64_t ea) const {
    const auto behind = entries_.upper_bound(ea);
    if (behind == entries_.begin()) {
        return {};
    }
    const auto& [address, found] = *std::prev(behind);
    return found.size == 0 || ea - address < found.size ? symbol_at{found.name, ea - address} : symbol_at{};
}

std::optional<std::uint64_t> symbol_table::find(std::string_view name) const {
    const auto found = std::ranges::find(entries_, name, [](const auto& each) { return each.second.name; });
    return found == entries_.end() ? std::nullopt : std::optional(found->first);
}

symbol_at moved_symbols::at(std::uint64_t ea) const {
    const auto in = std::ranges::find_if(pieces_,
                                         [ea](const piece& each) { return ea - each.at < each.size; });
    if (in != pieces_.end()) {
        if (const symbol_at found = linked_->at(ea - in->at + in->linked); !found.name.empty()) {
            return found;
        }
    }
    return linked_->at(ea);
}

std::string text_of(const symbol_at& where) {
    return where.name.empty()  ? std::string()
           : where.offset == 0 ? std::string(where.name)
                               : fmt::format("{}+{:#x}", where.name, where.offset);
}

}  // namespace pefsim::power::debug
