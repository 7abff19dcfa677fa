// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "power/instructions/instruction_row.h"

/// The rows of the instruction table and, above them in the same file, what the instructions do: one file per chapter
/// of the Power ISA, or part of one.
namespace pefsim::power::isa {

/// The selector of an instruction that has one handler for all its words.
template <handler only>
handler always(std::uint32_t /*word*/, unsigned /*index*/, op& /*decoded*/) {
    return only;
}

std::span<const instruction_row> branch_rows();
std::span<const instruction_row> fixed_arithmetic_rows();
std::span<const instruction_row> fixed_compare_rows();
std::span<const instruction_row> fixed_logical_rows();
std::span<const instruction_row> fixed_rotate_rows();
std::span<const instruction_row> fixed_move_rows();
std::span<const instruction_row> fixed_load_store_rows();
std::span<const instruction_row> fixed_multiple_rows();
std::span<const instruction_row> atomic_rows();
std::span<const instruction_row> floating_rows();
std::span<const instruction_row> decimal_arithmetic_rows();
std::span<const instruction_row> decimal_convert_rows();
std::span<const instruction_row> storage_rows();
std::span<const instruction_row> vmx_load_store_rows();
std::span<const instruction_row> vmx_permute_rows();
std::span<const instruction_row> vmx_integer_rows();
std::span<const instruction_row> vmx_logical_rows();
std::span<const instruction_row> vmx_floating_rows();
std::span<const instruction_row> vmx_crypto_rows();
std::span<const instruction_row> vmx_decimal_rows();
std::span<const instruction_row> vsx_load_store_rows();
std::span<const instruction_row> vsx_permute_rows();
std::span<const instruction_row> vsx_exponent_rows();
std::span<const instruction_row> vsx_move_rows();
std::span<const instruction_row> vsx_scalar_arithmetic_rows();
std::span<const instruction_row> vsx_scalar_compare_rows();
std::span<const instruction_row> vsx_scalar_convert_rows();
std::span<const instruction_row> vsx_vector_arithmetic_rows();
std::span<const instruction_row> vsx_vector_compare_rows();
std::span<const instruction_row> vsx_vector_convert_rows();
std::span<const instruction_row> vsx_quad_rows();
std::span<const instruction_row> system_rows();
std::span<const instruction_row> transactional_rows();

}  // namespace pefsim::power::isa
