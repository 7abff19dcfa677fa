// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "power/isa/instruction.h"

/// The rows of the instruction table and, above them in the same file, what the instructions do: one file per chapter
/// of the Power ISA, or part of one.
namespace pefsim::power::isa {

/// The selector of an instruction that has one handler for all its words.
template <handler only>
handler always(std::uint32_t /*word*/, unsigned /*index*/, op& /*decoded*/) {
    return only;
}

std::span<const instruction> branch_rows();
std::span<const instruction> fixed_arithmetic_rows();
std::span<const instruction> fixed_compare_rows();
std::span<const instruction> fixed_logical_rows();
std::span<const instruction> fixed_rotate_rows();
std::span<const instruction> fixed_move_rows();
std::span<const instruction> fixed_load_store_rows();
std::span<const instruction> fixed_multiple_rows();
std::span<const instruction> atomic_rows();
std::span<const instruction> floating_rows();
std::span<const instruction> decimal_arithmetic_rows();
std::span<const instruction> decimal_convert_rows();
std::span<const instruction> storage_rows();
std::span<const instruction> vmx_load_store_rows();
std::span<const instruction> vmx_permute_rows();
std::span<const instruction> vmx_integer_rows();
std::span<const instruction> vmx_logical_rows();
std::span<const instruction> vmx_floating_rows();
std::span<const instruction> vmx_crypto_rows();
std::span<const instruction> vmx_decimal_rows();
std::span<const instruction> vsx_load_store_rows();
std::span<const instruction> vsx_permute_rows();
std::span<const instruction> vsx_exponent_rows();
std::span<const instruction> vsx_move_rows();
std::span<const instruction> vsx_scalar_arithmetic_rows();
std::span<const instruction> vsx_scalar_compare_rows();
std::span<const instruction> vsx_scalar_convert_rows();
std::span<const instruction> vsx_vector_arithmetic_rows();
std::span<const instruction> vsx_vector_compare_rows();
std::span<const instruction> vsx_vector_convert_rows();
std::span<const instruction> vsx_quad_rows();
std::span<const instruction> system_rows();
std::span<const instruction> transactional_rows();

}  // namespace pefsim::power::isa
