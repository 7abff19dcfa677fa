// SPDX-License-Identifier: Apache-2.0
#include "power/translator/host_float.h"

#include "power/ieee/environment.h"
#include "power/ieee/host.h"
#include "power/translator/vsr_operand.h"

namespace pefsim::power::host_code {
namespace {

using asmjit::Imm;
using asmjit::Label;
namespace fpscr = ieee::fpscr;

constexpr std::uint64_t sign = std::uint64_t{1} << 63;
constexpr std::int32_t exponent_shift = 52;
constexpr std::int32_t exponent_mask = 0x7ff;

/// Biased exponents of binary64.
struct exponents {
    std::int32_t lowest, highest;
};
constexpr exponents safe{ieee::host::lowest, ieee::host::highest};
constexpr exponents safe_singles{901, 1149};  // 2^-122 to 2^126: ieee::host::deliver_single()

// Registers: operands, then what is made of them.
constexpr x86::Xmm a = x86::xmm2;
constexpr x86::Xmm b = x86::xmm3;
constexpr x86::Xmm c = x86::xmm4;
constexpr x86::Xmm value = x86::xmm0;
constexpr x86::Xmm error = x86::xmm1;  // of the rounding: its sign, and whether it is zero

class scalar_emitter {
public:
    scalar_emitter(emitter& to, const guest_op& o, const scalar_float& form)
        : to_(to),
          as_(to.as()),
          o_(o),
          form_(form),
          shows_status_(!to.status_is_set_again()),
          handler_(to.handler_elsewhere()) {}

    void emit() {
        load_operands();
        if (form_.single || shows_status_) {
            compute_with_error();
        } else {
            compute();
        }
        as_.vmovq(x86::rax, value);
        if (form_.single) {
            round_to_single();
        } else {
            leave_unless_in_range(x86::rax, safe);
            if (shows_status_) {
                describe_rounding();
            }
        }
        if (form_.negates) {
            as_.btc(x86::rax, Imm(63));
        }
        as_.mov(to_.vsr(o_.decoded.t, high, 8), x86::rax);
        as_.mov(to_.vsr(o_.decoded.t, 0, 8), Imm(0));
        if (shows_status_) {
            set_status();
        }
    }

private:
    void load_operands() {
        using enum float_operation;
        const float_operation what = form_.what;
        if (what != square_root && what != identity) {
            as_.vmovsd(a, to_.vsr(o_.decoded.a, high, 8));
        }
        as_.vmovsd(b, to_.vsr(o_.decoded.b, high, 8));
        if (what == multiply_add || what == multiply_subtract) {
            as_.vmovsd(c, to_.vsr(o_.decoded.c, high, 8));
        }
    }

    void compute() {
        switch (form_.what) {
        case float_operation::add:
            as_.vaddsd(value, a, b);
            break;
        case float_operation::subtract:
            as_.vsubsd(value, a, b);
            break;
        case float_operation::multiply:
            as_.vmulsd(value, a, b);
            break;
        case float_operation::divide:
            as_.vdivsd(value, a, b);
            break;
        case float_operation::square_root:
            as_.vsqrtsd(value, b, b);
            break;
        case float_operation::multiply_add:
            as_.vmovapd(value, a);
            as_.vfmadd213sd(value, c, b);
            break;
        case float_operation::multiply_subtract:
            as_.vmovapd(value, a);
            as_.vfmsub213sd(value, c, b);
            break;
        case float_operation::identity:
            as_.vmovapd(value, b);
            break;
        }
    }

    /// As the functions of ieee::host do.
    void compute_with_error() {
        switch (form_.what) {
        case float_operation::subtract:
            as_.vxorpd(b, b, to_.constant(sign));
            [[fallthrough]];
        case float_operation::add:
            add_two(value, error, a, b);
            break;
        case float_operation::multiply:
            multiply_two(value, error, a, b);
            break;
        case float_operation::divide:
            as_.vmovq(x86::rax, a);
            leave_unless_in_range(x86::rax, safe);
            as_.vdivsd(value, a, b);
            as_.vmovapd(error, value);
            as_.vfnmadd213sd(error, b, a);
            as_.vandpd(b, b, to_.constant(sign));
            as_.vxorpd(error, error, b);
            break;
        case float_operation::square_root:
            as_.vsqrtsd(value, b, b);
            as_.vmovapd(error, value);
            as_.vfnmadd213sd(error, value, b);
            break;
        case float_operation::multiply_subtract:
            as_.vxorpd(b, b, to_.constant(sign));
            [[fallthrough]];
        case float_operation::multiply_add:
            multiply_add_three();
            break;
        case float_operation::identity:
            as_.vmovapd(value, b);
            as_.vxorpd(error, error, error);
            break;
        }
    }

