// SPDX-License-Identifier: Apache-2.0
#include "power/debug/symbols.h"

#include <fmt/format.h>

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

std::string text_of(const symbol_at& where) {
    return where.name.empty()  ? std::string()
           : where.offset == 0 ? std::string(where.name)
                               : fmt::format("{}+{:#x}", where.name, where.offset);
}

}  // namespace pefsim::power::debug
