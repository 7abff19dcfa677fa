// SPDX-License-Identifier: Apache-2.0
#include "cpu/power/debug/symbols.h"

#include <fmt/format.h>

namespace pefsim::cpu::power::debug {

std::string text_of(const symbol_at& where) {
    return where.name.empty()  ? std::string()
           : where.offset == 0 ? std::string(where.name)
                               : fmt::format("{}+{:#x}", where.name, where.offset);
}

}  // namespace pefsim::cpu::power::debug
