// SPDX-License-Identifier: Apache-2.0
#include "power/translator/host_float.h"
#include "power/translator/lowering.h"
#include "power/translator/storage_address.h"
#include "power/translator/vsr_operand.h"

namespace pefsim::power::host_code {
namespace {

using asmjit::Imm;
using enum float_operation;

// --- Arithmetic

template <scalar_float form>
void scalar(emitter& to, const guest_op& o) {
    require_facility(to, o);
    emit_scalar(to, o, form);
}
template <vector_float form>
void vector(emitter& to, const guest_op& o) {
    require_facility(to, o);
    emit_vector(to, o, form);
}
void compare(emitter& to, const guest_op& o) {
    require_facility(to, o);
    emit_comparison(to, o);
}

// --- Load and store in single format

template <bool updates>
void load_single(emitter& to, const guest_op& o) {
    constexpr std::int32_t special = 0x7f80'0000;
    require_facility(to, o);
    load_address(to, o);
    const asmjit::Label handler = to.handler_elsewhere();
    to.as().mov(x86::eax, to.reach(emitter::access::load, 4));
    to.as().mov(x86::ecx, x86::eax);
    to.as().and_(x86::ecx, Imm(special));
    to.as().cmp(x86::ecx, Imm(special));
    to.as().je(handler);  // the host would make a NaN quiet
    to.as().vmovd(x86::xmm0, x86::eax);
    to.as().vcvtss2sd(x86::xmm0, x86::xmm0, x86::xmm0);
    to.as().vmovsd(to.vsr(o.decoded.t, high, 8), x86::xmm0);
    to.as().mov(to.vsr(o.decoded.t, 0, 8), Imm(0));
    if constexpr (updates) {
        update_base(to, o);
    }
}

/// Numbers that are denormal in single format are the handler's.
template <bool updates>
void store_single(emitter& to, const guest_op& o) {
    constexpr std::int32_t largest_denormal = 896;
    require_facility(to, o);
    load_address(to, o);
    const asmjit::Label handler = to.handler_elsewhere();
    const asmjit::Label only_bits_move = to.as().newLabel();
    const x86::Mem where = to.reach(emitter::access::store, 4);
    to.as().mov(x86::rcx, to.vsr(o.decoded.t, high, 8));
    to.as().mov(x86::rdx, x86::rcx);
    to.as().shr(x86::rdx, 52);
    to.as().and_(x86::edx, Imm(0x7ff));
    to.as().cmp(x86::edx, Imm(largest_denormal));
    to.as().ja(only_bits_move);
    to.as().lea(x86::rdx, x86::ptr(x86::rcx, x86::rcx));
    to.as().test(x86::rdx, x86::rdx);
    to.as().jnz(handler);
    to.as().bind(only_bits_move);
    to.as().mov(x86::rdx, x86::rcx);
    to.as().shr(x86::rdx, 62);
    to.as().shl(x86::edx, 30);
    to.as().shr(x86::rcx, 29);
    to.as().and_(x86::ecx, Imm(0x3fff'ffff));
    to.as().or_(x86::edx, x86::ecx);
    to.as().mov(where, x86::edx);
    if constexpr (updates) {
        update_base(to, o);
    }
}

// --- Move: bits, no status

enum class sign_becomes : std::uint8_t { what_it_is, zero, one, other };

template <sign_becomes how>
void move(emitter& to, const guest_op& o) {
    require_facility(to, o);
    to.as().mov(x86::rax, to.vsr(o.decoded.b, high, 8));
    switch (how) {
    case sign_becomes::what_it_is:
        break;
    case sign_becomes::zero:
        to.as().btr(x86::rax, Imm(63));
        break;
    case sign_becomes::one:
        to.as().bts(x86::rax, Imm(63));
        break;
    case sign_becomes::other:
        to.as().btc(x86::rax, Imm(63));
        break;
    }
    to.as().mov(to.vsr(o.decoded.t, high, 8), x86::rax);
    to.as().mov(to.vsr(o.decoded.t, 0, 8), Imm(0));
}

bool records(std::uint32_t word) { return (word & 1) != 0; }

// Each may find its facility unavailable.

constexpr lowering row(std::string_view mnemonic, void (*emit)(emitter&, const guest_op&),
                       bool (*refuses)(std::uint32_t) = nullptr) {
    return {.mnemonic = mnemonic, .emit = emit, .leaves = true, .refuses = refuses};
}
template <float_operation what, bool single = false, bool negates = false>
constexpr lowering fp(std::string_view mnemonic) {
    return {.mnemonic = mnemonic,
            .emit = scalar<scalar_float{what, single, negates}>,
            .leaves = true,
            .refuses = records,
            .sets_float_status = true};
}
template <float_operation what, bool single = false, bool negates = false>
constexpr lowering xs(std::string_view mnemonic) {
    return {.mnemonic = mnemonic,
            .emit = scalar<scalar_float{what, single, negates}>,
            .leaves = true,
            .sets_float_status = true};
}
template <float_operation what, bool wide = true, bool negates = false>
constexpr lowering xv(std::string_view mnemonic) {
    return row(mnemonic, vector<vector_float{what, wide, negates}>);
}

constexpr bool single = true;
constexpr bool negated = true;
constexpr bool words = false;

constexpr lowering rows[] = {
    // Load and store: 4.6.2, 4.6.3, 7.6.1.2
    row("lfs", load_single<false>),
    row("lfsx", load_single<false>),
    row("lfsu", load_single<true>),
    row("lfsux", load_single<true>),
    row("stfs", store_single<false>),
    row("stfsx", store_single<false>),
    row("stfsu", store_single<true>),
    row("stfsux", store_single<true>),
    row("lxssp", load_single<false>),
    row("lxsspx", load_single<false>),
    row("stxssp", store_single<false>),
    row("stxsspx", store_single<false>),

    // Move: 4.6.5
    row("fmr", move<sign_becomes::what_it_is>, records),
    row("fabs", move<sign_becomes::zero>, records),
    row("fnabs", move<sign_becomes::one>, records),
    row("fneg", move<sign_becomes::other>, records),

    // Arithmetic: 4.6.6
    fp<add>("fadd"),
    fp<add, single>("fadds"),
    fp<subtract>("fsub"),
    fp<subtract, single>("fsubs"),
    fp<multiply>("fmul"),
    fp<multiply, single>("fmuls"),
    fp<divide>("fdiv"),
    fp<divide, single>("fdivs"),
    fp<square_root>("fsqrt"),
    fp<square_root, single>("fsqrts"),
    fp<multiply_add>("fmadd"),
    fp<multiply_add, single>("fmadds"),
    fp<multiply_subtract>("fmsub"),
    fp<multiply_subtract, single>("fmsubs"),
    fp<multiply_add, false, negated>("fnmadd"),
    fp<multiply_add, single, negated>("fnmadds"),
    fp<multiply_subtract, false, negated>("fnmsub"),
    fp<multiply_subtract, single, negated>("fnmsubs"),
    fp<identity, single>("frsp"),

    // Compare: 4.6.8, 7.6.1.4
    row("fcmpu", compare),
    row("fcmpo", compare),
    row("xscmpudp", compare),
    row("xscmpodp", compare),

    // Scalar arithmetic: 7.6.1.3
    xs<add>("xsadddp"),
    xs<add, single>("xsaddsp"),
    xs<subtract>("xssubdp"),
    xs<subtract, single>("xssubsp"),
    xs<multiply>("xsmuldp"),
    xs<multiply, single>("xsmulsp"),
    xs<divide>("xsdivdp"),
    xs<divide, single>("xsdivsp"),
    xs<square_root>("xssqrtdp"),
    xs<square_root, single>("xssqrtsp"),
    xs<multiply_add>("xsmaddadp"),
    xs<multiply_add, single>("xsmaddasp"),
    xs<multiply_add>("xsmaddmdp"),
    xs<multiply_add, single>("xsmaddmsp"),
    xs<multiply_subtract>("xsmsubadp"),
    xs<multiply_subtract, single>("xsmsubasp"),
    xs<multiply_subtract>("xsmsubmdp"),
    xs<multiply_subtract, single>("xsmsubmsp"),
    xs<multiply_add, false, negated>("xsnmaddadp"),
    xs<multiply_add, single, negated>("xsnmaddasp"),
    xs<multiply_add, false, negated>("xsnmaddmdp"),
    xs<multiply_add, single, negated>("xsnmaddmsp"),
    xs<multiply_subtract, false, negated>("xsnmsubadp"),
    xs<multiply_subtract, single, negated>("xsnmsubasp"),
    xs<multiply_subtract, false, negated>("xsnmsubmdp"),
    xs<multiply_subtract, single, negated>("xsnmsubmsp"),

    // Vector arithmetic: 7.6.1.3
    xv<add>("xvadddp"),
    xv<add, words>("xvaddsp"),
    xv<subtract>("xvsubdp"),
    xv<subtract, words>("xvsubsp"),
    xv<multiply>("xvmuldp"),
    xv<multiply, words>("xvmulsp"),
    xv<divide>("xvdivdp"),
    xv<divide, words>("xvdivsp"),
    xv<square_root>("xvsqrtdp"),
    xv<square_root, words>("xvsqrtsp"),
    xv<multiply_add>("xvmaddadp"),
    xv<multiply_add, words>("xvmaddasp"),
    xv<multiply_add>("xvmaddmdp"),
    xv<multiply_add, words>("xvmaddmsp"),
    xv<multiply_subtract>("xvmsubadp"),
    xv<multiply_subtract, words>("xvmsubasp"),
    xv<multiply_subtract>("xvmsubmdp"),
    xv<multiply_subtract, words>("xvmsubmsp"),
    xv<multiply_add, true, negated>("xvnmaddadp"),
    xv<multiply_add, words, negated>("xvnmaddasp"),
    xv<multiply_add, true, negated>("xvnmaddmdp"),
    xv<multiply_add, words, negated>("xvnmaddmsp"),
    xv<multiply_subtract, true, negated>("xvnmsubadp"),
    xv<multiply_subtract, words, negated>("xvnmsubasp"),
    xv<multiply_subtract, true, negated>("xvnmsubmdp"),
    xv<multiply_subtract, words, negated>("xvnmsubmsp"),
};

}  // namespace

std::span<const lowering> floating_lowerings() { return rows; }

}  // namespace pefsim::power::host_code
