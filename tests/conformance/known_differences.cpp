// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/known_differences.h"

#include <cstring>
#include <limits>

#include "tests/conformance/exclusions.h"

namespace pefsim::conformance {
namespace {

using namespace cpu::power::isa;  // NOLINT(google-build-using-namespace): the vocabulary of this file
using u64 = std::uint64_t;
using i64 = std::int64_t;
using u32 = std::uint32_t;
using i32 = std::int32_t;

u64 ra(const sample& s) { return s.before->gpr[fields::a.of(s.word)]; }
u64 rb(const sample& s) { return s.before->gpr[fields::b.of(s.word)]; }

// --- Conditions

bool zero_divisor(const sample& s) { return rb(s) == 0; }
bool zero_word_divisor(const sample& s) { return static_cast<u32>(rb(s)) == 0; }
bool no_quotient(const sample& s) { return rb(s) == 0 || (ra(s) == u64{1} << 63 && rb(s) == ~u64{0}); }
bool no_word_quotient(const sample& s) {
    return static_cast<u32>(rb(s)) == 0 ||
           (static_cast<u32>(ra(s)) == 0x8000'0000 && static_cast<u32>(rb(s)) == 0xffff'ffff);
}
bool no_extended_quotient(const sample& s) { return s.ours->gpr[fields::t.of(s.word)] == 0; }

bool faults(const sample& s) { return s.theirs->signal != 0; }
bool faults_beyond_user_space(const sample& s) { return faults(s) && s.ours->address >> 47 != 0; }

constexpr u64 drn = u64{7} << 32;
constexpr u64 cr0 = 0xf000'0000;
constexpr u64 cr6 = 0x0000'00f0;
constexpr u64 fr_fi = 0x0006'0000;
constexpr u64 upper_half = 0xffff'ffff'0000'0000;

// clang-format off
constexpr known_difference table[] = {
    // The program's environment, not its instructions
    {"*", faults, {{{place::fpscr, drn}}}, "the frame of a signal in qemu-ppc64le keeps 32 bits of FPSCR"},
    {"*", faults_beyond_user_space, {{{place::address}}},
     "for an address that the host cannot form, qemu-ppc64le says 0: DAR has the effective address"},
    {"rnop", nullptr, {{{place::signal}, {place::fpscr, drn}}},
     "Book I 1.8.3: reserved no-op instructions do nothing; qemu finds them illegal"},
    {"icbt", nullptr, {{{place::signal}, {place::fpscr, drn}}},
     "Book II 4.3.1 has it; to qemu it is an instruction of embedded processors"},

    // Undefined by Book I 3.3.9; the processor's results, which real programs meet
    {"mulhw mulhwu", nullptr, {{{place::rt, upper_half}, {place::cr, cr0}}},
     "RT[0:31] is undefined: a POWER9 copies RT[32:63], and CR0 is that of the whole register"},
    {"divw divwu divwe divweu", nullptr, {{{place::rt, upper_half}, {place::cr, cr0}}},
     "RT[0:31] is undefined, and with it CR0: a POWER9 sets it to 0"},
    {"divd", no_quotient, {{{place::rt}, {place::cr, cr0}}},
     "divided by zero, or overflow: RT is undefined, and with it CR0; a POWER9 sets it to 0"},
    {"divdu modsd modud", zero_divisor, {{{place::rt}, {place::cr, cr0}}},
     "divided by zero: RT is undefined; a POWER9 sets it to 0"},
    {"modsd", no_quotient, {{{place::rt}}}, "divided by zero, or overflow: RT is undefined; a POWER9 sets it to 0"},
    {"divw", no_word_quotient, {{{place::rt}, {place::cr, cr0}}},
     "divided by zero, or overflow: RT is undefined, and with it CR0; a POWER9 sets it to 0"},
    {"divwu modsw moduw", zero_word_divisor, {{{place::rt}, {place::cr, cr0}}},
     "divided by zero: RT is undefined; a POWER9 sets it to 0"},
    {"modsw", no_word_quotient, {{{place::rt}}}, "divided by zero, or overflow: RT is undefined; a POWER9 sets it to 0"},
    {"divde divdeu divwe divweu", no_extended_quotient, {{{place::rt}, {place::cr, cr0}}},
     "the quotient does not fit: RT is undefined, and with it CR0; a POWER9 sets it to 0"},
};
// clang-format on

/// The number of the first operand that is a vector-scalar register; 64: there is none.
unsigned target_register(const sample& s) {
    for (const operand each : s.row->operands) {
        const auto value = static_cast<unsigned>(info_of(each).value(s.word));
        switch (info_of(each).kind) {
        case operand_kind::fpr:
        case operand_kind::vsr:
            return value;
        case operand_kind::vr:
            return value + 32;
        default:
            break;
        }
    }
    return 64;
}

void forget(vector_state& state, const sample& s, const part& what) {
    const u64 keep = ~what.bits;
    const unsigned target = target_register(s);
    switch (what.where) {
    case place::nothing:
        break;
    case place::rt:
        state.gpr[fields::t.of(s.word)] &= keep;
        break;
    case place::target:
        for (unsigned i = target; i < 64 && i < target + 2; ++i) {
            state.vsr[i][0] &= keep;
            state.vsr[i][1] &= keep;
        }
        break;
    case place::target1:
        if (target < 64) {
            state.vsr[target][0] &= keep;
        }
        break;
    case place::cr:
        state.cr &= keep;
        break;
    case place::xer:
        state.xer &= keep;
        break;
    case place::fpscr:
        state.fpscr &= keep;
        break;
    case place::vscr:
        state.vscr[0] &= keep;
        break;
    case place::signal:
        state.signal = 0;
        state.nip = 0;
        state.address = 0;
        break;
    case place::address:
        state.address &= keep;
        break;
    case place::memory:
        std::memset(state.memory, 0, sizeof state.memory);
        break;
    }
}

}  // namespace

std::span<const known_difference> known_differences() { return table; }

bool equal_but_for_known(const sample& of) {
    vector_state ours = *of.ours;
    vector_state theirs = *of.theirs;
    for (const known_difference& each : table) {
        if (!matches(each.rows, of.row->mnemonic) || (each.when != nullptr && !each.when(of))) {
            continue;
        }
        for (const part& what : each.parts) {
            forget(ours, of, what);
            forget(theirs, of, what);
        }
    }
    return std::memcmp(&ours, &theirs, sizeof ours) == 0;
}

}  // namespace pefsim::conformance
