// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "power/debug/symbols.h"

namespace pefsim::power::debug {

/// Symbols without sizes, each with a letter for what it is, as nm(1) has them and as Linux lists its own.
///
/// What is absolute or undefined (A, U, w, N) is no place. Of several names for one address the first stays, global
/// code (T, W) before others. A symbol reaches as far as the next one, the last one to the end of its 64 KiB.
class symbol_list {
public:
    void add(std::uint64_t address, char type, std::string_view name);
    [[nodiscard]] bool empty() const { return places_.empty(); }
    /// All begin at 0.
    [[nodiscard]] bool without_addresses() const { return !empty() && places_.rbegin()->first == 0; }
    [[nodiscard]] std::unique_ptr<symbol_lookup> table() const;

private:
    struct place {
        bool global_code = false;
        std::string name;
    };
    std::map<std::uint64_t, place> places_;
};

}  // namespace pefsim::power::debug
