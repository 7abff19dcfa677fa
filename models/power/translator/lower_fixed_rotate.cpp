// SPDX-License-Identifier: Apache-2.0
#include "power/instructions/fixed_result.h"
#include "power/instructions/rotate_mask.h"
#include "power/translator/emitter.h"
#include "power/translator/lowering.h"

namespace pefsim::power::host_code {
namespace {

using asmjit::Imm;
using isa::operand;
using isa::rotate_mask;
namespace Inst = x86::Inst;

unsigned value(operand which, const guest_op& o) {
    return static_cast<unsigned>(isa::info_of(which).value(o.word));
}

/// rax <- rax & ones
void and_mask(emitter& to, std::uint64_t ones) {
    if (ones == ~std::uint64_t{0}) {
        return;
    }
    if (ones == 0xffff'ffff) {
        to.as().mov(x86::eax, x86::eax);
    } else if (ones >> 32 == 0) {
        to.as().and_(x86::eax, Imm(static_cast<std::uint32_t>(ones)));
    } else if (static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(ones))) ==
               ones) {
        to.as().and_(x86::rax, Imm(static_cast<std::int32_t>(ones)));
    } else {
        to.as().mov(x86::rcx, Imm(ones));
        to.as().and_(x86::rax, x86::rcx);
    }
}

/// rax <- ROTL32(RS, n): the rotated word twice.
void rotate_word(emitter& to, const guest_op& o, unsigned by, bool both_halves) {
    to.load(x86::rax, o.decoded.t);
    if (by != 0) {
        to.as().rol(x86::eax, Imm(by));
    } else {
        to.as().mov(x86::eax, x86::eax);
    }
    if (both_halves) {
        to.as().mov(x86::rcx, x86::rax);
        to.as().shl(x86::rcx, 32);
        to.as().or_(x86::rax, x86::rcx);
    }
}

void rlwinm(emitter& to, const guest_op& o) {
    const unsigned mb = value(operand::mb, o);
    const unsigned me = value(operand::me, o);
    const unsigned sh = value(operand::sh, o);
    const std::uint64_t ones = rotate_mask(mb + 32, me + 32);
    if (mb == 0 && me + sh == 31) {
        to.load(x86::rax, o.decoded.t);
        to.as().shl(x86::eax, Imm(sh));
        if (sh == 0) {
            to.as().mov(x86::eax, x86::eax);
        }
    } else if (sh != 0 && me == 31 && mb == 32 - sh) {
        to.load(x86::rax, o.decoded.t);
        to.as().shr(x86::eax, Imm(mb));
    } else if (mb <= me && sh == 0) {
        to.load(x86::rax, o.decoded.t);
        and_mask(to, ones);
    } else {
        rotate_word(to, o, sh, mb > me);
        and_mask(to, ones);
    }
    to.finish(o.decoded.a, x86::rax);
}

/// rax <- the bits of rax under the mask, those of RA elsewhere
void insert(emitter& to, const guest_op& o, std::uint64_t ones) {
    and_mask(to, ones);
    to.as().mov(x86::rcx, Imm(~ones));
    to.as().emit(Inst::kIdAnd, x86::rcx, to.operand(o.decoded.a));
    to.as().or_(x86::rax, x86::rcx);
    to.finish(o.decoded.a, x86::rax);
}

void rlwimi(emitter& to, const guest_op& o) {
    const unsigned mb = value(operand::mb, o);
    const unsigned me = value(operand::me, o);
    rotate_word(to, o, value(operand::sh, o), mb > me);
    insert(to, o, rotate_mask(mb + 32, me + 32));
}

void rotate_doubleword(emitter& to, const guest_op& o, unsigned by) {
    to.load(x86::rax, o.decoded.t);
    if (by != 0) {
        to.as().rol(x86::rax, Imm(by));
    }
}