    /// xmm14 and xmm15 are lost. `sum` and `rest` are none of the operands.
    void add_two(const x86::Xmm& sum, const x86::Xmm& rest, const x86::Xmm& first, const x86::Xmm& second) {
        constexpr x86::Xmm second_part = x86::xmm14;
        constexpr x86::Xmm first_part = x86::xmm15;
        as_.vaddsd(sum, first, second);
        as_.vsubsd(second_part, sum, first);
        as_.vsubsd(first_part, sum, second_part);
        as_.vsubsd(rest, first, first_part);
        as_.vsubsd(second_part, second, second_part);
        as_.vaddsd(rest, rest, second_part);
    }
    void multiply_two(const x86::Xmm& product, const x86::Xmm& rest, const x86::Xmm& first,
                      const x86::Xmm& second) {
        as_.vmulsd(product, first, second);
        as_.vmovapd(rest, first);
        as_.vfmsub213sd(rest, second, product);
    }
    void multiply_add_three() {
        constexpr x86::Xmm product = x86::xmm5;
        constexpr x86::Xmm product_rest = x86::xmm6;
        constexpr x86::Xmm small = x86::xmm7;
        constexpr x86::Xmm small_rest = x86::xmm8;
        constexpr x86::Xmm large = x86::xmm9;
        constexpr x86::Xmm large_rest = x86::xmm10;
        multiply_two(product, product_rest, a, c);
        as_.vmovq(x86::rax, product);
        leave_unless_in_range(x86::rax, safe);
        as_.vmovapd(value, a);
        as_.vfmadd213sd(value, c, b);
        add_two(small, small_rest, b, product_rest);
        add_two(large, large_rest, product, small);
        as_.vsubsd(error, large, value);
        as_.vaddsd(error, error, large_rest);
        as_.vaddsd(error, error, small_rest);
    }

    /// rcx is lost.
    void leave_unless_in_range(const x86::Gp& bits, const exponents& range) {
        as_.mov(x86::rcx, bits);
        as_.shr(x86::rcx, exponent_shift);
        as_.and_(x86::ecx, Imm(exponent_mask));
        as_.sub(x86::ecx, Imm(range.lowest));
        as_.cmp(x86::ecx, Imm(range.highest - range.lowest));
        as_.ja(handler_);
    }

    /// ecx: 1 when the result has been incremented, if it is inexact; edx: 1 when it is. rax: the result.
    void describe_error() {
        as_.vmovq(x86::rdx, error);
        as_.mov(x86::rcx, x86::rdx);
        as_.xor_(x86::rcx, x86::rax);
        as_.shr(x86::rcx, 63);
        as_.add(x86::rdx, x86::rdx);
        as_.setnz(x86::dl);
        as_.movzx(x86::edx, x86::dl);
    }
    /// edx: FI, and FR beside it.
    void describe_rounding() {
        describe_error();
        as_.and_(x86::ecx, x86::edx);
        as_.lea(x86::edx, x86::ptr(x86::rdx, x86::rcx, 1));
    }
    /// rax: the result as binary64, rounded to odd first; edx: FI, and FR beside it.
    void round_to_single() {
        if (form_.what != float_operation::identity) {
            describe_error();
            as_.andn(x86::edx, x86::eax, x86::edx);  // the step to an odd significand, outwards
            as_.and_(x86::ecx, x86::edx);
            as_.add(x86::rax, x86::rdx);
            as_.add(x86::ecx, x86::ecx);
            as_.sub(x86::rax, x86::rcx);  // or inwards
            as_.vmovq(value, x86::rax);
        }
        as_.vcvtsd2ss(value, value, value);
        as_.vcvtss2sd(value, value, value);
        as_.vmovq(x86::rdx, value);
        leave_unless_in_range(x86::rdx, safe_singles);
        if (!shows_status_) {
            as_.mov(x86::rax, x86::rdx);
            return;
        }
        as_.cmp(x86::rdx, x86::rax);
        as_.mov(x86::rax, x86::rdx);
        as_.setnz(x86::dl);
        as_.seta(x86::cl);
        as_.movzx(x86::edx, x86::dl);
        as_.movzx(x86::ecx, x86::cl);
        as_.lea(x86::edx, x86::ptr(x86::rdx, x86::rcx, 1));
    }

    /// From edx, and the sign of the result in rax: it is a normal number.
    void set_status() {
        static_assert(fpscr::fi == 1U << 17 && fpscr::fr == 1U << 18 && fpscr::fprf_shift == 12);
        as_.shl(x86::edx, 17);
        as_.shr(x86::rax, 63);
        as_.add(x86::eax, Imm(1));
        as_.shl(x86::eax, Imm(fpscr::fprf_shift + 2));  // FPRF is 0b00100, or 0b01000 of a negative number
        as_.or_(x86::edx, x86::eax);
        as_.mov(x86::ecx, to_.fpscr());
        as_.and_(x86::ecx, Imm(~static_cast<std::int32_t>(fpscr::fr | fpscr::fi | fpscr::fprf)));
        as_.or_(x86::ecx, x86::edx);
        as_.mov(to_.fpscr(), x86::ecx);
    }

