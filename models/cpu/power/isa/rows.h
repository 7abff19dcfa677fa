// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

#include "cpu/power/isa/branch.h"
#include "cpu/power/isa/decimal.h"
#include "cpu/power/isa/fixed_load_store.h"
#include "cpu/power/isa/fixed_point.h"
#include "cpu/power/isa/floating.h"
#include "cpu/power/isa/instruction.h"
#include "cpu/power/isa/system.h"
#include "cpu/power/isa/transactional.h"
#include "cpu/power/isa/vector.h"
#include "cpu/power/isa/vector_scalar.h"

namespace pefsim::cpu::power::isa::rows {

template <std::size_t... Sizes>
consteval auto joined(const instruction (&... parts)[Sizes]) {
    std::array<instruction, (Sizes + ...)> all{};
    auto* next = all.begin();
    ((next = std::copy(std::begin(parts), std::end(parts), next)), ...);
    return all;
}

/// The whole table, for those who compute with it at compile time; everybody else calls instructions().
inline constexpr auto all = joined(branch_rows, fixed_point_rows, fixed_load_store_rows, floating_rows,
                                   decimal_rows, vector_rows, vector_scalar_rows, system_rows,
                                   transactional_rows);

}  // namespace pefsim::cpu::power::isa::rows
