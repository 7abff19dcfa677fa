// SPDX-License-Identifier: Apache-2.0
#include "power/debug/disassembler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "power/debug/alias.h"
#include "power/instructions/decoder.h"
#include "power/isa/instruction.h"

namespace pefsim::power::debug {
namespace {

using isa::absolute;
using isa::bit;
using isa::bits;
using isa::field;
using isa::info_of;
using isa::instruction;
using isa::operand;
using isa::operand_info;
using isa::operand_kind;
using isa::operand_list;

/// How one word is written: the row's own way, or an alias.
struct notation {
    std::string_view mnemonic;
    const operand_list& operands;
    std::uint32_t fixed_by_alias;
};

notation notation_of(const instruction& row, std::uint32_t word) {
    for (const alias& each : aliases_of(row)) {
        if (each.when.holds(word)) {
            return {each.mnemonic, each.operands, each.when.mask};
        }
    }
    return {row.mnemonic, row.operands, 0};
}

/// Reserved bits that GNU objdump does not look at, by instruction.
struct unchecked_bits {
    std::string_view mnemonic;
    field bits;
};
constexpr std::array unchecked{
    unchecked_bits{"attn", bits(6, 20)},
    unchecked_bits{"cmpi", bit(9)},
    unchecked_bits{"cmpli", bit(9)},
    unchecked_bits{"dcffix", {}},
    unchecked_bits{"dss", bits(7, 8) || bits(11, 20) || bit(31)},
    unchecked_bits{"dst", bits(7, 8) || bit(31)},
    unchecked_bits{"dstst", bits(7, 8) || bit(31)},
    unchecked_bits{"dtstsfi", {}},
    unchecked_bits{"dtstsfiq", bit(20)},
    unchecked_bits{"isel", bit(31)},
    unchecked_bits{"lq", bits(28, 31)},
    unchecked_bits{"sc", bits(16, 19) || bits(27, 29)},
    unchecked_bits{"scv", bits(16, 19) || bits(27, 29)},
    unchecked_bits{"xsrqpi", bits(11, 14)},
    unchecked_bits{"xsrqpxp", bits(11, 14)},
};
constexpr field unchecked_of_decimal = bits(6, 30);

std::uint32_t unchecked_in(const instruction& row) {
    const auto* const found = std::ranges::find(unchecked, row.mnemonic, &unchecked_bits::mnemonic);
    if (found != unchecked.end()) {
        return found->bits.mask();
    }
    return row.needs == isa::facility::dfp ? unchecked_of_decimal.mask() : 0;
}

/// What assemblers for a POWER9 refuse: mfspr takes the place of mftb, and the pairs are theirs for a POWER6 only.
constexpr std::array<std::string_view, 5> refused{"mftb", "lfdp", "lfdpx", "stfdp", "stfdpx"};

bool is_writable(const instruction& row, const notation& how, std::uint32_t word) {
    return row.kind != isa::instruction_class::reserved_nop &&
           std::ranges::find(refused, row.mnemonic) == refused.end() &&
           (word & row.reserved_bits() & ~how.fixed_by_alias & ~unchecked_in(row)) == 0 &&
           std::ranges::none_of(how.operands, [word](operand each) {
               return info_of(each).invalid != nullptr && info_of(each).invalid(word);
           });
}

/// "+" or "-" when BO holds a hint whether the branch will be taken (Book I 2.4).
std::string_view hint_of(std::uint32_t word) {
    const auto bo = static_cast<unsigned>(info_of(operand::bo).value(word));
    const bool by_condition = (bo & 0b10100) == 0b00100;  // 0-1at
    const bool by_count = (bo & 0b10100) == 0b10000;      // 1a0-t
    const bool hinted = (by_condition && (bo & 0b00010) != 0) || (by_count && (bo & 0b01000) != 0);
    if (!hinted) {
        return "";
    }
    return (bo & 1) != 0 ? "+" : "-";
}

void append_variant(std::string& out, const instruction& row, std::uint32_t word) {
    const auto chosen = [&](isa::flag_set flag, const field& where) {
        return row.flags.has(flag) && (word & where.mask()) != 0;
    };
    out += chosen(isa::oe, isa::overflow_enable) || chosen(isa::ro, isa::round_to_odd) ? "o" : "";
    out += chosen(isa::ex, isa::round_to_odd) ? "x" : "";
    out += chosen(isa::rc, layout_of(row.code.format).record) ? "." : "";
    out += chosen(isa::lk, isa::link) ? "l" : "";
    out += chosen(isa::aa, absolute) ? "a" : "";
    if (row.operands[0] == operand::bo) {
        out += hint_of(word);
    }
}

void append_cr_bit(std::string& out, std::int32_t number) {
    constexpr std::string_view names[] = {"lt", "gt", "eq", "so"};
    if (number >= 4) {
        fmt::format_to(std::back_inserter(out), "4*cr{}+", number / 4);
    }
    out += names[number % 4];
}

void append_target(std::string& out, const instruction& row, std::uint32_t word, std::uint64_t address,
                   std::int32_t offset) {
    const bool is_absolute = row.flags.has(isa::aa) && (word & absolute.mask()) != 0;
    fmt::format_to(std::back_inserter(out), "{:#x}",
                   is_absolute ? static_cast<std::uint32_t>(offset)
                               : address + static_cast<std::int64_t>(offset));
}

void append_operand(std::string& out, const instruction& row, const operand_info& which, std::uint32_t word,
                    std::uint64_t address) {
    const std::int32_t value = which.value(word);
    const auto number = [&out](std::string_view prefix, std::int32_t shown) {
        fmt::format_to(std::back_inserter(out), "{}{}", prefix, shown);
    };
    switch (which.kind) {
    case operand_kind::gpr:
        return number("r", value);
    case operand_kind::gpr_or_zero:
        return number(value == 0 ? "" : "r", value);
    case operand_kind::fpr:
        return number("f", value);
    case operand_kind::vr:
        return number("v", value);
    case operand_kind::vsr:
        return number("vs", value);
    case operand_kind::cr_field:
        return number("cr", value);
    case operand_kind::cr_bit:
        return append_cr_bit(out, value);
    case operand_kind::number:
    case operand_kind::displacement:
        return number("", value);
    case operand_kind::number_of_32:
        return number("", value == 0 ? 32 : value);
    case operand_kind::from_31:
        return number("", 31 - value);
    case operand_kind::from_63:
        return number("", 63 - value);
    case operand_kind::target:
        return append_target(out, row, word, address, value);
    }
}

/// True when this operand and all those after it that may be omitted have the values that go without saying.
bool may_be_omitted(const operand_list& operands, std::size_t from, std::uint32_t word) {
    return info_of(operands[from]).omitted >= 0 &&
           std::all_of(operands.begin() + static_cast<std::ptrdiff_t>(from), operands.end(),
                       [word](operand each) {
                           const operand_info& info = info_of(each);
                           return info.omitted < 0 || info.omitted == info.value(word);
                       });
}

void append_operands(std::string& out, const instruction& row, const operand_list& operands,
                     std::uint32_t word, std::uint64_t address) {
    bool first = true;
    bool in_parentheses = false;
    for (std::size_t i = 0; i < operands.size() && operands[i] != operand::none; ++i) {
        if (may_be_omitted(operands, i, word)) {
            continue;
        }
        const operand_info& info = info_of(operands[i]);
        out += first ? " " : in_parentheses ? "(" : ",";
        append_operand(out, row, info, word, address);
        out += in_parentheses ? ")" : "";
        first = false;
        in_parentheses = info.kind == operand_kind::displacement;
    }
}

}  // namespace

void append_disassembly(std::string& out, std::uint32_t word, std::uint64_t address, unwritable words) {
    const instruction* const row = isa::decode(word);
    if (row == nullptr) {
        fmt::format_to(std::back_inserter(out), ".long {:#x}", word);
        return;
    }
    const notation how = notation_of(*row, word);
    if (words == unwritable::as_data && !is_writable(*row, how, word)) {
        fmt::format_to(std::back_inserter(out), ".long {:#x}", word);
        return;
    }
    out += how.mnemonic;
    append_variant(out, *row, word);
    append_operands(out, *row, how.operands, word, address);
}

std::string disassemble(std::uint32_t word, std::uint64_t address, unwritable words) {
    std::string text;
    append_disassembly(text, word, address, words);
    return text;
}

}  // namespace pefsim::power::debug
