// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/special_register_access.h"

#include "power/instructions/facility.h"
#include "power/instructions/integers.h"
#include "power/instructions/special_registers.h"
#include "power/isa/operand.h"

namespace pefsim::power::isa {
namespace {

constexpr u64 word = 0xffff'ffff;
constexpr u64 all = ~u64{0};

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
        const u64 writable = row.writable_bits();
        u64& target = c.state[*row.held_in];
        target = (target & ~writable) | (c.state.gpr[o->t] & writable);
    } else {
        c.state.gpr[o->t] = c.state[*row.held_in];
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
    decoded.a = static_cast<std::uint8_t>(*row->held_in);
    if constexpr (writes) {
        const u64 writable = row->writable_bits();
        return writable == all ? write_plain : writable == word ? write_word : checked_access<true>;
    } else {
        return read_plain;
    }
}

}  // namespace

handler select_mfspr(std::uint32_t instruction_word, unsigned /*index*/, op& decoded) {
    return select_access<false>(instruction_word, decoded);
}
handler select_mtspr(std::uint32_t instruction_word, unsigned /*index*/, op& decoded) {
    return select_access<true>(instruction_word, decoded);
}

}  // namespace pefsim::power::isa
