// SPDX-License-Identifier: Apache-2.0
#include "power/isa/instruction_table.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <vector>

#include "power/instructions/instructions.h"

namespace pefsim::power::isa {

std::span<const instruction> instructions() {
    static const std::vector<instruction> all = [] {
        std::vector<instruction> joined;
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
            joined.insert(joined.end(), rows.begin(), rows.end());
        }
        return joined;
    }();
    return all;
}

std::size_t index_of(const instruction& row) {
    const std::span<const instruction> all = instructions();
    const std::less<const instruction*> before;  // of any two objects, where < is of one array's only
    if (before(&row, all.data()) || !before(&row, all.data() + all.size())) {
        throw std::logic_error("isa::index_of: not a row of the instruction table");
    }
    return static_cast<std::size_t>(&row - all.data());
}

const instruction* find(std::string_view mnemonic) {
    const auto row = std::ranges::find(instructions(), mnemonic, &instruction::mnemonic);
    return row == instructions().end() ? nullptr : &*row;
}

std::string_view name_of(facility needs) {
    switch (needs) {
    case facility::branch:
        return "branch";
    case facility::fixed:
        return "fixed";
    case facility::storage:
        return "storage";
    case facility::system:
        return "system";
    case facility::fp:
        return "fp";
    case facility::dfp:
        return "dfp";
    case facility::vmx:
        return "vmx";
    case facility::vsx:
        return "vsx";
    case facility::vsx_or_vmx:
        return "vsx or vmx";
    case facility::fp_or_vmx:
        return "fp or vmx";
    case facility::tm:
        return "tm";
    case facility::tm_privileged:
        return "tm, privileged";
    case facility::ebb:
        return "ebb";
    case facility::privileged:
        return "privileged";
    case facility::hypervisor:
        return "hypervisor";
    case facility::ultravisor:
        return "ultravisor";
    }
    throw std::logic_error("isa::name_of: a facility without a name");
}

std::string_view name_of(instruction_class kind) {
    switch (kind) {
    case instruction_class::arithmetic:
        return "arithmetic";
    case instruction_class::multiply_add:
        return "multiply-add";
    case instruction_class::divide:
        return "divide";
    case instruction_class::compare:
        return "compare";
    case instruction_class::logical:
        return "logical";
    case instruction_class::shift:
        return "shift";
    case instruction_class::condition:
        return "condition";
    case instruction_class::move:
        return "move";
    case instruction_class::status:
        return "status";
    case instruction_class::convert:
        return "convert";
    case instruction_class::round:
        return "round";
    case instruction_class::estimate:
        return "estimate";
    case instruction_class::permute:
        return "permute";
    case instruction_class::crypto:
        return "crypto";
    case instruction_class::decimal:
        return "decimal";
    case instruction_class::load:
        return "load";
    case instruction_class::store:
        return "store";
    case instruction_class::atomic:
        return "atomic";
    case instruction_class::cache:
        return "cache";
    case instruction_class::sync:
        return "sync";
    case instruction_class::jump:
        return "branch";
    case instruction_class::call:
        return "call";
    case instruction_class::trap:
        return "trap";
    case instruction_class::translation:
        return "translation";
    case instruction_class::message:
        return "message";
    case instruction_class::power_save:
        return "power save";
    case instruction_class::transaction:
        return "transaction";
    case instruction_class::reserved_nop:
        return "reserved no-op";
    }
    throw std::logic_error("isa::name_of: a class without a name");
}

}  // namespace pefsim::power::isa