    emitter& to_;
    x86::Assembler& as_;
    const guest_op& o_;
    scalar_float form_;
    bool shows_status_;
    Label handler_;
};

using asmjit::InstId;
namespace Inst = x86::Inst;

InstId vector_instruction(float_operation what, bool wide) {
    using enum float_operation;
    switch (what) {
    case add:
        return wide ? Inst::kIdVaddpd : Inst::kIdVaddps;
    case subtract:
        return wide ? Inst::kIdVsubpd : Inst::kIdVsubps;
    case multiply:
        return wide ? Inst::kIdVmulpd : Inst::kIdVmulps;
    case divide:
        return wide ? Inst::kIdVdivpd : Inst::kIdVdivps;
    case square_root:
        return wide ? Inst::kIdVsqrtpd : Inst::kIdVsqrtps;
    case multiply_add:
        return wide ? Inst::kIdVfmadd213pd : Inst::kIdVfmadd213ps;
    case multiply_subtract:
        return wide ? Inst::kIdVfmsub213pd : Inst::kIdVfmsub213ps;
    default:
        return Inst::kIdNone;
    }
}

/// To the handler unless the elements of `value` are far from the ends of their range: ieee::host::is_ordinary().
void leave_unless_ordinary(emitter& to, bool wide, const Label& handler) {
    constexpr x86::Xmm without_sign = x86::xmm1;
    // Unsigned: bits without the sign - lowest > highest - lowest.
    constexpr std::uint64_t low = std::uint64_t{ieee::host::lowest} << 53;
    constexpr std::uint64_t distance = (std::uint64_t{ieee::host::highest + 1} << 53) - 1 - low;
    constexpr std::uint32_t low_single = std::uint32_t{5} << 24;
    constexpr std::uint32_t distance_single = (std::uint32_t{251} << 24) - 1 - low_single;
    constexpr std::uint32_t sign_single = std::uint32_t{1} << 31;
    constexpr std::uint64_t twice = 0x1'0000'0001;
    if (wide) {
        to.as().vpsllq(without_sign, value, 1);
        to.as().vpaddq(without_sign, without_sign, to.constant(sign - low));
        to.as().vpcmpgtq(without_sign, without_sign, to.constant(distance ^ sign));
    } else {
        to.as().vpslld(without_sign, value, 1);
        to.as().vpaddd(without_sign, without_sign, to.constant((sign_single - low_single) * twice));
        to.as().vpcmpgtd(without_sign, without_sign, to.constant((distance_single ^ sign_single) * twice));
    }
    to.as().vptest(without_sign, without_sign);
    to.as().jnz(handler);
}

}  // namespace

void emit_scalar(emitter& to, const guest_op& o, const scalar_float& form) {
    to.require_common_status();
    scalar_emitter(to, o, form).emit();
}

void emit_vector(emitter& to, const guest_op& o, const vector_float& form) {
    using enum float_operation;
    to.require_common_status();
    const Label handler = to.handler_elsewhere();
    const InstId instruction = vector_instruction(form.what, form.wide);
    const x86::Mem second = to.vsr(o.decoded.b);
    if (form.what == square_root) {
        to.as().emit(instruction, value, second);
    } else {
        to.as().vmovupd(value, to.vsr(o.decoded.a));
        if (form.what == multiply_add || form.what == multiply_subtract) {
            to.as().vmovupd(c, to.vsr(o.decoded.c));
            to.as().emit(instruction, value, c, second);
        } else {
            to.as().emit(instruction, value, value, second);
        }
    }
    leave_unless_ordinary(to, form.wide, handler);
    if (form.negates) {
        constexpr std::uint64_t signs_of_singles = 0x8000'0000'8000'0000;
        to.as().vxorpd(value, value, to.constant(form.wide ? sign : signs_of_singles));
    }
    to.as().vmovupd(to.vsr(o.decoded.t), value);
}

void emit_comparison(emitter& to, const guest_op& o) {
    const Label handler = to.handler_elsewhere();
    to.as().vmovsd(value, to.vsr(o.decoded.a, high, 8));
    to.as().vucomisd(value, to.vsr(o.decoded.b, high, 8));
    to.as().jp(handler);
    to.set_field_from_flags(o.decoded.t);
    to.as().shl(x86::eax, Imm(fpscr::fprf_shift));
    to.as().mov(x86::ecx, to.fpscr());
    to.as().and_(x86::ecx, Imm(~static_cast<std::int32_t>(fpscr::fpcc)));
    to.as().or_(x86::ecx, x86::eax);
    to.as().mov(to.fpscr(), x86::ecx);
}

}  // namespace pefsim::power::host_code
