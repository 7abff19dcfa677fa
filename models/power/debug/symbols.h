// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace pefsim::power::debug {

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

/// Those that it has been told. Names are kept.
class symbol_table final : public symbol_lookup {
public:
    /// \param size in bytes; 0: as far as the next one
    void add(std::uint64_t address, std::uint64_t size, std::string_view name);
    [[nodiscard]] symbol_at at(std::uint64_t ea) const override;

private:
    struct entry {
        std::uint64_t size = 0;
        std::string name;
    };
    std::map<std::uint64_t, entry> entries_;
};

/// "name", "name+0x10", or nothing.
std::string text_of(const symbol_at& where);

}  // namespace pefsim::power::debug
