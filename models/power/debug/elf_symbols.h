// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "power/debug/symbols.h"
#include "power/elf_image.h"

namespace pefsim::power::debug {

/// The symbols of a program or kernel, which must outlive this; those of its segments, if it has any.
class elf_symbols final : public symbol_lookup {
public:
    explicit elf_symbols(const elf_image& image) : image_(image) {}
    [[nodiscard]] symbol_at at(std::uint64_t ea) const override;
    [[nodiscard]] std::optional<std::uint64_t> find(std::string_view name) const override;

private:
    const elf_image& image_;
};

/// Those of a program or kernel, which must outlive them, or kernel_symbols() where it has no others; null: none.
std::unique_ptr<symbol_lookup> symbols_of(const elf_image* program);

}  // namespace pefsim::power::debug
