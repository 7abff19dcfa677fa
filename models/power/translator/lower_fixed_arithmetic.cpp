// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/fixed_result.h"
#include "power/translator/emitter.h"
#include "power/translator/lowering.h"

namespace pefsim::power::host_code {
namespace {

using asmjit::Imm;
using isa::operand;
namespace Inst = x86::Inst;

std::int32_t si(const guest_op& o) { return isa::info_of(operand::si).value(o.word); }

template <bool shifted>
void addi(emitter& to, const guest_op& o) {
    const std::int64_t immediate = std::int64_t{si(o)} * (shifted ? 65536 : 1);
    const x86::Gp result = to.target(o.decoded.t, x86::rax);
    if (o.decoded.a == zero_register) {
        to.as().mov(result, Imm(immediate));
    } else if (const auto base = to.own(o.decoded.a)) {
        to.as().lea(result, x86::ptr(*base, static_cast<std::int32_t>(immediate)));
    } else {
        to.load(result, o.decoded.a);
        if (immediate != 0) {
            to.as().add(result, Imm(immediate));
        }
    }
    to.finish(o.decoded.t, result);
}

void addpcis(emitter& to, const guest_op& o) {
    const std::int64_t displacement = isa::info_of(operand::d_dx).value(o.word);
    const x86::Gp result = to.target(o.decoded.t, x86::rax);
    to.effective_address(result, 4 + displacement * 65536);
    to.finish(o.decoded.t, result);
}

void add(emitter& to, const guest_op& o) {
    const auto a = to.own(o.decoded.a);
    const auto b = to.own(o.decoded.b);
    const x86::Gp result = to.target(o.decoded.t, x86::rax);
    if (a && b) {
        to.as().lea(result, x86::ptr(*a, *b));
    } else {
        to.load(x86::rax, o.decoded.a);
        to.as().emit(Inst::kIdAdd, x86::rax, to.operand(o.decoded.b));
        to.finish(o.decoded.t, x86::rax);
        return;
    }
    to.finish(o.decoded.t, result);
}

/// RB - RA
void subf(emitter& to, const guest_op& o) {
    to.load(x86::rax, o.decoded.b);
    to.as().emit(Inst::kIdSub, x86::rax, to.operand(o.decoded.a));
    to.finish(o.decoded.t, x86::rax);
}

void neg(emitter& to, const guest_op& o) {
    to.load(x86::rax, o.decoded.a);
    to.as().neg(x86::rax);
    to.finish(o.decoded.t, x86::rax);
}

// --- With carry: RT <- left + right + carry. CA is the carry out of bit 0, CA32 that out of bit 32: two sums, the one
// of words first.

enum class left : std::uint8_t { ra, not_ra };
enum class right : std::uint8_t { rb, si, zero, minus_one };
enum class carry : std::uint8_t { zero, one, ca };

template <left x, right y>
void load_addends(emitter& to, const guest_op& o) {
    to.load(x86::rax, o.decoded.a);
    if constexpr (x == left::not_ra) {
        to.as().not_(x86::rax);
    }
    if constexpr (y == right::rb) {
        to.load(x86::rcx, o.decoded.b);
    } else {
        to.as().mov(x86::rcx, Imm(y == right::si ? si(o) : y == right::zero ? 0 : -1));
    }
}

/// The host's carry is the one that goes in.
template <carry z>
void carry_in(emitter& to) {
    if constexpr (z == carry::ca) {
        to.as().bt(to.special(spr::xer), isa::xer::ca);
    } else if constexpr (z == carry::one) {
        to.as().stc();
    } else {
        to.as().clc();
    }
}

template <left x, right y, carry z>
void sum(emitter& to, const guest_op& o) {
    load_addends<x, y>(to, o);
    carry_in<z>(to);
    to.as().mov(x86::edx, x86::eax);
    to.as().adc(x86::edx, x86::ecx);
    to.as().setc(x86::dl);
    carry_in<z>(to);
    to.as().adc(x86::rax, x86::rcx);
    to.as().setc(x86::cl);
    to.as().movzx(x86::edx, x86::dl);
    to.as().movzx(x86::ecx, x86::cl);
    to.as().shl(x86::edx, isa::xer::ca32);
    to.as().shl(x86::ecx, isa::xer::ca);
    to.as().or_(x86::ecx, x86::edx);
    x86::Mem xer = to.special(spr::xer);
    xer.setSize(4);
    to.as().and_(
        xer, Imm(static_cast<std::int32_t>(~(isa::xer::bit(isa::xer::ca) | isa::xer::bit(isa::xer::ca32)))));
    to.as().or_(xer, x86::ecx);
    to.finish(o.decoded.t, x86::rax);
}

// --- Products

void mulli(emitter& to, const guest_op& o) {
    const auto a = to.own(o.decoded.a);
    const x86::Gp result = to.target(o.decoded.t, x86::rax);
    if (a) {
        to.as().imul(result, *a, Imm(si(o)));
    } else {
        to.load(result, o.decoded.a);
        to.as().imul(result, result, Imm(si(o)));
    }
    to.finish(o.decoded.t, result);
}

void mulld(emitter& to, const guest_op& o) {
    to.load(x86::rax, o.decoded.a);
    to.as().emit(Inst::kIdImul, x86::rax, to.operand(o.decoded.b));
    to.finish(o.decoded.t, x86::rax);
}

void load_words(emitter& to, const guest_op& o, bool is_signed) {
    to.load(x86::rax, o.decoded.a);
    to.load(x86::rcx, o.decoded.b);
    if (is_signed) {
        to.as().movsxd(x86::rax, x86::eax);
        to.as().movsxd(x86::rcx, x86::ecx);
    } else {
        to.as().mov(x86::eax, x86::eax);
        to.as().mov(x86::ecx, x86::ecx);
    }
    to.as().imul(x86::rax, x86::rcx);
}
void mullw(emitter& to, const guest_op& o) {
    load_words(to, o, true);
    to.finish(o.decoded.t, x86::rax);
}
/// The high word, in both halves.
template <bool is_signed>
void mulhw(emitter& to, const guest_op& o) {
    load_words(to, o, is_signed);
    to.as().shr(x86::rax, 32);
    to.as().mov(x86::rcx, x86::rax);
    to.as().shl(x86::rcx, 32);
    to.as().or_(x86::rax, x86::rcx);
    to.finish(o.decoded.t, x86::rax);
}
template <bool is_signed>
void mulhd(emitter& to, const guest_op& o) {
    to.load(x86::rax, o.decoded.a);
    to.load(x86::rcx, o.decoded.b);
    if constexpr (is_signed) {
        to.as().imul(x86::rcx);
    } else {
        to.as().mul(x86::rcx);
    }
    to.finish(o.decoded.t, x86::rdx);
}
void maddld(emitter& to, const guest_op& o) {
    to.load(x86::rax, o.decoded.a);
    to.as().emit(Inst::kIdImul, x86::rax, to.operand(o.decoded.b));
    to.as().emit(Inst::kIdAdd, x86::rax, to.operand(o.decoded.c));
    to.finish(o.decoded.t, x86::rax);
}

// --- Quotients and remainders. Those that the host refuses, or could not make, are left to the handler.

enum class result_of : std::uint8_t { division, modulo };

template <bool wide, bool is_signed, result_of what>
void divide(emitter& to, const guest_op& o) {
    const asmjit::Label special = to.handler_elsewhere();
    const auto sized = [](const x86::Gp& r) { return wide ? r : r.r32(); };
    to.load(x86::rcx, o.decoded.b);
    to.load(x86::rax, o.decoded.a);
    to.as().test(sized(x86::rcx), sized(x86::rcx));
    to.as().jz(special);
    if constexpr (is_signed) {
        to.as().cmp(sized(x86::rcx), Imm(-1));
        to.as().je(special);
        if constexpr (wide) {
            to.as().cqo();
        } else {
            to.as().cdq();
        }
        to.as().idiv(sized(x86::rcx));
    } else {
        to.as().xor_(x86::edx, x86::edx);
        to.as().div(sized(x86::rcx));
    }
    const x86::Gp result = what == result_of::division ? x86::rax : x86::rdx;
    if constexpr (!wide && what == result_of::modulo && is_signed) {
        to.as().movsxd(result, result.r32());
    }
    to.finish(o.decoded.t, result);  // the upper half of a word's is 0
}

/// Power ISA 3.0B Book I 3.3.9.
constexpr lowering rows[] = {
    {"addi", addi<false>},
    {"addis", addi<true>},
    {"addpcis", addpcis},
    {"add", add},
    {"subf", subf},
    {"addic", sum<left::ra, right::si, carry::zero>},
    {"addic.", sum<left::ra, right::si, carry::zero>},
    {"subfic", sum<left::not_ra, right::si, carry::one>},
    {"addc", sum<left::ra, right::rb, carry::zero>},
    {"subfc", sum<left::not_ra, right::rb, carry::one>},
    {"adde", sum<left::ra, right::rb, carry::ca>},
    {"subfe", sum<left::not_ra, right::rb, carry::ca>},
    {"addme", sum<left::ra, right::minus_one, carry::ca>},
    {"addze", sum<left::ra, right::zero, carry::ca>},
    {"subfme", sum<left::not_ra, right::minus_one, carry::ca>},
    {"subfze", sum<left::not_ra, right::zero, carry::ca>},
    {"neg", neg},
    {"mulli", mulli},
    {"mullw", mullw},
    {"mulhw", mulhw<true>},
    {"mulhwu", mulhw<false>},
    {.mnemonic = "divw", .emit = divide<false, true, result_of::division>, .leaves = true},
    {.mnemonic = "divwu", .emit = divide<false, false, result_of::division>, .leaves = true},
    {.mnemonic = "modsw", .emit = divide<false, true, result_of::modulo>, .leaves = true},
    {.mnemonic = "moduw", .emit = divide<false, false, result_of::modulo>, .leaves = true},
    {"mulld", mulld},
    {"mulhd", mulhd<true>},
    {"mulhdu", mulhd<false>},
    {"maddld", maddld},
    {.mnemonic = "divd", .emit = divide<true, true, result_of::division>, .leaves = true},
    {.mnemonic = "divdu", .emit = divide<true, false, result_of::division>, .leaves = true},
    {.mnemonic = "modsd", .emit = divide<true, true, result_of::modulo>, .leaves = true},
    {.mnemonic = "modud", .emit = divide<true, false, result_of::modulo>, .leaves = true},
};

}  // namespace

std::span<const lowering> fixed_arithmetic_lowerings() { return rows; }

}  // namespace pefsim::power::host_code
