// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/special_registers.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "power/instructions/integers.h"
#include "power/isa/operand.h"

namespace pefsim::power::isa {
namespace {

// --- What is not a plain register

const op* read_time_base(core& c, const op* o) {
    c.state.gpr[o->t] = c.read_time_base(o);
    return next(c, o);
}
const op* read_upper_time_base(core& c, const op* o) {
    c.state.gpr[o->t] = c.read_time_base(o) >> 32;
    return next(c, o);
}

/// The authority mask from problem state: UAMOR says which bits it may change.
const op* write_amr(core& c, const op* o) {
    const u64 mask = c.state[spr::uamor];
    u64& amr = c.state[spr::amr];
    amr = (amr & ~mask) | (c.state.gpr[o->t] & mask);
    c.context_changed();
    return next(c, o);
}

constexpr unsigned pri = 50;  // position of PPR[PRI], bits 11:13

const op* write_ppr(core& c, const op* o) {
    set_program_priority(c.state, static_cast<unsigned>(c.state.gpr[o->t] >> pri & 7));
    return next(c, o);
}
/// PPR32 is the upper half of PPR.
const op* read_ppr32(core& c, const op* o) {
    c.state.gpr[o->t] = c.state[spr::ppr] >> 32;
    return next(c, o);
}
const op* write_ppr32(core& c, const op* o) {
    set_program_priority(c.state, static_cast<unsigned>(c.state.gpr[o->t] >> (pri - 32) & 7));
    return next(c, o);
}

const op* read_cfar(core& c, const op* o) {
    c.state.gpr[o->t] = c.cfar();
    return next(c, o);
}
const op* write_cfar(core& c, const op* o) {
    c.set_cfar(c.state.gpr[o->t]);
    return next(c, o);
}

/// The transactional registers: MSR[TM] is always 0.
const op* no_transactions(core& c, const op* o) { return not_enabled(c, o, facility_cause::tm); }

/// Reserved numbers that do nothing.
const op* nothing(core& c, const op* o) { return next(c, o); }

/// Of rows whose handlers do all.
constexpr spr by_handlers{};

constexpr u64 word = 0xffff'ffff;
/// XER (Book I 3.2.2): bits 35:43, between SO, OV, CA and OV32, CA32, are zero; those behind them are kept as they are
/// written.
constexpr u64 xer_bits = word & ~u64{0x1ff0'0000};
constexpr u64 all = ~u64{0};

// clang-format off
constexpr special_register rows[] = {
    // number, register,     reads,                 writes,                writable, needs
    {  1, spr::xer,    privilege::problem,    privilege::problem,    xer_bits},
    {  3, spr::dscr,   privilege::problem,    privilege::problem,    all,  facility_cause::dscr},
    {  8, spr::lr,     privilege::problem,    privilege::problem},
    {  9, spr::ctr,    privilege::problem,    privilege::problem},
    { 13, spr::amr,    privilege::problem,    privilege::problem,    all,  0, nullptr, write_amr},
    { 17, spr::dscr,   privilege::supervisor, privilege::supervisor},
    { 28, spr::cfar,   privilege::supervisor, privilege::supervisor, all,  0, read_cfar, write_cfar},
    {128, by_handlers, privilege::problem,    privilege::problem,    all,  0, no_transactions, no_transactions},
    {129, by_handlers, privilege::problem,    privilege::problem,    all,  0, no_transactions, no_transactions},
    {130, by_handlers, privilege::problem,    privilege::problem,    all,  0, no_transactions, no_transactions},
    {131, by_handlers, privilege::problem,    privilege::problem,    all,  0, no_transactions, no_transactions},
    {153, spr::fscr,   privilege::supervisor, privilege::supervisor},
    {256, spr::vrsave, privilege::problem,    privilege::problem,    word},
    {259, spr::sprg3,  privilege::problem,    privilege::nobody},
    {268, by_handlers, privilege::problem,    privilege::nobody,     0,    0, read_time_base},
    {269, by_handlers, privilege::problem,    privilege::nobody,     0,    0, read_upper_time_base},
    {808, by_handlers, privilege::problem,    privilege::problem,    0,    0, nothing, nothing},
    {809, by_handlers, privilege::problem,    privilege::problem,    0,    0, nothing, nothing},
    {810, by_handlers, privilege::problem,    privilege::problem,    0,    0, nothing, nothing},
    {811, by_handlers, privilege::problem,    privilege::problem,    0,    0, nothing, nothing},
    {815, spr::tar,    privilege::problem,    privilege::problem,    all,  facility_cause::tar},
    {896, spr::ppr,    privilege::problem,    privilege::problem,    all,  0, nullptr, write_ppr},
    {898, spr::ppr,    privilege::problem,    privilege::problem,    all,  0, read_ppr32, write_ppr32},
};
// clang-format on
static_assert(std::ranges::is_sorted(rows, {}, &special_register::number));

// --- The checks before an access

privilege privilege_of(const registers& state) {
    if ((state.msr & msr_pr) != 0) {
        return privilege::problem;
    }
    if ((state.msr & msr_hv) == 0) {
        return privilege::supervisor;
    }
    return (state.msr & msr_s) == 0 ? privilege::hypervisor : privilege::ultravisor;
}

/// Numbers with this bit are privileged.
constexpr unsigned privileged_number = 0x10;

/// An access to a number that the processor has not, or not for this state: numbers of problem state, and 0, 4, 5 and
/// 6, ask for emulation; privileged ones are a privilege violation in problem state; nothing happens otherwise.
template <bool writes>
const op* undefined_access(core& c, const op* o) {
    const auto number = static_cast<unsigned>(o->imm);
    const bool problem = (c.state.msr & msr_pr) != 0;
    if ((number & privileged_number) != 0) {
        return problem ? not_privileged(c, o) : next(c, o);
    }
    const bool emulated = number == 0 || (!writes && number >= 4 && number <= 6);
    return problem || emulated ? illegal(c, o) : next(c, o);
}

const op* read_plain(core& c, const op* o) {
    c.state.gpr[o->t] = c.state.special[o->a];
    return next(c, o);
}
const op* write_plain(core& c, const op* o) {
    c.state.special[o->a] = c.state.gpr[o->t];
    return next(c, o);
}

/// Registers of 32 bits, and XER, whose upper half is reserved.
const op* write_word(core& c, const op* o) {
    c.state.special[o->a] = c.state.gpr[o->t] & word;
    return next(c, o);
}

/// The general access: op::imm is the number.
template <bool writes>
const op* checked_access(core& c, const op* o) {
    const special_register& row = *find_special_register(static_cast<unsigned>(o->imm));
    const privilege state = privilege_of(c.state);
    if (state < (writes ? row.writes : row.reads)) {
        return undefined_access<writes>(c, o);
    }
    if (state == privilege::problem && row.needs != 0 && !fscr_enables(c.state[spr::fscr], row.needs)) {
        return not_enabled(c, o, row.needs);
    }
    if (const handler special = writes ? row.write : row.read; special != nullptr) {
        return special(c, o);
    }
    if constexpr (writes) {
        u64& target = c.state[row.held_in];
        target = (target & ~row.writable) | (c.state.gpr[o->t] & row.writable);
    } else {
        c.state.gpr[o->t] = c.state[row.held_in];
    }
    return next(c, o);
}

template <bool writes>
handler select_access(std::uint32_t instruction_word, op& decoded) {
    decoded.imm = fields::spr.of(instruction_word);
    const special_register* row = find_special_register(static_cast<unsigned>(decoded.imm));
    if (row == nullptr) {
        return undefined_access<writes>;
    }
    const privilege least = writes ? row->writes : row->reads;
    if (least != privilege::problem || row->needs != 0) {
        return checked_access<writes>;
    }
    if (const handler special = writes ? row->write : row->read; special != nullptr) {
        return special;
    }
    decoded.a = static_cast<std::uint8_t>(row->held_in);
    if constexpr (writes) {
        return row->writable == all ? write_plain : row->writable == word ? write_word : checked_access<true>;
    } else {
        return read_plain;
    }
}

}  // namespace

std::span<const special_register> special_registers() { return rows; }

namespace {

using row_by_number = std::array<const special_register*, 1024>;

row_by_number make_row_by_number() {
    row_by_number table{};
    for (const std::span<const special_register> each : {special_registers(), supervisor_registers()}) {
        for (const special_register& row : each) {
            table.at(row.number) = &row;
        }
    }
    return table;
}

}  // namespace

/// Privileged accesses look here each time that they are executed.
const special_register* find_special_register(unsigned number) {
    static const row_by_number table = make_row_by_number();
    return number < table.size() ? table[number] : nullptr;
}

handler select_mfspr(std::uint32_t instruction_word, unsigned /*index*/, op& decoded) {
    return select_access<false>(instruction_word, decoded);
}
handler select_mtspr(std::uint32_t instruction_word, unsigned /*index*/, op& decoded) {
    return select_access<true>(instruction_word, decoded);
}

void set_program_priority(registers& state, unsigned priority) {
    constexpr unsigned medium = 4;
    constexpr unsigned medium_high = 5;
    constexpr unsigned high = 6;
    constexpr unsigned very_high = 7;
    const bool boosted = static_cast<std::uint32_t>(state[spr::pspb]) != 0;
    const privilege level = privilege_of(state);
    const unsigned highest = level == privilege::problem      ? (boosted ? medium_high : medium)
                             : level == privilege::supervisor ? high
                                                              : very_high;
    if (priority != 0 && priority <= highest) {
        u64& ppr = state[spr::ppr];
        ppr = (ppr & ~(u64{7} << pri)) | u64{priority} << pri;
    }
}

}  // namespace pefsim::power::isa
