// SPDX-License-Identifier: Apache-2.0
#include "power/debug/symbol_list.h"

namespace pefsim::power::debug {

void symbol_list::add(std::uint64_t address, char type, std::string_view name) {
    if (std::string_view("AaUwN").find(type) != std::string_view::npos) {
        return;
    }
    const bool global_code = type == 'T' || type == 'W';
    const auto [at, is_new] = places_.try_emplace(address);
    if (is_new || (global_code && !at->second.global_code)) {
        at->second = {.global_code = global_code, .name = std::string(name)};
    }
}

std::unique_ptr<symbol_lookup> symbol_list::table() const {
    constexpr std::uint64_t reach = 0x1'0000;
    auto symbols = std::make_unique<symbol_table>();
    for (const auto& [address, each] : places_) {
        const bool last = address == places_.rbegin()->first;
        symbols->add(address, last ? reach - address % reach : 0, each.name);
    }
    return symbols;
}

}  // namespace pefsim::power::debug
