// SPDX-License-Identifier: Apache-2.0
#include "power/debug/elf_symbols.h"

namespace pefsim::power::debug {

symbol_at elf_symbols::at(std::uint64_t ea) const {
    const std::optional<elf_image::location> found = image_.find(ea - offset_);
    return found ? symbol_at{found->of->name, found->offset} : symbol_at{};
}

}  // namespace pefsim::power::debug
