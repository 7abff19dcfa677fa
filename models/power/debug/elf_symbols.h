// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "power/debug/symbols.h"
#include "power/elf_image.h"

namespace pefsim::power::debug {

/// The symbols of a program or kernel, which must outlive this.
class elf_symbols final : public symbol_lookup {
public:
    /// \param offset of where it was loaded to where it says it stands
    explicit elf_symbols(const elf_image& image, std::uint64_t offset = 0) : image_(image), offset_(offset) {}
    [[nodiscard]] symbol_at at(std::uint64_t ea) const override;

private:
    const elf_image& image_;
    std::uint64_t offset_;
};

}  // namespace pefsim::power::debug
