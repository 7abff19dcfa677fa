// SPDX-License-Identifier: Apache-2.0
#include "power/translator/emitter.h"
#include "power/translator/lowering.h"

namespace pefsim::power::host_code {
namespace {

using asmjit::Imm;
using isa::operand;
using x86::CondCode;

template <bool is_signed, bool immediate>
void compare(emitter& to, const guest_op& o) {
    comparison what{
        .wide = isa::info_of(operand::l).value(o.word) != 0, .is_signed = is_signed, .a = o.decoded.a};
    if constexpr (immediate) {
        what.immediate = isa::info_of(is_signed ? operand::si : operand::ui).value(o.word);
    } else {
        what.b = o.decoded.b;
    }
    to.set_field(static_cast<unsigned>(isa::fields::bf.of(o.word)), what);
}

/// The conditions of TO, from its first bit on.
constexpr CondCode trap_conditions[] = {CondCode::kL, CondCode::kG, CondCode::kE, CondCode::kB, CondCode::kA};

template <bool wide, bool immediate>
void trap_if(emitter& to, const guest_op& o) {
    const auto conditions = static_cast<unsigned>(isa::fields::t.of(o.word));
    const asmjit::Label trap = to.handler_elsewhere();
    const auto sized = [](const x86::Gp& r) { return wide ? r : r.r32(); };
    const x86::Gp a = to.source(o.decoded.a, x86::rax);
    if constexpr (immediate) {
        to.as().cmp(sized(a), Imm(isa::info_of(operand::si).value(o.word)));
    } else {
        to.as().cmp(sized(a), sized(to.source(o.decoded.b, x86::rcx)));
    }
    for (unsigned bit = 0; bit < std::size(trap_conditions); ++bit) {
        if ((conditions & 16U >> bit) != 0) {
            to.as().j(trap_conditions[bit], trap);
        }
    }
}

/// RT <- CR[BC] ? (RA|0) : RB
void isel(emitter& to, const guest_op& o) {
    const CondCode chosen = to.test_cr_bit(static_cast<unsigned>(isa::info_of(operand::bc).value(o.word)));
    // Moves leave the flags alone.
    to.load(x86::rax, o.decoded.b);
    if (o.decoded.a == zero_register) {
        to.as().mov(x86::ecx, Imm(0));
        to.as().cmov(chosen, x86::rax, x86::rcx);
    } else if (const auto a = to.own(o.decoded.a)) {
        to.as().cmov(chosen, x86::rax, *a);
    } else {
        to.load(x86::rcx, o.decoded.a);
        to.as().cmov(chosen, x86::rax, x86::rcx);
    }
    to.set(o.decoded.t, x86::rax);
}

/// Power ISA 3.0B Book I 3.3.10 to 3.3.12.
constexpr lowering rows[] = {
    // 3.3.10 Compare
    {"cmpi", compare<true, true>},
    {"cmp", compare<true, false>},
    {"cmpli", compare<false, true>},
    {"cmpl", compare<false, false>},

    // 3.3.11 Trap
    {.mnemonic = "twi", .emit = trap_if<false, true>, .leaves = true},
    {.mnemonic = "tdi", .emit = trap_if<true, true>, .leaves = true},
    {.mnemonic = "tw", .emit = trap_if<false, false>, .leaves = true},
    {.mnemonic = "td", .emit = trap_if<true, false>, .leaves = true},

    // 3.3.12 Select
    {.mnemonic = "isel", .emit = isel, .reads_cr_bit = true},
};

}  // namespace

std::span<const lowering> fixed_compare_lowerings() { return rows; }

}  // namespace pefsim::power::host_code
