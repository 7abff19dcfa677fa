// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/instruction_table.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <vector>

#include "power/instructions/instructions.h"

namespace pefsim::power::isa {

namespace {

/// The rows, and beside them what they do.
struct instruction_table {
    std::vector<instruction> descriptions;
    std::vector<selector> selectors;

    instruction_table() {
        for (const auto rows : {branch_rows(),
                                fixed_arithmetic_rows(),
                                fixed_compare_rows(),
                                fixed_logical_rows(),
                                fixed_rotate_rows(),
                                fixed_move_rows(),
                                fixed_load_store_rows(),
                                fixed_multiple_rows(),
                                atomic_rows(),
                                floating_rows(),
                                decimal_arithmetic_rows(),
                                decimal_convert_rows(),
                                storage_rows(),
                                vmx_load_store_rows(),
                                vmx_permute_rows(),
                                vmx_integer_rows(),
                                vmx_logical_rows(),
                                vmx_floating_rows(),
                                vmx_crypto_rows(),
                                vmx_decimal_rows(),
                                vsx_load_store_rows(),
                                vsx_permute_rows(),
                                vsx_exponent_rows(),
                                vsx_move_rows(),
                                vsx_scalar_arithmetic_rows(),
                                vsx_scalar_compare_rows(),
                                vsx_scalar_convert_rows(),
                                vsx_vector_arithmetic_rows(),
                                vsx_vector_compare_rows(),
                                vsx_vector_convert_rows(),
                                vsx_quad_rows(),
                                system_rows(),
                                transactional_rows()}) {
            for (const instruction_row& row : rows) {
                descriptions.push_back(row.description);
                selectors.push_back(row.select);
            }
        }
    }
};

const instruction_table& table() {
    static const instruction_table all;
    return all;
}

}  // namespace

std::span<const instruction> instructions() { return table().descriptions; }

std::size_t index_of(const instruction& row) {
    const std::span<const instruction> all = instructions();
    const std::less<const instruction*> before;  // of any two objects, where < is of one array's only
    if (before(&row, all.data()) || !before(&row, all.data() + all.size())) {
        throw std::logic_error("isa::index_of: not a row of the instruction table");
    }
    return static_cast<std::size_t>(&row - all.data());
}

selector selector_of(const instruction& row) { return table().selectors[index_of(row)]; }

const instruction* find(std::string_view mnemonic) {
    const auto row = std::ranges::find(instructions(), mnemonic, &instruction::mnemonic);
    return row == instructions().end() ? nullptr : &*row;
}

}  // namespace pefsim::power::isa
