// SPDX-License-Identifier: Apache-2.0
#include "power/engine/core.h"
#include "power/instructions/facility.h"
#include "power/instructions/instructions.h"
#include "power/instructions/integers.h"
#include "power/instructions/near_branch.h"

namespace pefsim::power::isa {
namespace {

// --- 2.4 Branch instructions. Branches within a small page are resolved when they are decoded: their targets are ops.

void set_link(core& c, const op* o) { c.state[spr::lr] = c.nia(o); }

/// Leaves what near_target() wants in op::imm.
void resolve(op& decoded) { decoded.imm = decoded.imm / 4 * static_cast<std::int32_t>(sizeof(op)); }

template <bool sets_lr>
const op* b_near(core& c, const op* o) {
    if constexpr (sets_lr) {
        set_link(c, o);
    }
    return c.branch_near(o, near_target(o));
}

template <bool sets_lr, bool is_absolute>
const op* b_far(core& c, const op* o) {
    const u64 cia = c.cia(o);
    if constexpr (sets_lr) {
        set_link(c, o);
    }
    return c.branch_far(o, (is_absolute ? 0 : cia) + static_cast<u64>(std::int64_t{o->imm}));
}

handler select_b(std::uint32_t word, unsigned index, op& decoded) {
    const bool links = link.of(word) != 0;
    if (absolute.of(word) != 0) {
        return links ? b_far<true, true> : b_far<false, true>;
    }
    if (stays_in_page(index, decoded.imm)) {
        resolve(decoded);
        return links ? b_near<true> : b_near<false>;
    }
    return links ? b_far<true, false> : b_far<false, false>;
}

/// What BO asks for, besides hints: BO = (ignore CR) (CR sense) (ignore CTR) (CTR sense) hint.
enum class cr_test : std::uint8_t { always, if_false, if_true };
enum class ctr_test : std::uint8_t { untouched, not_zero, zero };

constexpr cr_test condition_of(unsigned bo) {
    return (bo & 16) != 0 ? cr_test::always : (bo & 8) != 0 ? cr_test::if_true : cr_test::if_false;
}
constexpr ctr_test counter_of(unsigned bo) {
    return (bo & 4) != 0 ? ctr_test::untouched : (bo & 2) != 0 ? ctr_test::zero : ctr_test::not_zero;
}

/// ctr_ok & cond_ok. op::b is the field of CR, op::c the bit in it. bcctr, for which counting is an invalid form, tests
/// CTR before it counts.
template <cr_test cr, ctr_test ctr, bool tests_first>
[[gnu::always_inline]] inline bool taken(core& c, const op* o) {
    bool ok = true;
    if constexpr (ctr != ctr_test::untouched) {
        const u64 count = (tests_first ? c.state[spr::ctr]-- : --c.state[spr::ctr]) & c.ea_mask();
        ok = (count == 0) == (ctr == ctr_test::zero);
    }
    if constexpr (cr != cr_test::always) {
        ok = ok && ((c.state.cr.field[o->b] & o->c) != 0) == (cr == cr_test::if_true);
    }
    return ok;
}

enum class destination : std::uint8_t { near, relative, absolute, lr, ctr, tar };

template <destination to>
[[gnu::always_inline]] inline u64 target_of(core& c, const op* o) {
    switch (to) {
    case destination::lr:
        return c.state[spr::lr];
    case destination::ctr:
        return c.state[spr::ctr];
    case destination::tar:
        return c.state[spr::tar];
    case destination::absolute:
        return static_cast<u64>(std::int64_t{o->imm});
    default:
        return c.cia(o) + static_cast<u64>(std::int64_t{o->imm});
    }
}

template <destination to, bool sets_lr, cr_test cr, ctr_test ctr>
const op* conditional(core& c, const op* o) {
    if constexpr (to == destination::tar) {
        if ((c.state.msr & msr_pr) != 0 && !fscr_enables(c.state[spr::fscr], facility_cause::tar))
            [[unlikely]] {
            return not_enabled(c, o, facility_cause::tar);
        }
    }
    const u64 target = to == destination::near ? 0 : target_of<to>(c, o);  // before LR is changed
    const bool go = taken<cr, ctr, to == destination::ctr>(c, o);
    if constexpr (sets_lr) {
        set_link(c, o);
    }
    if (!go) {
        return next(c, o);
    }
    if constexpr (to == destination::near) {
        return c.branch_near(o, near_target(o));
    } else {
        return c.branch_far(o, target);
    }
}

template <destination to, bool sets_lr, cr_test cr>
handler with_counter(ctr_test ctr) {
    switch (ctr) {
    case ctr_test::zero:
        return conditional<to, sets_lr, cr, ctr_test::zero>;
    case ctr_test::not_zero:
        return conditional<to, sets_lr, cr, ctr_test::not_zero>;
    default:
        return conditional<to, sets_lr, cr, ctr_test::untouched>;
    }
}

template <destination to, bool sets_lr>
handler with_condition(cr_test cr, ctr_test ctr) {
    switch (cr) {
    case cr_test::if_true:
        return with_counter<to, sets_lr, cr_test::if_true>(ctr);
    case cr_test::if_false:
        return with_counter<to, sets_lr, cr_test::if_false>(ctr);
    default:
        return with_counter<to, sets_lr, cr_test::always>(ctr);
    }
}

template <destination to>
handler select_to(std::uint32_t word, unsigned /*index*/, op& decoded) {
    const unsigned bo = decoded.t;
    const unsigned bi = decoded.a;
    decoded.b = static_cast<std::uint8_t>(bi / 4);
    decoded.c = static_cast<std::uint8_t>(8U >> bi % 4);
    return link.of(word) != 0 ? with_condition<to, true>(condition_of(bo), counter_of(bo))
                              : with_condition<to, false>(condition_of(bo), counter_of(bo));
}

handler select_bc(std::uint32_t word, unsigned index, op& decoded) {
    if (absolute.of(word) != 0) {
        return select_to<destination::absolute>(word, index, decoded);
    }
    if (!stays_in_page(index, decoded.imm)) {
        return select_to<destination::relative>(word, index, decoded);
    }
    resolve(decoded);
    return select_to<destination::near>(word, index, decoded);
}

// --- 2.5 Condition register instructions

bool cr_bit(const core& c, unsigned n) { return (c.state.cr.field[n / 4] & 8U >> n % 4) != 0; }

template <bool (*f)(bool, bool)>
const op* condition_logic(core& c, const op* o) {
    const bool result = f(cr_bit(c, o->a), cr_bit(c, o->b));
    std::uint8_t& field = c.state.cr.field[o->t / 4];
    const unsigned mask = 8U >> o->t % 4;
    field = static_cast<std::uint8_t>(result ? field | mask : field & ~mask);
    return next(c, o);
}

template <bool (*f)(bool, bool)>
handler cr_logic(std::uint32_t /*word*/, unsigned /*index*/, op& /*decoded*/) {
    return condition_logic<f>;
}

bool cr_and(bool a, bool b) { return a && b; }
bool cr_nand(bool a, bool b) { return !(a && b); }
bool cr_or(bool a, bool b) { return a || b; }
bool cr_xor(bool a, bool b) { return a != b; }
bool cr_nor(bool a, bool b) { return !(a || b); }
bool cr_eqv(bool a, bool b) { return a == b; }
bool cr_andc(bool a, bool b) { return a && !b; }
bool cr_orc(bool a, bool b) { return a || !b; }

const op* mcrf(core& c, const op* o) {
    c.state.cr.field[o->t] = c.state.cr.field[o->a];
    return next(c, o);
}

// --- 2.6 System call instructions

/// What a call is to (bits 25:26; the rest of LEV is reserved). Calls to the hypervisor and the ultravisor are theirs
/// in problem state too: whoever serves them looks at MSR[PR].
const op* sc(core& c, const op* o) {
    switch (o->imm >> 5 & 3) {
    case 1:
        return c.leave_after(o, exit_reason::hypercall);
    case 2:
        return c.leave_after(o, exit_reason::ultracall);
    default:
        return c.raise(o, {.which = vector::system_call, .completes = true});
    }
}

const op* scv(core& c, const op* o) {
    if (!fscr_enables(c.state[spr::fscr], facility_cause::scv)) [[unlikely]] {
        return not_enabled(c, o, facility_cause::scv);
    }
    const auto level = static_cast<std::uint8_t>(o->imm >> 5 & 0x7f);
    return c.raise(o, {.which = vector::system_call_vectored, .completes = true, .level = level});
}

using enum operand;
using enum facility;
using enum instruction_class;

/// Branch facility: Power ISA 3.0B Book I chapter 2.
// clang-format off
constexpr instruction_row rows[] = {
    // 2.4 Branch instructions
    {"b",      i_form(18),                   {target_i},   aa | lk, branch, jump, select_b},
    {"bc",     b_form(16),                   {bo, bi, target_b}, aa | lk, branch, jump, select_bc},
    {"bclr",   xl_form(19, 16),              {bo, bi, bh}, lk,      branch, jump, select_to<destination::lr>},
    {"bcctr",  xl_form(19, 528),             {bo, bi, bh}, lk,      branch, jump, select_to<destination::ctr>},
    {"bctar",  xl_form(19, 560),             {bo, bi, bh}, lk,      branch, jump, select_to<destination::tar>},

    // 2.5 Condition register instructions
    {"crand",  xl_form(19, 257),             {bt, ba, bb}, plain,   branch, condition, cr_logic<cr_and>},
    {"crnand", xl_form(19, 225),             {bt, ba, bb}, plain,   branch, condition, cr_logic<cr_nand>},
    {"cror",   xl_form(19, 449),             {bt, ba, bb}, plain,   branch, condition, cr_logic<cr_or>},
    {"crxor",  xl_form(19, 193),             {bt, ba, bb}, plain,   branch, condition, cr_logic<cr_xor>},
    {"crnor",  xl_form(19, 33),              {bt, ba, bb}, plain,   branch, condition, cr_logic<cr_nor>},
    {"creqv",  xl_form(19, 289),             {bt, ba, bb}, plain,   branch, condition, cr_logic<cr_eqv>},
    {"crandc", xl_form(19, 129),             {bt, ba, bb}, plain,   branch, condition, cr_logic<cr_andc>},
    {"crorc",  xl_form(19, 417),             {bt, ba, bb}, plain,   branch, condition, cr_logic<cr_orc>},
    {"mcrf",   xl_form(19, 0),               {bf, bfa},    plain,   branch, condition, always<mcrf>},

    // 2.6 System call instructions
    {"sc",     sc_form(17).with(bit(30), 1), {lev_or_0},   plain,   system, call, always<sc>},
    {"scv",    sc_form(17).with(bits(30, 31), 1), {lev},   plain,   system, call, always<scv>},
};
// clang-format on

}  // namespace

bool stays_in_page(unsigned index, std::int32_t displacement) {
    const std::int64_t target = std::int64_t{index} + displacement / 4;
    return target >= 0 && target < static_cast<std::int64_t>(words_per_page);
}

std::span<const instruction_row> branch_rows() { return rows; }

}  // namespace pefsim::power::isa
