// SPDX-License-Identifier: Apache-2.0
#include "power/translator/emitter.h"
#include "power/translator/lowering.h"

namespace pefsim::power::host_code {
namespace {

using asmjit::Imm;
using isa::operand;
namespace Inst = x86::Inst;

template <asmjit::InstId instruction, bool shifted>
void with_immediate(emitter& to, const guest_op& o) {
    const auto ui = static_cast<std::uint32_t>(isa::info_of(operand::ui).value(o.word)) << (shifted ? 16 : 0);
    if (ui == 0 && instruction != Inst::kIdAnd && o.decoded.a == o.decoded.t) {
        return;  // no operation
    }
    to.load(x86::rax, o.decoded.t);
    if constexpr (instruction == Inst::kIdAnd) {
        to.as().and_(x86::eax, Imm(ui));
    } else if (static_cast<std::int32_t>(ui) >= 0) {
        to.as().emit(instruction, x86::rax, Imm(ui));
    } else {
        to.as().mov(x86::ecx, Imm(ui));
        to.as().emit(instruction, x86::rax, x86::rcx);
    }
    to.finish(o.decoded.a, x86::rax);
}

enum class negates : std::uint8_t { nothing, operand, result };

/// RA <- RS op RB
template <asmjit::InstId instruction, negates what = negates::nothing>
void logical(emitter& to, const guest_op& o) {
    const bool same = o.decoded.t == o.decoded.b;
    if (what == negates::nothing && same && instruction != Inst::kIdXor) {  // mr
        const x86::Gp result = to.target(o.decoded.a, x86::rax);
        to.load(result, o.decoded.t);
        to.finish(o.decoded.a, result);
        return;
    }
    if constexpr (what == negates::operand) {
        to.load(x86::rax, o.decoded.b);
        to.as().not_(x86::rax);
        to.as().emit(instruction, x86::rax, to.operand(o.decoded.t));
    } else {
        to.load(x86::rax, o.decoded.t);
        to.as().emit(instruction, x86::rax, to.operand(o.decoded.b));
    }
    if constexpr (what == negates::result) {
        to.as().not_(x86::rax);
    }
    to.finish(o.decoded.a, x86::rax);
}

/// `or Rx,Rx,Rx` without a dot may ask for a priority.
bool sets_priority(std::uint32_t word) {
    const auto x = isa::fields::a.of(word);
    return (word & 1) == 0 && isa::fields::t.of(word) == x && isa::fields::b.of(word) == x;
}

template <unsigned bytes>
void extend(emitter& to, const guest_op& o) {
    const x86::Gp from = to.source(o.decoded.t, x86::rax);
    const x86::Gp result = to.target(o.decoded.a, x86::rax);
    if constexpr (bytes == 1) {
        to.as().movsx(result, from.r8());
    } else if constexpr (bytes == 2) {
        to.as().movsx(result, from.r16());
    } else {
        to.as().movsxd(result, from.r32());
    }
    to.finish(o.decoded.a, result);
}

template <asmjit::InstId instruction, bool wide>
void count_bits(emitter& to, const guest_op& o) {
    to.load(x86::rax, o.decoded.t);
    if constexpr (wide) {
        to.as().emit(instruction, x86::rax, x86::rax);
    } else {
        to.as().emit(instruction, x86::eax, x86::eax);
    }
    to.finish(o.decoded.a, x86::rax);
}

/// Power ISA 3.0B Book I 3.3.13.
constexpr lowering rows[] = {
    {"andi.", with_immediate<Inst::kIdAnd, false>},
    {"andis.", with_immediate<Inst::kIdAnd, true>},
    {"ori", with_immediate<Inst::kIdOr, false>},
    {"oris", with_immediate<Inst::kIdOr, true>},
    {"xori", with_immediate<Inst::kIdXor, false>},
    {"xoris", with_immediate<Inst::kIdXor, true>},
    {"and", logical<Inst::kIdAnd>},
    {"xor", logical<Inst::kIdXor>},
    {"nand", logical<Inst::kIdAnd, negates::result>},
    {.mnemonic = "or", .emit = logical<Inst::kIdOr>, .refuses = sets_priority},
    {"orc", logical<Inst::kIdOr, negates::operand>},
    {"nor", logical<Inst::kIdOr, negates::result>},
    {"eqv", logical<Inst::kIdXor, negates::result>},
    {"andc", logical<Inst::kIdAnd, negates::operand>},
    {"extsb", extend<1>},
    {"extsh", extend<2>},
    {"extsw", extend<4>},
    {"cntlzw", count_bits<Inst::kIdLzcnt, false>},
    {"cnttzw", count_bits<Inst::kIdTzcnt, false>},
    {"cntlzd", count_bits<Inst::kIdLzcnt, true>},
    {"cnttzd", count_bits<Inst::kIdTzcnt, true>},
    {"popcntd", count_bits<Inst::kIdPopcnt, true>},
};

}  // namespace

std::span<const lowering> fixed_logical_lowerings() { return rows; }

}  // namespace pefsim::power::host_code
