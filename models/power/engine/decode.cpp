// SPDX-License-Identifier: Apache-2.0
#include "power/engine/decode.h"

#include <optional>

#include "power/engine/core.h"
#include "power/isa/decoder.h"
#include "power/isa/instruction.h"

namespace pefsim::power {
namespace {

const op* undefined(core& c, const op* o) {
    return c.raise(o, emulation_assistance(static_cast<std::uint32_t>(o->imm)));
}

/// The byte of op that holds an operand of this place and size; null when it goes to op::imm, or nowhere.
std::uint8_t op::*byte_of(const isa::operand_info& operand) {
    if (operand.where.piece_count == 0 || operand.where.is_signed || operand.where.width() > 6) {
        return nullptr;
    }
    switch (
        operand.where.pieces[operand.where.piece_count - 1].first) {  // XT is TX || T: the last piece is T
    case 6:
        return &op::t;
    case 11:
        return &op::a;
    case 16:
        return &op::b;
    case 21:
        return &op::c;
    default:
        return nullptr;
    }
}

/// True for the immediates and displacements that op::imm is there for.
bool immediate(const isa::operand_info& operand) {
    return operand.where.width() >= 12 && operand.kind != isa::operand_kind::vsr;
}

}  // namespace

op decode(std::uint32_t word, unsigned index) {
    const isa::instruction* row = isa::decode(word);
    if (row == nullptr || row->select == nullptr) {
        return {.execute = undefined, .imm = static_cast<std::int32_t>(word)};
    }
    op decoded{.imm = static_cast<std::int32_t>(word)};
    for (const isa::operand which : row->operands) {
        const isa::operand_info& operand = isa::info_of(which);
        if (std::uint8_t op::*place = byte_of(operand); place != nullptr) {
            const std::int32_t value = operand.value(word);
            const bool zero = operand.kind == isa::operand_kind::gpr_or_zero && value == 0;
            decoded.*place = static_cast<std::uint8_t>(zero ? general_registers::zero : value);
        } else if (immediate(operand)) {
            decoded.imm = operand.value(word);
        }
    }
    decoded.execute = row->select(word, index, decoded);
    return decoded;
}

}  // namespace pefsim::power
