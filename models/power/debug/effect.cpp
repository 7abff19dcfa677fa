// SPDX-License-Identifier: Apache-2.0
#include "power/debug/effect.h"

#include <fmt/format.h>

#include <cstddef>

#include "power/instructions/decoder.h"
#include "power/instructions/instruction_table.h"

namespace pefsim::power::debug {
namespace {

using isa::operand;
using isa::operand_kind;

constexpr std::size_t gpr_at = offsetof(registers, gpr);
constexpr std::size_t cr_at = offsetof(registers, cr);
constexpr std::size_t special_at = offsetof(registers, special);
constexpr std::size_t vsr_at = offsetof(registers, vsr);
static_assert(sizeof(registers) < 0x10000, "offsets are 16 bits");
static_assert(sizeof(condition_register) == 8, "CR is seen as 8 bytes");

std::uint16_t gpr(std::size_t n) { return static_cast<std::uint16_t>(gpr_at + 8 * n); }
std::uint16_t special(spr which) {
    return static_cast<std::uint16_t>(special_at + 8 * static_cast<std::size_t>(which));
}
std::uint16_t vsr(std::size_t n) {
    return static_cast<std::uint16_t>(vsr_at + sizeof(vector_register) * (n % 64) +
                                      offsetof(vector_register, high));
}

/// The register that `which` names in `word`, if it is one of which a trace shows 8 bytes.
std::uint16_t register_of(operand which, std::uint32_t word) {
    const isa::operand_info& info = isa::info_of(which);
    const auto n = static_cast<std::size_t>(info.value(word));
    switch (info.kind) {
    case operand_kind::gpr:
    case operand_kind::gpr_or_zero:
        return gpr(n % 32);
    case operand_kind::fpr:
    case operand_kind::vsr:
        return vsr(n);
    case operand_kind::vr:
        return vsr(32 + n % 32);
    case operand_kind::cr_field:
    case operand_kind::cr_bit:
        return static_cast<std::uint16_t>(cr_at);
    default:
        return no_result();
    }
}

/// Branches name BO and BI first; of them CTR or LR is of interest.
std::uint16_t of_branch(const isa::instruction& row, std::uint32_t word) {
    if (row.flags.has(isa::lk) && isa::link.of(word) != 0) {
        return special(spr::lr);
    }
    const bool counts = row.operands[0] == operand::bo && (isa::info_of(operand::bo).value(word) & 4) == 0;
    return counts ? special(spr::ctr) : no_result();
}

std::uint16_t result_of(const isa::instruction& row, std::uint32_t word) {
    switch (row.kind) {
    case isa::instruction_class::jump:
        return of_branch(row, word);
    case isa::instruction_class::trap:
    case isa::instruction_class::cache:
    case isa::instruction_class::sync:
    case isa::instruction_class::translation:
    case isa::instruction_class::message:
        return no_result();
    default:
        break;
    }
    for (const operand each : row.operands) {  // mtspr and mtcrf name their register second
        if (const std::uint16_t found = register_of(each, word); found != no_result()) {
            return found;
        }
    }
    return no_result();
}

bool is_base(operand which) {
    switch (which) {
    case operand::ra:
    case operand::ra0:
    case operand::ra_stored:
    case operand::ra_loaded:
    case operand::ra_below_rt:
    case operand::ra_not_rt:
        return true;
    default:
        return false;
    }
}

bool is_access(const isa::instruction& row) {
    using enum isa::instruction_class;
    return row.kind == load || row.kind == store || row.kind == atomic || row.kind == cache;
}

}  // namespace

std::uint16_t no_result() { return gpr(general_registers::zero); }

void describe_effect(observed_op& decoded) {
    decoded.row = observed_op::no_row;
    decoded.result = no_result();
    decoded.base = decoded.index = general_registers::zero;
    decoded.displacement = 0;
    const isa::instruction* row = isa::decode(decoded.word);
    if (row == nullptr) {
        return;
    }
    decoded.row = static_cast<std::uint16_t>(isa::index_of(*row));
    decoded.result = result_of(*row, decoded.word);
    if (!is_access(*row)) {
        return;
    }
    for (const operand each : row->operands) {
        const isa::operand_info& info = isa::info_of(each);
        const std::int32_t value = info.value(decoded.word);
        if (is_base(each)) {
            const bool zero = info.kind == operand_kind::gpr_or_zero && value == 0;
            decoded.base = static_cast<std::uint8_t>(zero ? general_registers::zero : value);
        } else if (each == operand::rb || each == operand::rb_not_rt) {
            decoded.index = static_cast<std::uint8_t>(value);
        } else if (info.kind == operand_kind::displacement) {
            decoded.displacement = value;
        }
    }
}

bool accesses_storage(const observed_op& decoded) {
    return decoded.row != observed_op::no_row && is_access(isa::instructions()[decoded.row]);
}

std::optional<std::size_t> gpr_of(std::uint16_t offset) {
    const std::size_t at = offset;
    const bool is_gpr = at >= gpr_at && at < gpr_at + 8 * general_registers::zero;
    return is_gpr ? std::optional((at - gpr_at) / 8) : std::nullopt;
}

bool loads_many(const observed_op& decoded) {
    if (decoded.row == observed_op::no_row) {
        return false;
    }
    const isa::instruction& row = isa::instructions()[decoded.row];
    return row.operands[0] == operand::rt_pair || row.mnemonic == "lmw" || row.mnemonic.starts_with("lsw");
}

std::string result_name(std::uint16_t offset) {
    const std::size_t at = offset;
    if (at == cr_at) {
        return "cr";
    }
    if (at == special(spr::lr)) {
        return "lr";
    }
    if (at == special(spr::ctr)) {
        return "ctr";
    }
    if (const std::optional<std::size_t> n = gpr_of(offset)) {
        return fmt::format("r{}", *n);
    }
    if (at >= vsr_at && at < vsr_at + 64 * sizeof(vector_register)) {
        return fmt::format("vs{}", (at - vsr_at) / sizeof(vector_register));
    }
    return {};
}

}  // namespace pefsim::power::debug
