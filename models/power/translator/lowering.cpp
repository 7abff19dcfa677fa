// SPDX-License-Identifier: Apache-2.0
#include "power/translator/lowering.h"

#include <stdexcept>
#include <string>
#include <vector>

#include "power/instructions/instruction_table.h"

namespace pefsim::power::host_code {
namespace {

/// By position of the row in the instruction table.
std::vector<const lowering*> table() {
    std::vector<const lowering*> by_row(isa::instructions().size());
    for (const auto& chapter :
         {fixed_arithmetic_lowerings(), fixed_compare_lowerings(), fixed_load_store_lowerings(),
          fixed_logical_lowerings(), fixed_move_lowerings(), fixed_rotate_lowerings(), floating_lowerings(),
          vector_lowerings()}) {
        for (const lowering& each : chapter) {
            const isa::instruction* row = isa::find(each.mnemonic);
            if (row == nullptr) {
                throw std::logic_error("a lowering of no instruction: " + std::string(each.mnemonic));
            }
            by_row[isa::index_of(*row)] = &each;
        }
    }
    return by_row;
}

}  // namespace

const lowering* lowering_of(const isa::instruction& row, std::uint32_t word) {
    static const std::vector<const lowering*> by_row = table();
    const lowering* found = by_row[isa::index_of(row)];
    return found != nullptr && found->refuses != nullptr && found->refuses(word) ? nullptr : found;
}

}  // namespace pefsim::power::host_code
