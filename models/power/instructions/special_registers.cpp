// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/special_registers.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "power/instructions/facility.h"
#include "power/instructions/integers.h"

namespace pefsim::power::isa {
namespace {

constexpr u64 word = 0xffff'ffff;
constexpr u64 all = ~u64{0};
/// XER (Book I 3.2.2): bits 35:43, between SO, OV, CA and OV32, CA32, are zero; those behind them are kept as they are
/// written.
constexpr u64 xer_bits = word & ~u64{0x1ff0'0000};

// --- What is not a plain register

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

/// Reserved numbers, and what a guest may write without effect.
const op* nothing(core& c, const op* o) { return next(c, o); }

const op* read_zero(core& c, const op* o) {
    c.state.gpr[o->t] = 0;
    return next(c, o);
}

// --- Time. The processor is always dispatched: PURR, SPURR and VTB advance with the time base.

const op* read_time_base(core& c, const op* o) {
    c.state.gpr[o->t] = c.read_time_base(o);
    return next(c, o);
}
const op* read_upper_time_base(core& c, const op* o) {
    c.state.gpr[o->t] = c.read_time_base(o) >> 32;
    return next(c, o);
}
const op* read_dec(core& c, const op* o) {
    c.state.gpr[o->t] = c.dec.value(c.time_base(o), c.decrementer_width());
    return next(c, o);
}
const op* write_dec(core& c, const op* o) {
    c.set_decrementer(o, c.state.gpr[o->t]);
    return next(c, o);
}
const op* read_instruction_count(core& c, const op* o) {
    c.state.gpr[o->t] = c.instructions_before(o);
    return next(c, o);
}

// --- What translations depend on

/// Fetches depend on it, too: the next instruction is fetched anew, so that a program runs alike however it is cut into
/// runs.
const op* go_on_anew(core& c, const op* o) {
    c.state.nip = c.nia(o);
    return c.resynchronise(o);
}

const op* write_pidr(core& c, const op* o) {
    const u64 value = c.state.gpr[o->t] & word;
    if (c.state[spr::pidr] == value) {
        return next(c, o);
    }
    c.state[spr::pidr] = value;
    return go_on_anew(c, o);
}

/// AMOR says which bits a guest's kernel may change.
template <spr which>
const op* write_masked_by_amor(core& c, const op* o) {
    const u64 mask = (c.state.msr & msr_hv) != 0 ? all : c.state[spr::amor];
    u64& target = c.state[which];
    const u64 value = (target & ~mask) | (c.state.gpr[o->t] & mask);
    if (target == value) {
        return next(c, o);
    }
    target = value;
    if constexpr (which == spr::iamr) {
        return go_on_anew(c, o);
    }
    if constexpr (which == spr::amr) {
        c.context_changed();
    }
    return next(c, o);
}

// --- The processor itself

const op* read_pvr(core& c, const op* o) {
    c.state.gpr[o->t] = processor_version;
    return next(c, o);
}
constexpr u64 ctrl_run = 1;

// --- Event-based branches: sets and resets bits of BESCR, of all of it or of its upper word

template <unsigned shift, bool sets>
const op* change_bescr(core& c, const op* o) {
    const u64 bits = shift == 0 ? c.state.gpr[o->t] : (c.state.gpr[o->t] & word) << shift;
    u64& bescr = c.state[spr::bescr];
    bescr = sets ? bescr | bits : bescr & ~bits;
    return next(c, o);
}
const op* read_upper_bescr(core& c, const op* o) {
    c.state.gpr[o->t] = c.state[spr::bescr] >> 32;
    return next(c, o);
}

// --- The performance monitor from problem state: MMCR0[PMCC] decides (9.4.4)

constexpr unsigned pmcc_shift = 63 - 45;

template <spr which>
const op* read_monitor(core& c, const op* o) {
    if ((c.state[spr::mmcr0] >> pmcc_shift & 3) == 1 && (c.state.msr & msr_pr) != 0) {
        return not_enabled(c, o, facility_cause::pmu);
    }
    c.state.gpr[o->t] = c.state[which];
    return next(c, o);
}
/// Group A: counters and what starts and stops them.
template <spr which, u64 bits>
const op* write_monitor(core& c, const op* o) {
    if ((c.state.msr & msr_pr) != 0) {
        switch (c.state[spr::mmcr0] >> pmcc_shift & 3) {
        case 0:
            return illegal(c, o);
        case 1:
            return not_enabled(c, o, facility_cause::pmu);
        default:
            break;
        }
    }
    u64& target = c.state[which];
    target = (target & ~bits) | (c.state.gpr[o->t] & bits);
    return next(c, o);
}
/// MMCR0: what problem state may change of it: FC, PMAE, PMAO.
constexpr u64 mmcr0_from_problem_state = u64{1} << (63 - 32) | u64{1} << (63 - 37) | u64{1} << (63 - 56);
/// MMCR2: the same, of the counters' freeze bits.
constexpr u64 mmcr2_from_problem_state = 0x4020'1008'0402'0000;

using enum privilege;
using enum spr_mnemonics;

// clang-format off
constexpr std::array rows = std::to_array<special_register>({
    // number, name, moves, bits, read by,  written by, held in,        read, write, writable, needs
    {   1, "xer",      both,   64, problem,    problem,    spr::xer,    nullptr, nullptr, xer_bits},
    {   3, "udscr",    both,   64, problem,    problem,    spr::dscr,   nullptr, nullptr, all, facility_cause::dscr},
    {   8, "lr",       both,   64, problem,    problem,    spr::lr},
    {   9, "ctr",      both,   64, problem,    problem,    spr::ctr},
    {  13, "uamr",     both,   64, problem,    problem,    spr::amr,    nullptr, write_amr},
    {  17, "dscr",     both,   64, supervisor, supervisor, spr::dscr},
    {  18, "dsisr",    both,   32, supervisor, supervisor, spr::dsisr},
    {  19, "dar",      both,   64, supervisor, supervisor, spr::dar},
    {  22, "dec",      both,   64, supervisor, supervisor, spr::dec,    read_dec, write_dec},
    {  26, "srr0",     both,   64, supervisor, supervisor, spr::srr0},
    {  27, "srr1",     both,   64, supervisor, supervisor, spr::srr1},
    {  28, "cfar",     both,   64, supervisor, supervisor, spr::cfar,   read_cfar, write_cfar},
    {  29, "amr",      both,   64, supervisor, supervisor, spr::amr,    nullptr, write_masked_by_amor<spr::amr>},
    {  48, "pidr",     number, 32, supervisor, supervisor, spr::pidr,   nullptr, write_pidr},
    {  61, "iamr",     number, 64, supervisor, supervisor, spr::iamr,   nullptr, write_masked_by_amor<spr::iamr>},
    { 128, "tfhar",    to,     64, problem,    problem,    spr::tfhar,  no_transactions, no_transactions},
    { 129, "tfiar",    to,     64, problem,    problem,    spr::tfiar,  no_transactions, no_transactions},
    { 130, "texasr",   to,     64, problem,    problem,    {},          no_transactions, no_transactions},
    { 131, "texasru",  to,     32, problem,    problem,    {},          no_transactions, no_transactions},
    { 136, "ctrl",     from,   64, problem,    nobody,     spr::ctrl},
    { 144, "tidr",     number, 64, supervisor, supervisor, spr::tidr},
    { 152, "ctrl",     to,     64, nobody,     supervisor, spr::ctrl,   nullptr, nullptr, ctrl_run},
    { 153, "fscr",     number, 64, supervisor, supervisor, spr::fscr},
    { 157, "uamor",    both,   64, supervisor, supervisor, spr::uamor,  nullptr, write_masked_by_amor<spr::uamor>},
    { 159, "pspb",     number, 32, supervisor, supervisor, spr::pspb},
    { 176, "dpdes",    number, 64, supervisor, hypervisor, spr::dpdes,  nullptr, nullptr, 1},
    { 180, "dawr0",    number, 64, hypervisor, hypervisor, spr::dawr},
    { 186, "rpr",      number, 64, nobody,     nobody},
    { 187, "ciabr",    number, 64, hypervisor, hypervisor, spr::ciabr},
    { 188, "dawrx0",   number, 32, hypervisor, hypervisor, spr::dawrx},
    { 190, "hfscr",    number, 64, nobody,     nobody},
    { 256, "vrsave",   both,   32, problem,    problem,    spr::vrsave},
    { 259, "usprg3",   number, 64, problem,    nobody,     spr::sprg3},
    { 268, "tb",       from,   64, problem,    nobody,     {},          read_time_base},
    { 269, "tbu",      from,   32, problem,    nobody,     {},          read_upper_time_base},
    { 272, "sprg0",    number, 64, supervisor, supervisor, spr::sprg0},
    { 273, "sprg1",    number, 64, supervisor, supervisor, spr::sprg1},
    { 274, "sprg2",    number, 64, supervisor, supervisor, spr::sprg2},
    { 275, "sprg3",    number, 64, supervisor, supervisor, spr::sprg3},
    { 276, "sprc",     number, 64, nobody,     nobody},
    { 277, "sprd",     number, 64, nobody,     nobody},
    { 283, "cir",      number, 64, nobody,     nobody},
    { 284, "tbl",      to,     32, nobody,     nobody},
    { 285, "tbu",      to,     32, nobody,     nobody},
    { 286, "tbu40",    number, 64, nobody,     nobody},
    { 287, "pvr",      from,   32, supervisor, nobody,     {},          read_pvr},
    { 304, "hsprg0",   number, 64, nobody,     nobody},
    { 305, "hsprg1",   number, 64, nobody,     nobody},
    { 306, "hdsisr",   number, 32, hypervisor, hypervisor, spr::hdsisr},
    { 307, "hdar",     number, 64, hypervisor, hypervisor, spr::hdar},
    { 308, "spurr",    number, 64, supervisor, hypervisor, spr::spurr,  read_time_base, nothing},
    { 309, "purr",     number, 64, supervisor, hypervisor, spr::purr,   read_time_base, nothing},
    { 310, "hdec",     number, 64, nobody,     nobody},
    { 313, "hrmor",    number, 64, nobody,     nobody},
    { 314, "hsrr0",    number, 64, hypervisor, hypervisor, spr::hsrr0},
    { 315, "hsrr1",    number, 64, hypervisor, hypervisor, spr::hsrr1},
    { 318, "lpcr",     number, 64, hypervisor, hypervisor, spr::lpcr},
    { 319, "lpidr",    number, 32, hypervisor, hypervisor, spr::lpidr},
    { 336, "hmer",     both,   64, nobody,     nobody},
    { 337, "hmeer",    both,   64, nobody,     nobody},
    { 338, "pcr",      number, 64, nobody,     nobody},
    { 339, "heir",     number, 32, hypervisor, hypervisor, spr::heir},
    { 349, "amor",     both,   64, hypervisor, hypervisor, spr::amor},
    { 446, "tir",      number, 64, supervisor, nobody,     {},          read_zero},
    { 464, "ptcr",     number, 64, nobody,     nobody},
    { 496, "usprg0",   number, 64, nobody,     nobody},
    { 497, "usprg1",   number, 64, nobody,     nobody},
    { 505, "urmor",    number, 64, nobody,     nobody},
    { 506, "usrr0",    number, 64, nobody,     nobody},
    { 507, "usrr1",    number, 64, nobody,     nobody},
    { 511, "smfctrl",  number, 64, nobody,     nobody},
    { 768, "usier",    number, 64, problem,    nobody,     {},          read_monitor<spr::sier>},
    { 769, "ummcr2",   both,   64, problem,    problem,    {},          read_monitor<spr::mmcr2>, write_monitor<spr::mmcr2, mmcr2_from_problem_state>},
    { 770, "ummcra",   both,   64, problem,    problem,    {},          read_monitor<spr::mmcra>, write_monitor<spr::mmcra, 0>},
    { 771, "upmc1",    both,   32, problem,    problem,    {},          read_monitor<spr::pmc1>, write_monitor<spr::pmc1, word>},
    { 772, "upmc2",    both,   32, problem,    problem,    {},          read_monitor<spr::pmc2>, write_monitor<spr::pmc2, word>},
    { 773, "upmc3",    both,   32, problem,    problem,    {},          read_monitor<spr::pmc3>, write_monitor<spr::pmc3, word>},
    { 774, "upmc4",    both,   32, problem,    problem,    {},          read_monitor<spr::pmc4>, write_monitor<spr::pmc4, word>},
    { 775, "upmc5",    both,   32, problem,    problem,    {},          read_monitor<spr::pmc5>, write_monitor<spr::pmc5, word>},
    { 776, "upmc6",    both,   32, problem,    problem,    {},          read_monitor<spr::pmc6>, write_monitor<spr::pmc6, word>},
    { 779, "ummcr0",   both,   32, problem,    problem,    {},          read_monitor<spr::mmcr0>, write_monitor<spr::mmcr0, mmcr0_from_problem_state>},
    { 780, "usiar",    from,   64, problem,    nobody,     {},          read_monitor<spr::siar>},
    { 781, "usdar",    from,   64, problem,    nobody,     {},          read_monitor<spr::sdar>},
    { 782, "ummcr1",   from,   64, problem,    nobody,     {},          read_monitor<spr::mmcr1>},
    { 784, "sier",     number, 64, supervisor, supervisor, spr::sier},
    { 785, "mmcr2",    number, 64, supervisor, supervisor, spr::mmcr2},
    { 786, "mmcra",    to,     64, supervisor, supervisor, spr::mmcra},
    { 787, "pmc1",     to,     32, supervisor, supervisor, spr::pmc1},
    { 788, "pmc2",     to,     32, supervisor, supervisor, spr::pmc2},
    { 789, "pmc3",     to,     32, supervisor, supervisor, spr::pmc3},
    { 790, "pmc4",     to,     32, supervisor, supervisor, spr::pmc4},
    { 791, "pmc5",     to,     32, supervisor, supervisor, spr::pmc5},
    { 792, "pmc6",     to,     32, supervisor, supervisor, spr::pmc6},
    { 795, "mmcr0",    to,     32, supervisor, supervisor, spr::mmcr0},
    { 796, "siar",     number, 64, supervisor, supervisor, spr::siar},
    { 797, "sdar",     number, 64, supervisor, supervisor, spr::sdar},
    { 798, "mmcr1",    to,     64, supervisor, supervisor, spr::mmcr1},
    { 799, "imc",      number, 64, nobody,     nobody},
    { 800, "bescrs",   both,   64, problem,    problem,    spr::bescr,  nullptr, change_bescr<0, true>, all, facility_cause::ebb},
    { 801, "bescrsu",  both,   32, problem,    problem,    {},          read_upper_bescr, change_bescr<32, true>, all, facility_cause::ebb},
    { 802, "bescrr",   both,   64, problem,    problem,    spr::bescr,  nullptr, change_bescr<0, false>, all, facility_cause::ebb},
    { 803, "bescrru",  both,   32, problem,    problem,    {},          read_upper_bescr, change_bescr<32, false>, all, facility_cause::ebb},
    { 804, "ebbhr",    both,   64, problem,    problem,    spr::ebbhr,  nullptr, nullptr, ~u64{3}, facility_cause::ebb},
    { 805, "ebbrr",    both,   64, problem,    problem,    spr::ebbrr,  nullptr, nullptr, all, facility_cause::ebb},
    { 806, "bescr",    both,   64, problem,    problem,    spr::bescr,  nullptr, nullptr, all, facility_cause::ebb},
    { 808, "",         number, 64, problem,    problem,    {},          nothing, nothing},
    { 809, "",         number, 64, problem,    problem,    {},          nothing, nothing},
    { 810, "",         number, 64, problem,    problem,    {},          nothing, nothing},
    { 811, "",         number, 64, problem,    problem,    {},          nothing, nothing},
    { 815, "tar",      both,   64, problem,    problem,    spr::tar,    nullptr, nullptr, all, facility_cause::tar},
    { 816, "asdr",     number, 64, nobody,     nobody,     spr::asdr},
    { 823, "upsscr",   number, 64, supervisor, supervisor, spr::psscr},
    { 848, "ic",       both,   64, supervisor, hypervisor, {},          read_instruction_count, nothing},
    { 849, "vtb",      both,   64, supervisor, hypervisor, {},          read_time_base, nothing},
    { 850, "ldbar",    number, 64, nobody,     nobody},
    { 851, "mmcrc",    number, 64, nobody,     nobody,     spr::mmcrc},
    { 853, "pmsr",     number, 64, nobody,     nobody},
    { 855, "psscr",    number, 64, hypervisor, hypervisor, spr::psscr},
    { 861, "l2qosr",   number, 64, nobody,     nobody},
    { 880, "trig0",    number, 64, nobody,     supervisor, {},          nothing, nothing},
    { 881, "trig1",    number, 64, nobody,     supervisor, {},          nothing, nothing},
    { 882, "trig2",    number, 64, nobody,     supervisor, {},          nothing, nothing},
    { 884, "pmcr",     number, 64, nobody,     nobody},
    { 885, "rwmr",     number, 64, nobody,     nobody},
    { 895, "wort",     number, 64, nobody,     nobody},
    { 896, "ppr",      both,   64, problem,    problem,    spr::ppr,    nullptr, write_ppr},
    { 898, "ppr32",    both,   32, problem,    problem,    {},          read_ppr32, write_ppr32},
    { 921, "tscr",     number, 64, nobody,     nobody},
    { 922, "ttr",      number, 64, nobody,     nobody},
    {1008, "hid",      number, 64, nobody,     nobody},
    {1023, "pir",      number, 64, supervisor, hypervisor, spr::pir},
    {special_register::no_number, "trace", number, 64, nobody,     nobody,     spr::trace},
});
// clang-format on
static_assert(std::ranges::is_sorted(rows, {}, &special_register::number));

using row_by_number = std::array<const special_register*, 1024>;

row_by_number make_row_by_number() {
    row_by_number table{};
    for (const special_register& row : rows) {
        if (row.reads != nobody || row.writes != nobody) {
            table.at(row.number) = &row;
        }
    }
    return table;
}

}  // namespace

std::span<const special_register> special_registers() { return rows; }

/// Privileged accesses look here each time that they are executed.
const special_register* find_special_register(unsigned number) {
    static const row_by_number table = make_row_by_number();
    return number < table.size() ? table[number] : nullptr;
}

const special_register& special_register_of(spr which) {
    const special_register* found = nullptr;
    for (const special_register& row : rows) {
        found = row.held_in == which ? &row : found;
    }
    if (found == nullptr) {
        throw std::logic_error("isa::special_register_of: a register that is not in the table");
    }
    return *found;
}

privilege privilege_of(const registers& state) {
    if ((state.msr & msr_pr) != 0) {
        return privilege::problem;
    }
    if ((state.msr & msr_hv) == 0) {
        return privilege::supervisor;
    }
    return (state.msr & msr_s) == 0 ? privilege::hypervisor : privilege::ultravisor;
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
