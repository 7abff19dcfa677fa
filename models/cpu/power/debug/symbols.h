// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pefsim::cpu::power::debug {

/// A guest symbol, and how far behind its beginning an address lies.
struct symbol_at {
    std::string_view name;  ///< empty: no symbol covers the address
    std::uint64_t offset = 0;
};

/// Names of guest addresses.
class symbol_lookup {
public:
    virtual ~symbol_lookup() = default;
    /// What `ea` belongs to. The name stays valid as long as the look-up.
    [[nodiscard]] virtual symbol_at at(std::uint64_t ea) const = 0;
};

/// Knows none.
class no_symbols final : public symbol_lookup {
public:
    [[nodiscard]] symbol_at at(std::uint64_t /*ea*/) const override { return {}; }
};

/// "name", "name+0x10", or nothing.
std::string text_of(const symbol_at& where);

}  // namespace pefsim::cpu::power::debug
