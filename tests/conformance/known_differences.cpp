// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/known_differences.h"

#include <csignal>
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

constexpr u64 fprf = 0x1'f000;
constexpr u64 xx = 0x0200'0000;
constexpr u64 ux = 0x0800'0000;
constexpr u64 fex = 0x4000'0000;
constexpr u64 vxvc = 0x0008'0000;
constexpr u64 cr1 = 0x0f00'0000;
constexpr u64 cr1_fex = 0x0400'0000;
constexpr u64 cr1_fx = 0x0800'0000;
constexpr u64 drn = u64{7} << 32;
constexpr u64 cr0 = 0xf000'0000;
constexpr u64 cr6 = 0x0000'00f0;
constexpr u64 fr_fi = 0x0006'0000;
constexpr u64 upper_half = 0xffff'ffff'0000'0000;
constexpr u64 vx = 0x2000'0000;
constexpr u64 vxsnan = 0x0100'0000;
constexpr u64 vxcvi = 0x0000'0100;
constexpr u64 ox = 0x1000'0000;
constexpr u64 zx = 0x0400'0000;

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

constexpr u64 fx = 0x8000'0000;
constexpr u64 exceptions = 0x1ff8'0700;
bool raises_nothing_new(const sample& s) { return (s.ours->fpscr & ~s.before->fpscr & exceptions) == 0; }
bool enabled_exception(const sample& s) { return s.ours->signal == SIGFPE; }
bool decimal_infinity(u64 high) { return (high & 0x7c00'0000'0000'0000) == 0x7800'0000'0000'0000; }
bool decimal_nan(u64 high) { return (high & 0x7c00'0000'0000'0000) == 0x7c00'0000'0000'0000; }
u64 fpr_a(const sample& s) { return s.before->vsr[fields::a.of(s.word)][1]; }
u64 fpr_b(const sample& s) { return s.before->vsr[fields::b.of(s.word)][1]; }
bool fra_no_number(const sample& s) { return decimal_infinity(fpr_a(s)) || decimal_nan(fpr_a(s)); }
bool frb_infinite(const sample& s) { return decimal_infinity(fpr_b(s)); }
bool frb_nan(const sample& s) { return decimal_nan(fpr_b(s)); }
bool invalid_enabled(const sample& s) { return (s.before->fpscr & 0x80) != 0; }
bool suppressed(const sample& s) {
    return enabled_exception(s) && (s.ours->fpscr & s.before->fpscr << 22 & (vx | zx)) != 0;
}
bool wrapped(const sample& s) {
    return enabled_exception(s) && (s.ours->fpscr & s.before->fpscr << 22 & (ox | ux)) != 0;
}
bool raises_invalid(const sample& s) { return (s.ours->fpscr & (vxsnan | vxcvi)) != 0; }
bool exponent_of_no_number(const sample& s) {
    return fpr_a(s) >= 12288 || (s.word >> 26 == 59 && fpr_a(s) >= 768);
}

constexpr std::string_view decimal_rows =
    "dadd* dsub* dmul* ddiv* dqua* drrnd* drint* dct* drsp drdpq dcffix* denbcd*";

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

    // Decimal floating point
    {decimal_rows, nullptr, {{{place::fpscr, fr_fi}}}, "5.5.10.5: FR and FI belong to this instruction; qemu never sets FR nor clears FI"},
    {"d*", raises_nothing_new, {{{place::fpscr, fx}, {place::cr, cr1_fx}}},
     "4.2.2: FX is set when an exception bit changes from 0 to 1; qemu sets it for those that are 1 already"},
    {"d*", enabled_exception, {{{place::signal}}}, "5.5.10: an enabled exception causes a Program interrupt"},
    {decimal_rows, suppressed, {{{place::target}, {place::fpscr, fprf}}},
     "5.5.10.1, 5.5.10.2: the target and FPRF are unchanged when the exception is enabled"},
    {decimal_rows, wrapped, {{{place::target}, {place::fpscr, fprf | xx | ux | fx | fex}, {place::cr, cr1}}},
     "5.5.10.3, 5.5.10.4: the exponent is adjusted; underflow does not need a loss of accuracy"},
    {"dcmpo*", invalid_enabled, {{{place::fpscr, vxvc}}}, "5.6.2: a signalling NaN sets VXVC only when VE is 0"},
    {"drsp", frb_nan, {{{place::target}, {place::fpscr, fprf}}},
     "5.6.5: a payload loses its leftmost digits, and a signalling NaN stays one in DFP Short; qemu drops it all"},
    {"drdpq", frb_nan, {{{place::fpscr, vx | vxsnan | fx | fex}, {place::cr, cr1}, {place::signal}}},
     "5.6.5: a signalling NaN sets VXSNAN; qemu has lost the signal when it looks"},
    {"drdpq", nullptr, {{{place::target}}},
     "5.6.5: the DFP Long result stands in the first register of the pair, where gcc's code finds it; qemu puts it "
     "into the second"},
    {"drrnd*", raises_invalid, {{{place::fpscr, fex | fx}, {place::cr, cr1_fx | cr1_fex}}},
     "4.2.2: FEX follows from VE; qemu looks at RN in its place"},
    {"diex*", frb_infinite, {{{place::target}}}, "5.6.6: the digits of an infinity are those of its trailing field"},
    {"ddedpd*", frb_infinite, {{{place::target}}}, "5.6.6: the significand's digits; an infinity has them in the trailing field"},
    {"diex*", exponent_of_no_number, {{{place::target}}}, "5.4.1: results have canonical declets; qemu copies those of the source"},
    {"dscli* dscri*", fra_no_number, {{{place::target}}},
     "5.6.6: the digits of an infinity are shifted too; the other bits of the combination field become 0"},
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
