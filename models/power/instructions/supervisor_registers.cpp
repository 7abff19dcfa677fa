// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "power/instructions/integers.h"
#include "power/instructions/special_registers.h"

/// Special purpose registers of a guest's kernel, and the performance monitor's (Power ISA 3.0B Book III 4.4.4, POWER9
/// Processor User's Manual).
namespace pefsim::power::isa {
namespace {

using enum privilege;

constexpr u64 word = 0xffff'ffff;
constexpr u64 all = ~u64{0};

const op* nothing(core& c, const op* o) { return next(c, o); }
const op* read_zero(core& c, const op* o) {
    c.state.gpr[o->t] = 0;
    return next(c, o);
}

// --- Time. The processor is always dispatched: PURR, SPURR and VTB advance with the time base.

const op* read_dec(core& c, const op* o) {
    c.state.gpr[o->t] = c.dec.value(c.time_base(o), c.decrementer_width());
    return next(c, o);
}
const op* write_dec(core& c, const op* o) {
    c.set_decrementer(o, c.state.gpr[o->t]);
    return next(c, o);
}
const op* read_time(core& c, const op* o) {
    c.state.gpr[o->t] = c.read_time_base(o);
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

/// Of rows whose handlers do all.
constexpr spr by_handlers{};

// clang-format off
constexpr special_register rows[] = {
    // number, register,    reads,      writes,     writable, needs, read, write
    { 18, spr::dsisr,  supervisor, supervisor, word},
    { 19, spr::dar,    supervisor, supervisor},
    { 22, by_handlers, supervisor, supervisor, all,  0, read_dec, write_dec},
    { 26, spr::srr0,   supervisor, supervisor},
    { 27, spr::srr1,   supervisor, supervisor},
    { 29, spr::amr,    supervisor, supervisor, all,  0, nullptr, write_masked_by_amor<spr::amr>},
    { 48, spr::pidr,   supervisor, supervisor, word, 0, nullptr, write_pidr},
    { 61, spr::iamr,   supervisor, supervisor, all,  0, nullptr, write_masked_by_amor<spr::iamr>},
    {136, spr::ctrl,   problem,    nobody},
    {144, spr::tidr,   supervisor, supervisor},
    {152, spr::ctrl,   nobody,     supervisor, ctrl_run},
    {157, spr::uamor,  supervisor, supervisor, all,  0, nullptr, write_masked_by_amor<spr::uamor>},
    {159, spr::pspb,   supervisor, supervisor, word},
    {176, spr::dpdes,  supervisor, hypervisor, 1},
    {180, spr::dawr,   hypervisor, hypervisor},
    {187, spr::ciabr,  hypervisor, hypervisor},
    {188, spr::dawrx,  hypervisor, hypervisor, word},
    {272, spr::sprg0,  supervisor, supervisor},
    {273, spr::sprg1,  supervisor, supervisor},
    {274, spr::sprg2,  supervisor, supervisor},
    {275, spr::sprg3,  supervisor, supervisor},
    {287, by_handlers, supervisor, nobody,     0,    0, read_pvr},
    {306, spr::hdsisr, hypervisor, hypervisor, word},
    {307, spr::hdar,   hypervisor, hypervisor},
    {308, by_handlers, supervisor, hypervisor, 0,    0, read_time, nothing},
    {309, by_handlers, supervisor, hypervisor, 0,    0, read_time, nothing},
    {314, spr::hsrr0,  hypervisor, hypervisor},
    {315, spr::hsrr1,  hypervisor, hypervisor},
    {318, spr::lpcr,   hypervisor, hypervisor},
    {319, spr::lpidr,  hypervisor, hypervisor, word},
    {339, spr::heir,   hypervisor, hypervisor, word},
    {349, spr::amor,   hypervisor, hypervisor},
    {446, by_handlers, supervisor, nobody,     0,    0, read_zero},
    {768, by_handlers, problem,    nobody,     0,    0, read_monitor<spr::sier>},
    {769, by_handlers, problem,    problem,    0,    0, read_monitor<spr::mmcr2>, write_monitor<spr::mmcr2, mmcr2_from_problem_state>},
    {770, by_handlers, problem,    problem,    0,    0, read_monitor<spr::mmcra>, write_monitor<spr::mmcra, 0>},
    {771, by_handlers, problem,    problem,    0,    0, read_monitor<spr::pmc1>, write_monitor<spr::pmc1, word>},
    {772, by_handlers, problem,    problem,    0,    0, read_monitor<spr::pmc2>, write_monitor<spr::pmc2, word>},
    {773, by_handlers, problem,    problem,    0,    0, read_monitor<spr::pmc3>, write_monitor<spr::pmc3, word>},
    {774, by_handlers, problem,    problem,    0,    0, read_monitor<spr::pmc4>, write_monitor<spr::pmc4, word>},
    {775, by_handlers, problem,    problem,    0,    0, read_monitor<spr::pmc5>, write_monitor<spr::pmc5, word>},
    {776, by_handlers, problem,    problem,    0,    0, read_monitor<spr::pmc6>, write_monitor<spr::pmc6, word>},
    {779, by_handlers, problem,    problem,    0,    0, read_monitor<spr::mmcr0>, write_monitor<spr::mmcr0, mmcr0_from_problem_state>},
    {780, by_handlers, problem,    nobody,     0,    0, read_monitor<spr::siar>},
    {781, by_handlers, problem,    nobody,     0,    0, read_monitor<spr::sdar>},
    {782, by_handlers, problem,    nobody,     0,    0, read_monitor<spr::mmcr1>},
    {784, spr::sier,   supervisor, supervisor},
    {785, spr::mmcr2,  supervisor, supervisor},
    {786, spr::mmcra,  supervisor, supervisor},
    {787, spr::pmc1,   supervisor, supervisor, word},
    {788, spr::pmc2,   supervisor, supervisor, word},
    {789, spr::pmc3,   supervisor, supervisor, word},
    {790, spr::pmc4,   supervisor, supervisor, word},
    {791, spr::pmc5,   supervisor, supervisor, word},
    {792, spr::pmc6,   supervisor, supervisor, word},
    {795, spr::mmcr0,  supervisor, supervisor, word},
    {796, spr::siar,   supervisor, supervisor},
    {797, spr::sdar,   supervisor, supervisor},
    {798, spr::mmcr1,  supervisor, supervisor},
    {800, spr::bescr,  problem,    problem,    all,  facility_cause::ebb, nullptr, change_bescr<0, true>},
    {801, by_handlers, problem,    problem,    all,  facility_cause::ebb, read_upper_bescr, change_bescr<32, true>},
    {802, spr::bescr,  problem,    problem,    all,  facility_cause::ebb, nullptr, change_bescr<0, false>},
    {803, by_handlers, problem,    problem,    all,  facility_cause::ebb, read_upper_bescr, change_bescr<32, false>},
    {804, spr::ebbhr,  problem,    problem,    ~u64{3}, facility_cause::ebb},
    {805, spr::ebbrr,  problem,    problem,    all,  facility_cause::ebb},
    {806, spr::bescr,  problem,    problem,    all,  facility_cause::ebb},
    {823, spr::psscr,  supervisor, supervisor},
    {848, by_handlers, supervisor, hypervisor, 0,    0, read_instruction_count, nothing},
    {849, by_handlers, supervisor, hypervisor, 0,    0, read_time, nothing},
    {855, spr::psscr,  hypervisor, hypervisor},
    {880, by_handlers, nobody,     supervisor, 0,    0, nothing, nothing},
    {881, by_handlers, nobody,     supervisor, 0,    0, nothing, nothing},
    {882, by_handlers, nobody,     supervisor, 0,    0, nothing, nothing},
    {1023, spr::pir,   supervisor, hypervisor},
};
// clang-format on
static_assert(std::ranges::is_sorted(rows, {}, &special_register::number));

}  // namespace

std::span<const special_register> supervisor_registers() { return rows; }

}  // namespace pefsim::power::isa
