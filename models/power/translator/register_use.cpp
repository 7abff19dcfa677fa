// SPDX-License-Identifier: Apache-2.0
#include "power/translator/register_use.h"

namespace pefsim::power::host_code {
namespace {

using isa::operand;
using isa::operand_kind;

constexpr bool is_gpr(operand which) {
    const operand_kind kind = isa::info_of(which).kind;
    return which != operand::none && (kind == operand_kind::gpr || kind == operand_kind::gpr_or_zero);
}

/// Inserts into RA, of which the rest stays.
bool reads_its_target(const isa::instruction& row) {
    return row.mnemonic == "rlwimi" || row.mnemonic == "rldimi";
}

constexpr unsigned lr_number = 8;
constexpr unsigned ctr_number = 9;

void add_special_register(const isa::instruction& row, std::uint32_t word, register_use& use) {
    if (row.mnemonic != "mtspr" && row.mnemonic != "mfspr") {
        return;
    }
    const auto number = static_cast<unsigned>(isa::fields::spr.of(word));
    register_set& kept = row.mnemonic == "mtspr" ? use.writes : use.reads;
    if (number == lr_number) {
        kept.add(link_register);
    } else if (number == ctr_number) {
        kept.add(count_register);
    }
}

/// LR and CTR of a branch (Book I 2.4).
void add_branch(const isa::instruction& row, std::uint32_t word, register_use& use) {
    constexpr int ignores_ctr = 0b00100;
    const bool counts = row.mnemonic != "b" && (isa::info_of(operand::bo).value(word) & ignores_ctr) == 0;
    if (counts) {
        use.reads.add(count_register);
        use.writes.add(count_register);
    }
    if (isa::link.of(word) != 0) {
        use.writes.add(link_register);
    }
    if (row.mnemonic == "bclr") {
        use.reads.add(link_register);
    } else if (row.mnemonic == "bcctr") {
        use.reads.add(count_register);
    }
}

}  // namespace

bool names_no_gpr(const isa::instruction& row) {
    for (const operand each : row.operands) {
        if (is_gpr(each)) {
            return false;
        }
    }
    return true;
}

register_use use_of(const isa::instruction& row, std::uint32_t word) {
    register_use use;
    bool first = true;
    for (const operand each : row.operands) {
        const auto number = static_cast<unsigned>(isa::info_of(each).value(word));
        if (is_gpr(each) && (isa::info_of(each).kind != operand_kind::gpr_or_zero || number != 0)) {
            const bool target = each == operand::rt || (first && each == operand::ra);
            if (target) {
                use.writes.add(number);
            }
            if (!target || reads_its_target(row)) {
                use.reads.add(number);
            }
        }
        first = false;
    }
    if (row.flags.has(isa::update)) {
        use.writes.add(static_cast<unsigned>(isa::fields::a.of(word)));
    }
    add_special_register(row, word, use);
    if (row.kind == isa::instruction_class::jump) {
        add_branch(row, word, use);
    }
    return use;
}

}  // namespace pefsim::power::host_code
