// SPDX-License-Identifier: Apache-2.0
#include "power/int128.h"
#include "tests/conformance/conditions.h"

namespace pefsim::conformance {
namespace {

u64 ra(const sample& s) { return s.before->gpr[fields::a.of(s.word)]; }
u64 rb(const sample& s) { return s.before->gpr[fields::b.of(s.word)]; }

bool zero_divisor(const sample& s) { return rb(s) == 0; }
bool zero_word_divisor(const sample& s) { return static_cast<u32>(rb(s)) == 0; }
bool no_quotient(const sample& s) { return rb(s) == 0 || (ra(s) == u64{1} << 63 && rb(s) == ~u64{0}); }
bool no_word_quotient(const sample& s) {
    return static_cast<u32>(rb(s)) == 0 ||
           (static_cast<u32>(ra(s)) == 0x8000'0000 && static_cast<u32>(rb(s)) == 0xffff'ffff);
}
/// |a| || 0 divided by |b| does not fit into as many bits, signed or not.
constexpr u64 magnitude(i64 value) { return value < 0 ? -static_cast<u64>(value) : static_cast<u64>(value); }
bool no_extended_quotient(const sample& s) {
    const u64 dividend = magnitude(static_cast<i64>(ra(s)));
    const u64 divisor = magnitude(static_cast<i64>(rb(s)));
    const bool negative = static_cast<i64>(ra(s) ^ rb(s)) < 0;
    if (dividend >= divisor) {
        return true;
    }
    const power::uint128 quotient = (static_cast<power::uint128>(dividend) << 64) / divisor;
    return quotient > (u64{1} << 63) - (negative ? 0 : 1);
}

bool signed_extreme(const sample& s) {
    const auto code = fields::b.of(s.word);
    return code == 5 || code == 7;
}
/// Function codes of loads whose result can be the bound: fetch and increment or decrement, bounded or equal.
bool bounded(const sample& s) {
    const auto code = fields::b.of(s.word);
    return code == 24 || code == 25 || code == 28;
}
bool stores_reserved(const sample& s) { return (s.ours->cr >> 29 & 1) != 0; }

constexpr u64 overflows = 0xc008'0000;  // SO, OV, OV32
constexpr u64 reserved = 0x1ff0'0000;   // 35:43

bool writes_xer(const sample& s) { return info_of(power::isa::operand::spr).value(s.word) == 1; }

// clang-format off
constexpr known_difference table[] = {
    // Undefined by Book I 3.3.9; the processor's results, which real programs meet
    {"mulhw mulhwu", nullptr, {{{place::rt, upper_half}, {place::cr, cr0_order}}},
     "RT[0:31] is undefined: a POWER9 copies RT[32:63], and CR0 is that of the whole register"},
    {"divw divwu divwe divweu", nullptr, {{{place::rt, upper_half}, {place::cr, cr0_order}}},
     "RT[0:31] is undefined, and with it CR0: a POWER9 sets it to 0"},
    {"divd", no_quotient, {{{place::rt}, {place::cr, cr0_order}}},
     "divided by zero, or overflow: RT is undefined, and with it CR0; a POWER9 sets it to 0"},
    {"divdu modsd modud", zero_divisor, {{{place::rt}, {place::cr, cr0_order}}},
     "divided by zero: RT is undefined; a POWER9 sets it to 0"},
    {"divw", no_word_quotient, {{{place::rt}, {place::cr, cr0_order}}},
     "divided by zero, or overflow: RT is undefined, and with it CR0; a POWER9 sets it to 0"},
    {"divwu modsw moduw", zero_word_divisor, {{{place::rt}, {place::cr, cr0_order}}},
     "divided by zero: RT is undefined; a POWER9 sets it to 0"},
    {"divde", no_extended_quotient, {{{place::rt}, {place::cr, cr0}, {place::xer, overflows}}},
     "the quotient does not fit: RT is undefined, and OV is set; qemu misses some of them"},
    {"mtspr", writes_xer, {{{place::xer, reserved}}}, "Book I 3.2.2: bits 35:43 are reserved, and zero; qemu keeps them"},



    // Storage
    {"stbcx. sthcx. stwcx. stdcx. stqcx.", misaligned, {{{place::cr, cr0}, {place::signal}}},
     "Book II 4.6.2: not a multiple of the size: the alignment error handler, or undefined; qemu looks at the reservation first"},
    {"stqcx.", stores_reserved, {{{place::cr, cr0}, {place::memory}}}, "Book II 4.6.2: stores when there is a reservation; qemu never does"},
    {"lwat ldat", misaligned, {{{place::rt}, {place::signal}, {place::memory}}},
     "Book II 4.5: both words lie in an aligned block of 32 bytes; qemu does not look"},
    {"lq", faults_in_both, {{{place::rt}}}, "Book III 6.5.3: nothing is loaded when a part cannot be"},
    {"lx* stx*", faults_in_both, {{{place::target}, {place::address}}},
     "Book III 6.5.3: nothing is loaded when a part cannot be; qemu loads by doublewords"},
    {"lwat ldat", bounded, {{{place::rt}}}, "Book II 4.5: the result is 1 and zeros; qemu's is the word's, extended"},
    {"lwat stwat", signed_extreme, {{{place::memory}}}, "Book II 4.5: signed words; qemu compares them with doublewords"},
    {"lq stq lwat ldat stwat stdat lqarx stqcx. icbi icbt dcb*", faults_in_both, {{{place::address}}},
     "Book III 6.5.3: DAR is an address of the storage element; qemu reports what the host tells it, block by block"},
    {"dcbf dst dstst dss", nullptr, {{{place::signal}, {place::fpscr, drn}}},
     "Book II 4.3.2: hints; qemu knows fewer of their variants"},
};
// clang-format on

}  // namespace

std::span<const known_difference> known_fixed() { return table; }

}  // namespace pefsim::conformance