void rldicl(emitter& to, const guest_op& o) {
    const unsigned sh = value(operand::sh6, o);
    const unsigned mb = value(operand::mb6, o);
    if (sh + mb == 64) {
        to.load(x86::rax, o.decoded.t);
        to.as().shr(x86::rax, Imm(mb));
    } else {
        rotate_doubleword(to, o, sh);
        and_mask(to, rotate_mask(mb, 63));
    }
    to.finish(o.decoded.a, x86::rax);
}
void rldicr(emitter& to, const guest_op& o) {
    const unsigned sh = value(operand::sh6, o);
    const unsigned me = value(operand::mb6, o);
    if (sh + me == 63) {
        to.load(x86::rax, o.decoded.t);
        to.as().shl(x86::rax, Imm(sh));
    } else {
        rotate_doubleword(to, o, sh);
        and_mask(to, rotate_mask(0, me));
    }
    to.finish(o.decoded.a, x86::rax);
}
void rldic(emitter& to, const guest_op& o) {
    const unsigned sh = value(operand::sh6, o);
    rotate_doubleword(to, o, sh);
    and_mask(to, rotate_mask(value(operand::mb6, o), 63 - sh));
    to.finish(o.decoded.a, x86::rax);
}
void rldimi(emitter& to, const guest_op& o) {
    const unsigned sh = value(operand::sh6, o);
    rotate_doubleword(to, o, sh);
    insert(to, o, rotate_mask(value(operand::mb6, o), 63 - sh));
}
template <bool left>
void rotate_by_register(emitter& to, const guest_op& o) {
    const unsigned bound = value(operand::mb6, o);
    to.load(x86::rax, o.decoded.t);
    to.load(x86::rcx, o.decoded.b);
    to.as().rol(x86::rax, x86::cl);
    and_mask(to, left ? rotate_mask(bound, 63) : rotate_mask(0, bound));
    to.finish(o.decoded.a, x86::rax);
}

/// An amount of all bits or more shifts everything out.
template <asmjit::InstId instruction, bool wide>
void shift(emitter& to, const guest_op& o) {
    to.load(x86::rax, o.decoded.t);
    to.load(x86::rcx, o.decoded.b);
    to.as().xor_(x86::edx, x86::edx);
    if constexpr (wide) {
        to.as().emit(instruction, x86::rax, x86::cl);
    } else {
        to.as().emit(instruction, x86::eax, x86::cl);
        to.as().mov(x86::eax, x86::eax);  // also when nothing was shifted
    }
    to.as().test(x86::ecx, Imm(wide ? 64 : 32));
    to.as().cmovnz(x86::rax, x86::rdx);
    to.finish(o.decoded.a, x86::rax);
}

/// CA and CA32 <- dl
void set_carries(emitter& to) {
    x86::Mem xer = to.special(spr::xer);
    xer.setSize(4);
    constexpr std::uint64_t both = isa::xer::bit(isa::xer::ca) | isa::xer::bit(isa::xer::ca32);
    to.as().movzx(x86::edx, x86::dl);
    to.as().neg(x86::edx);
    to.as().and_(x86::edx, Imm(static_cast<std::int32_t>(both)));
    to.as().and_(xer, Imm(static_cast<std::int32_t>(~both)));
    to.as().or_(xer, x86::edx);
}

/// Shifts right with the sign. CA: the number is negative and ones have been shifted out.
template <bool wide>
void shift_right_immediate(emitter& to, const guest_op& o) {
    const unsigned by = value(wide ? operand::sh6 : operand::sh, o);
    to.load(x86::rax, o.decoded.t);
    if constexpr (!wide) {
        to.as().movsxd(x86::rax, x86::eax);
    }
    if (by == 0) {
        to.as().xor_(x86::edx, x86::edx);
    } else {
        // Of a negative number, ones in the last `by` bits.
        to.as().mov(x86::rcx, x86::rax);
        to.as().sar(x86::rcx, 63);
        to.as().and_(x86::rcx, x86::rax);
        to.as().shl(x86::rcx, Imm(64 - by));
        to.as().test(x86::rcx, x86::rcx);
        to.as().setnz(x86::dl);
        to.as().sar(x86::rax, Imm(by));
    }
    set_carries(to);
    to.finish(o.decoded.a, x86::rax);
}

void extswsli(emitter& to, const guest_op& o) {
    to.load(x86::rax, o.decoded.t);
    to.as().movsxd(x86::rax, x86::eax);
    to.as().shl(x86::rax, Imm(value(operand::sh6, o)));
    to.finish(o.decoded.a, x86::rax);
}

/// Power ISA 3.0B Book I 3.3.14.
constexpr lowering rows[] = {
    {"rlwinm", rlwinm},
    {"rlwimi", rlwimi},
    {"rldicl", rldicl},
    {"rldicr", rldicr},
    {"rldic", rldic},
    {"rldcl", rotate_by_register<true>},
    {"rldcr", rotate_by_register<false>},
    {"rldimi", rldimi},
    {"slw", shift<Inst::kIdShl, false>},
    {"srw", shift<Inst::kIdShr, false>},
    {"srawi", shift_right_immediate<false>},
    {"sld", shift<Inst::kIdShl, true>},
    {"srd", shift<Inst::kIdShr, true>},
    {"sradi", shift_right_immediate<true>},
    {"extswsli", extswsli},
};

}  // namespace

std::span<const lowering> fixed_rotate_lowerings() { return rows; }

}  // namespace pefsim::power::host_code
