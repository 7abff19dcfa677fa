// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
    /// Where the symbol `name` begins.
    [[nodiscard]] virtual std::optional<std::uint64_t> find(std::string_view name) const = 0;
};

/// Knows none.
class no_symbols final : public symbol_lookup {
public:
    [[nodiscard]] symbol_at at(std::uint64_t /*ea*/) const override { return {}; }
    [[nodiscard]] std::optional<std::uint64_t> find(std::string_view /*name*/) const override { return {}; }
};

/// Those that it has been told. Names are kept.
class symbol_table final : public symbol_lookup {
public:
    /// Replaces what begins at the same address. \param size in bytes; 0: as far as the next one
    void add(std::uint64_t address, std::uint64_t size, std::string_view name);
    [[nodiscard]] symbol_at at(std::uint64_t ea) const override;
    [[nodiscard]] std::optional<std::uint64_t> find(std::string_view name) const override;

private:
    struct entry {
        std::uint64_t size = 0;
        std::string name;
    };
    std::map<std::uint64_t, entry> entries_;
};

/// Of code that runs where its symbols do not say: a program that was loaded elsewhere, a kernel before it has moved.
class moved_symbols final : public symbol_lookup {
public:
    /// `size` bytes from `at` on are what the symbols have from `linked` on.
    struct piece {
        std::uint64_t at = 0;
        std::uint64_t size = 0;
        std::uint64_t linked = 0;
    };
    /// An address is looked for in the first piece that has it, and if that gives nothing, as it is.
    moved_symbols(std::unique_ptr<symbol_lookup> linked, std::vector<piece> pieces)
        : linked_(std::move(linked)),
          pieces_(std::move(pieces)) {}
    [[nodiscard]] symbol_at at(std::uint64_t ea) const override;
    /// As the symbols have it.
    [[nodiscard]] std::optional<std::uint64_t> find(std::string_view name) const override {
        return linked_->find(name);
    }

private:
    std::unique_ptr<symbol_lookup> linked_;
    std::vector<piece> pieces_;
};

/// "name", "name+0x10", or nothing.
std::string text_of(const symbol_at& where);

}  // namespace pefsim::power::debug
