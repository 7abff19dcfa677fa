// SPDX-License-Identifier: Apache-2.0
#include "power/debug/elf_symbols.h"

#include <algorithm>

#include "power/debug/kernel_symbols.h"

namespace pefsim::power::debug {

symbol_at elf_symbols::at(std::uint64_t ea) const {
    const auto segments = image_.segments();
    const bool outside = !segments.empty() &&
                         std::ranges::none_of(segments, [ea](const elf_image::segment& each) {
                             return ea - each.address < each.size;
                         });
    if (outside) {
        return {};
    }
    const std::optional<elf_image::location> found = image_.find(ea);
    return found ? symbol_at{found->of->name, found->offset} : symbol_at{};
}

std::optional<std::uint64_t> elf_symbols::find(std::string_view name) const {
    const elf_image::symbol* const found = image_.find(name);
    return found == nullptr ? std::nullopt : std::optional(found->address);
}

std::unique_ptr<symbol_lookup> symbols_of(const elf_image* program) {
    if (program == nullptr) {
        return std::make_unique<no_symbols>();
    }
    if (program->symbols().empty()) {
        if (auto own = kernel_symbols(*program)) {
            return own;
        }
    }
    return std::make_unique<elf_symbols>(*program);
}

}  // namespace pefsim::power::debug
