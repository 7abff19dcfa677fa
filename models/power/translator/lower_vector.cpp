// SPDX-License-Identifier: Apache-2.0
#include "power/translator/emitter.h"
#include "power/translator/lowering.h"
#include "power/translator/storage_address.h"
#include "power/translator/vsr_operand.h"

/// Elements of registers side by side are the same to the host's instructions in either order.
namespace pefsim::power::host_code {
namespace {

using asmjit::Imm;
using asmjit::InstId;
using isa::operand;
namespace Inst = x86::Inst;

// --- Storage

enum class swapped : std::uint8_t { no, doublewords };

template <bool aligned = false, swapped order = swapped::no>
void load_quadword(emitter& to, const guest_op& o) {
    require_facility(to, o);
    load_address(to, o);
    if (aligned) {
        to.as().and_(x86::rax, Imm(-16));
    }
    to.as().vmovdqu(x86::xmm0, to.reach(emitter::access::load, 16));
    if (order == swapped::doublewords) {
        to.as().vpshufd(x86::xmm0, x86::xmm0, Imm(0x4e));
    }
    to.as().vmovdqu(to.vsr(vsr_at(o, 0)), x86::xmm0);
}
template <bool aligned = false, swapped order = swapped::no>
void store_quadword(emitter& to, const guest_op& o) {
    require_facility(to, o);
    load_address(to, o);
    if (aligned) {
        to.as().and_(x86::rax, Imm(-16));
    }
    const x86::Mem where = to.reach(emitter::access::store, 16);
    to.as().vmovdqu(x86::xmm0, to.vsr(vsr_at(o, 0)));
    if (order == swapped::doublewords) {
        to.as().vpshufd(x86::xmm0, x86::xmm0, Imm(0x4e));
    }
    to.as().vmovdqu(where, x86::xmm0);
}

/// Doubleword 0; the other one is made zero.
template <bool updates>
void load_doubleword(emitter& to, const guest_op& o) {
    require_facility(to, o);
    load_address(to, o);
    to.as().mov(x86::rax, to.reach(emitter::access::load, 8));
    to.as().mov(to.vsr(vsr_at(o, 0), high, 8), x86::rax);
    to.as().mov(to.vsr(vsr_at(o, 0), 0, 8), Imm(0));
    if constexpr (updates) {
        update_base(to, o);
    }
}
template <bool updates>
void store_doubleword(emitter& to, const guest_op& o) {
    require_facility(to, o);
    load_address(to, o);
    const x86::Mem where = to.reach(emitter::access::store, 8);
    to.as().mov(x86::rcx, to.vsr(vsr_at(o, 0), high, 8));
    to.as().mov(where, x86::rcx);
    if constexpr (updates) {
        update_base(to, o);
    }
}

// --- Between registers

/// T <- A op B
template <InstId instruction>
void ab(emitter& to, const guest_op& o) {
    require_facility(to, o);
    to.as().vmovdqu(x86::xmm0, to.vsr(vsr_at(o, 1)));
    to.as().emit(instruction, x86::xmm0, x86::xmm0, to.vsr(vsr_at(o, 2)));
    to.as().vmovdqu(to.vsr(vsr_at(o, 0)), x86::xmm0);
}
/// T <- B op A
template <InstId instruction>
void ba(emitter& to, const guest_op& o) {
    require_facility(to, o);
    to.as().vmovdqu(x86::xmm0, to.vsr(vsr_at(o, 2)));
    to.as().emit(instruction, x86::xmm0, x86::xmm0, to.vsr(vsr_at(o, 1)));
    to.as().vmovdqu(to.vsr(vsr_at(o, 0)), x86::xmm0);
}
void complement(emitter& to) {
    to.as().vpcmpeqd(x86::xmm1, x86::xmm1, x86::xmm1);
    to.as().vpxor(x86::xmm0, x86::xmm0, x86::xmm1);
}
/// T <- NOT (A op B)
template <InstId instruction>
void not_ab(emitter& to, const guest_op& o) {
    require_facility(to, o);
    to.as().vmovdqu(x86::xmm0, to.vsr(vsr_at(o, 1)));
    to.as().emit(instruction, x86::xmm0, x86::xmm0, to.vsr(vsr_at(o, 2)));
    complement(to);
    to.as().vmovdqu(to.vsr(vsr_at(o, 0)), x86::xmm0);
}
/// T <- A | NOT B
void or_complement(emitter& to, const guest_op& o) {
    require_facility(to, o);
    to.as().vmovdqu(x86::xmm0, to.vsr(vsr_at(o, 2)));
    complement(to);
    to.as().vpor(x86::xmm0, x86::xmm0, to.vsr(vsr_at(o, 1)));
    to.as().vmovdqu(to.vsr(vsr_at(o, 0)), x86::xmm0);
}
/// T <- C ? B : A, bit by bit
void select(emitter& to, const guest_op& o) {
    require_facility(to, o);
    to.as().vmovdqu(x86::xmm2, to.vsr(vsr_at(o, 3)));
    to.as().vpand(x86::xmm0, x86::xmm2, to.vsr(vsr_at(o, 2)));
    to.as().vpandn(x86::xmm1, x86::xmm2, to.vsr(vsr_at(o, 1)));
    to.as().vpor(x86::xmm0, x86::xmm0, x86::xmm1);
    to.as().vmovdqu(to.vsr(vsr_at(o, 0)), x86::xmm0);
}

/// Each element of A by the amount in B, modulo the element's size.
template <InstId instruction, bool wide>
void shift(emitter& to, const guest_op& o) {
    require_facility(to, o);
    to.as().vpcmpeqd(x86::xmm1, x86::xmm1, x86::xmm1);
    if constexpr (wide) {
        to.as().vpsrlq(x86::xmm1, x86::xmm1, Imm(58));
    } else {
        to.as().vpsrld(x86::xmm1, x86::xmm1, Imm(27));
    }
    to.as().vpand(x86::xmm1, x86::xmm1, to.vsr(vsr_at(o, 2)));
    to.as().vmovdqu(x86::xmm0, to.vsr(vsr_at(o, 1)));
    to.as().emit(instruction, x86::xmm0, x86::xmm0, x86::xmm1);
    to.as().vmovdqu(to.vsr(vsr_at(o, 0)), x86::xmm0);
}

/// Products of words: of each doubleword's right ones (odd), or left ones (even).
template <InstId instruction, bool even>
void multiply_words(emitter& to, const guest_op& o) {
    require_facility(to, o);
    to.as().vmovdqu(x86::xmm0, to.vsr(vsr_at(o, 1)));
    to.as().vmovdqu(x86::xmm1, to.vsr(vsr_at(o, 2)));
    if constexpr (even) {
        to.as().vpsrlq(x86::xmm0, x86::xmm0, Imm(32));
        to.as().vpsrlq(x86::xmm1, x86::xmm1, Imm(32));
    }
    to.as().emit(instruction, x86::xmm0, x86::xmm0, x86::xmm1);
    to.as().vmovdqu(to.vsr(vsr_at(o, 0)), x86::xmm0);
}

/// The compare instructions' forms without a record.
bool records(std::uint32_t word) { return (word >> 10 & 1) != 0; }

// --- Permutations

void xxpermdi(emitter& to, const guest_op& o) {
    require_facility(to, o);
    const auto dm = static_cast<unsigned>(isa::info_of(operand::dm).value(o.word));
    const unsigned low_from_high = (dm & 1) == 0 ? 1 : 0;
    const unsigned high_from_high = (dm & 2) == 0 ? 2 : 0;
    to.as().vmovdqu(x86::xmm0, to.vsr(vsr_at(o, 2)));
    to.as().vshufpd(x86::xmm0, x86::xmm0, to.vsr(vsr_at(o, 1)), Imm(low_from_high | high_from_high));
    to.as().vmovdqu(to.vsr(vsr_at(o, 0)), x86::xmm0);
}

/// The leftmost 16 bytes of A || B, shifted left by `bytes`.
void window(emitter& to, const guest_op& o, unsigned bytes) {
    require_facility(to, o);
    to.as().vmovdqu(x86::xmm0, to.vsr(vsr_at(o, 1)));
    to.as().vpalignr(x86::xmm0, x86::xmm0, to.vsr(vsr_at(o, 2)), Imm(16 - bytes));
    to.as().vmovdqu(to.vsr(vsr_at(o, 0)), x86::xmm0);
}
void xxsldwi(emitter& to, const guest_op& o) {
    window(to, o, 4 * static_cast<unsigned>(isa::info_of(operand::shw).value(o.word)));
}
void vsldoi(emitter& to, const guest_op& o) {
    window(to, o, static_cast<unsigned>(isa::info_of(operand::shb).value(o.word)));
}

/// A word of B in all places, counted from the left.
template <operand immediate>
void splat_word(emitter& to, const guest_op& o) {
    require_facility(to, o);
    const auto from_right = 3 - (static_cast<unsigned>(isa::info_of(immediate).value(o.word)) & 3);
    to.as().vpshufd(x86::xmm0, to.vsr(vsr_at(o, o.row->operands[1] == immediate ? 2 : 1)),
                    Imm(0x55 * from_right));
    to.as().vmovdqu(to.vsr(vsr_at(o, 0)), x86::xmm0);
}

/// Both doublewords <- `value`
void fill(emitter& to, const guest_op& o, std::uint64_t value) {
    require_facility(to, o);
    to.as().mov(x86::rax, Imm(value));
    to.as().mov(to.vsr(vsr_at(o, 0), 0, 8), x86::rax);
    to.as().mov(to.vsr(vsr_at(o, 0), high, 8), x86::rax);
}
void xxspltib(emitter& to, const guest_op& o) {
    fill(to, o,
         0x0101'0101'0101'0101 * static_cast<std::uint64_t>(isa::info_of(operand::imm8).value(o.word)));
}
template <typename T, std::uint64_t in_all>
void splat_immediate(emitter& to, const guest_op& o) {
    fill(to, o, in_all * static_cast<T>(isa::info_of(operand::sim).value(o.word)));
}

// --- To and from general purpose registers (3.3.16)

template <std::int32_t from, unsigned bytes>
void move_from(emitter& to, const guest_op& o) {
    require_facility(to, o);
    if constexpr (bytes == 8) {
        to.as().mov(x86::rax, to.vsr(vsr_at(o, 1), from, 8));
    } else {
        to.as().mov(x86::eax, to.vsr(vsr_at(o, 1), from, 4));
    }
    to.set(o.decoded.a, x86::rax);
}
enum class extends : std::uint8_t { nothing, zeros, sign };
template <extends how>
void move_to(emitter& to, const guest_op& o) {
    require_facility(to, o);
    to.load(x86::rax, o.decoded.a);
    if constexpr (how == extends::zeros) {
        to.as().mov(x86::eax, x86::eax);
    } else if constexpr (how == extends::sign) {
        to.as().movsxd(x86::rax, x86::eax);
    }
    to.as().mov(to.vsr(vsr_at(o, 0), high, 8), x86::rax);
}
void mtvsrdd(emitter& to, const guest_op& o) {
    require_facility(to, o);
    to.load(x86::rcx, o.decoded.b);
    to.load(x86::rax, o.decoded.a);
    to.as().mov(to.vsr(vsr_at(o, 0), 0, 8), x86::rcx);
    to.as().mov(to.vsr(vsr_at(o, 0), high, 8), x86::rax);
}
void mtvsrws(emitter& to, const guest_op& o) {
    require_facility(to, o);
    to.load(x86::rax, o.decoded.a);
    to.as().mov(x86::ecx, x86::eax);
    to.as().shl(x86::rcx, 32);
    to.as().mov(x86::eax, x86::eax);
    to.as().or_(x86::rax, x86::rcx);
    to.as().mov(to.vsr(vsr_at(o, 0), 0, 8), x86::rax);
    to.as().mov(to.vsr(vsr_at(o, 0), high, 8), x86::rax);
}

/// Each may find its facility unavailable.
constexpr lowering row(std::string_view mnemonic, void (*emit)(emitter&, const guest_op&),
                       bool (*refuses)(std::uint32_t) = nullptr) {
    return {.mnemonic = mnemonic, .emit = emit, .leaves = true, .refuses = refuses};
}

constexpr lowering rows[] = {
    // Storage: 4.6.2, 4.6.3, 6.7, 7.6.1.2
    row("lfd", load_doubleword<false>),
    row("lfdx", load_doubleword<false>),
    row("lfdu", load_doubleword<true>),
    row("lfdux", load_doubleword<true>),
    row("stfd", store_doubleword<false>),
    row("stfdx", store_doubleword<false>),
    row("stfdu", store_doubleword<true>),
    row("stfdux", store_doubleword<true>),
    row("lxsd", load_doubleword<false>),
    row("lxsdx", load_doubleword<false>),
    row("stxsd", store_doubleword<false>),
    row("stxsdx", store_doubleword<false>),
    row("lxv", load_quadword<>),
    row("lxvx", load_quadword<>),
    row("stxv", store_quadword<>),
    row("stxvx", store_quadword<>),
    row("lxvd2x", load_quadword<false, swapped::doublewords>),
    row("stxvd2x", store_quadword<false, swapped::doublewords>),
    row("lvx", load_quadword<true>),
    row("lvxl", load_quadword<true>),
    row("stvx", store_quadword<true>),
    row("stvxl", store_quadword<true>),

    // Moves: 3.3.16
    row("mfvsrd", move_from<high, 8>),
    row("mfvsrwz", move_from<high, 4>),
    row("mfvsrld", move_from<0, 8>),
    row("mtvsrd", move_to<extends::nothing>),
    row("mtvsrwa", move_to<extends::sign>),
    row("mtvsrwz", move_to<extends::zeros>),
    row("mtvsrdd", mtvsrdd),
    row("mtvsrws", mtvsrws),

    // Integers: 6.9.1
    row("vaddubm", ab<Inst::kIdVpaddb>),
    row("vadduhm", ab<Inst::kIdVpaddw>),
    row("vadduwm", ab<Inst::kIdVpaddd>),
    row("vaddudm", ab<Inst::kIdVpaddq>),
    row("vsububm", ab<Inst::kIdVpsubb>),
    row("vsubuhm", ab<Inst::kIdVpsubw>),
    row("vsubuwm", ab<Inst::kIdVpsubd>),
    row("vsubudm", ab<Inst::kIdVpsubq>),
    row("vmuluwm", ab<Inst::kIdVpmulld>),
    row("vmulesw", multiply_words<Inst::kIdVpmuldq, true>),
    row("vmulosw", multiply_words<Inst::kIdVpmuldq, false>),
    row("vmuleuw", multiply_words<Inst::kIdVpmuludq, true>),
    row("vmulouw", multiply_words<Inst::kIdVpmuludq, false>),
    row("vmaxsb", ab<Inst::kIdVpmaxsb>),
    row("vmaxub", ab<Inst::kIdVpmaxub>),
    row("vmaxsh", ab<Inst::kIdVpmaxsw>),
    row("vmaxuh", ab<Inst::kIdVpmaxuw>),
    row("vmaxsw", ab<Inst::kIdVpmaxsd>),
    row("vmaxuw", ab<Inst::kIdVpmaxud>),
    row("vminsb", ab<Inst::kIdVpminsb>),
    row("vminub", ab<Inst::kIdVpminub>),
    row("vminsh", ab<Inst::kIdVpminsw>),
    row("vminuh", ab<Inst::kIdVpminuw>),
    row("vminsw", ab<Inst::kIdVpminsd>),
    row("vminuw", ab<Inst::kIdVpminud>),

    // Compare: 6.9.2
    row("vcmpequb", ab<Inst::kIdVpcmpeqb>, records),
    row("vcmpequh", ab<Inst::kIdVpcmpeqw>, records),
    row("vcmpequw", ab<Inst::kIdVpcmpeqd>, records),
    row("vcmpequd", ab<Inst::kIdVpcmpeqq>, records),
    row("vcmpgtsb", ab<Inst::kIdVpcmpgtb>, records),
    row("vcmpgtsh", ab<Inst::kIdVpcmpgtw>, records),
    row("vcmpgtsw", ab<Inst::kIdVpcmpgtd>, records),
    row("vcmpgtsd", ab<Inst::kIdVpcmpgtq>, records),

    // Logical: 6.9.3, 7.6.1.10
    row("vand", ab<Inst::kIdVpand>),
    row("vandc", ba<Inst::kIdVpandn>),
    row("veqv", not_ab<Inst::kIdVpxor>),
    row("vnand", not_ab<Inst::kIdVpand>),
    row("vorc", or_complement),
    row("vnor", not_ab<Inst::kIdVpor>),
    row("vor", ab<Inst::kIdVpor>),
    row("vxor", ab<Inst::kIdVpxor>),
    row("vsel", select),
    row("xxland", ab<Inst::kIdVpand>),
    row("xxlandc", ba<Inst::kIdVpandn>),
    row("xxleqv", not_ab<Inst::kIdVpxor>),
    row("xxlnand", not_ab<Inst::kIdVpand>),
    row("xxlorc", or_complement),
    row("xxlnor", not_ab<Inst::kIdVpor>),
    row("xxlor", ab<Inst::kIdVpor>),
    row("xxlxor", ab<Inst::kIdVpxor>),
    row("xxsel", select),

    // Shift: 6.9.5
    row("vslw", shift<Inst::kIdVpsllvd, false>),
    row("vsld", shift<Inst::kIdVpsllvq, true>),
    row("vsrw", shift<Inst::kIdVpsrlvd, false>),
    row("vsrd", shift<Inst::kIdVpsrlvq, true>),
    row("vsraw", shift<Inst::kIdVpsravd, false>),

    // Permute: 6.8, 7.6.1.11
    row("vmrghb", ba<Inst::kIdVpunpckhbw>),
    row("vmrghh", ba<Inst::kIdVpunpckhwd>),
    row("vmrghw", ba<Inst::kIdVpunpckhdq>),
    row("vmrglb", ba<Inst::kIdVpunpcklbw>),
    row("vmrglh", ba<Inst::kIdVpunpcklwd>),
    row("vmrglw", ba<Inst::kIdVpunpckldq>),
    row("xxmrghw", ba<Inst::kIdVpunpckhdq>),
    row("xxmrglw", ba<Inst::kIdVpunpckldq>),
    row("xxpermdi", xxpermdi),
    row("xxsldwi", xxsldwi),
    row("vsldoi", vsldoi),
    row("xxspltw", splat_word<operand::uim2>),
    row("xxspltib", xxspltib),
    row("vspltisb", splat_immediate<std::uint8_t, 0x0101'0101'0101'0101>),
    row("vspltish", splat_immediate<std::uint16_t, 0x0001'0001'0001'0001>),
    row("vspltisw", splat_immediate<std::uint32_t, 0x0000'0001'0000'0001>),
};

}  // namespace

std::span<const lowering> vector_lowerings() { return rows; }

}  // namespace pefsim::power::host_code
