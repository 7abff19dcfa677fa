// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/power9_decoder.h"

#include "power/engine/core.h"
#include "power/instructions/decoder.h"
#include "power/instructions/fusion.h"
#include "power/instructions/instruction_table.h"
#include "power/isa/instruction.h"

namespace pefsim::power::isa {
namespace {

const op* undefined(core& c, const op* o) {
    return c.raise(o, emulation_assistance(static_cast<std::uint32_t>(o->imm)));
}

/// The byte of op that holds an operand of this place and size; null when it goes to op::imm, or nowhere.
std::uint8_t op::*byte_of(const operand_info& info) {
    if (info.where.piece_count == 0 || info.where.is_signed || info.where.width() > 6) {
        return nullptr;
    }
    switch (info.where.pieces[info.where.piece_count - 1].first) {  // XT is TX || T: the last piece is T
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
bool immediate(const operand_info& info) {
    return info.where.width() >= 12 && info.kind != operand_kind::vsr;
}

class power9 : public power::decoder {
public:
    [[nodiscard]] op decode(std::uint32_t word, unsigned index) const override {
        const instruction* row = isa::decode(word);
        const selector select = row == nullptr ? nullptr : selector_of(*row);
        if (select == nullptr) {
            return {.execute = undefined, .imm = static_cast<std::int32_t>(word)};
        }
        op decoded{.imm = static_cast<std::int32_t>(word)};
        for (const operand which : row->operands) {
            const operand_info& info = info_of(which);
            if (std::uint8_t op::*place = byte_of(info); place != nullptr) {
                const std::int32_t value = info.value(word);
                const bool zero = info.kind == operand_kind::gpr_or_zero && value == 0;
                decoded.*place = static_cast<std::uint8_t>(zero ? general_registers::zero : value);
            } else if (immediate(info)) {
                decoded.imm = info.value(word);
            }
        }
        decoded.execute = select(word, index, decoded);
        return decoded;
    }
    [[nodiscard]] handler fused(std::uint32_t first, std::uint32_t second, unsigned index) const override {
        return isa::fused(first, second, index);
    }
    [[nodiscard]] const instruction* describe(std::uint32_t word) const override { return isa::decode(word); }
};

}  // namespace

const power::decoder& power9_decoder() {
    static const power9 only;
    return only;
}

}  // namespace pefsim::power::isa
