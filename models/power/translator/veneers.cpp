// SPDX-License-Identifier: Apache-2.0
#include "power/translator/veneers.h"

#include <asmjit/x86.h>
#include <bit>
#include <cstddef>

#include "power/instructions/fixed_result.h"
#include "power/translator/emitter.h"
#include "power/translator/handler_call.h"

namespace pefsim::power::host_code {
namespace {

using asmjit::Imm;
using asmjit::Label;

/// What calls keep, in the order in which it is pushed. Six of them: behind them the stack is as at a function's entry,
/// and a call of a veneer makes it as a call wants it.
constexpr std::array saved{x86::rbp, x86::rbx, x86::r12, x86::r13, x86::r14, x86::r15};

/// Arrivals from translated code where there is none, for which the translator is asked once.
constexpr std::int32_t every_so_many = 64;

class veneer_emitter {
public:
    veneer_emitter(asmjit::CodeHolder& code, core& engine, run_counters& counters)
        : as_(&code),
          core_(engine_access::of(engine)),
          counters_(counters) {}

    void enter() {
        const Label refused = as_.newLabel();
        as_.cmp(x86::qword_ptr(x86::rdi, core_.ea_mask), Imm(-1));  // 64-bit mode
        as_.jne(refused);
        as_.test(x86::dword_ptr(x86::rdi, xer()),
                 Imm(static_cast<std::int32_t>(isa::xer::bit(isa::xer::so))));
        as_.jnz(refused);
        for (const x86::Gp& each : saved) {
            as_.push(each);
        }
        as_.mov(core_register, x86::rdi);
        as_.mov(x86::rcx, x86::rsi);
        as_.sub(x86::rcx, member(core_.run_start));
        as_.sar(x86::rcx, op_shift);
        as_.add(x86::rcx, member(core_.executed));
        count(counters_.entries, 1);
        subtract_executed(x86::rcx);
        as_.mov(left_register, member(core_.budget));
        as_.sub(left_register, x86::rcx);
        as_.mov(data_register, member(core_.data));
        settle_cfar();
        as_.jmp(x86::rax);
        as_.bind(refused);
        as_.jmp(x86::r10);
    }

    void leave() {
        account();
        count(counters_.left_to_interpreter, 1);
        settle_cfar();
        as_.mov(x86::rcx, member(core_.page));
        as_.mov(x86::rdx, x86::qword_ptr(x86::rcx, original()));
        as_.sub(x86::rsi, x86::rcx);
        as_.add(x86::rsi, x86::rdx);  // the ops are the beginning of a page
        as_.mov(member(core_.page), x86::rdx);
        as_.mov(member(core_.run_start), x86::rsi);
        restore();
        dispatch();
    }

    void leave_near() {
        account();
        count(counters_.budget_used_up, 1);
        restore();
        jump_to(reinterpret_cast<const void*>(&engine_access::leave_near));
    }

    void far() {
        const Label slow = as_.newLabel();
        const Label no_entry = as_.newLabel();
        const Label noted = as_.newLabel();
        // CFAR
        as_.mov(x86::rcx, x86::rsi);
        as_.sub(x86::rcx, member(core_.page));
        as_.shr(x86::rcx, 2);
        as_.add(x86::rcx, member(core_.page_ea));
        as_.mov(cfar(), x86::rcx);
        as_.mov(member(core_.cfar_branch), Imm(0));

        as_.and_(x86::rax, Imm(-4));
        as_.test(left_register, left_register);
        as_.jle(slow);
        as_.mov(x86::ecx, x86::eax);
        as_.shr(x86::ecx, 8);
        as_.and_(x86::ecx, Imm((fetch_tlb::size - 1) * sizeof(fetch_entry)));
        as_.add(x86::rcx, member(core_.fetches));
        as_.mov(x86::rdx, x86::rax);
        as_.and_(x86::rdx, Imm(-static_cast<std::int64_t>(small_page)));
        as_.cmp(x86::rdx,
                x86::qword_ptr(x86::rcx, offsetof(fetch_tlb, entries) + offsetof(fetch_entry, tag)));
        as_.jne(slow);
        as_.mov(x86::rcx,
                x86::qword_ptr(x86::rcx, offsetof(fetch_tlb, entries) + offsetof(fetch_entry, page)));
        as_.mov(member(core_.page_ea), x86::rdx);
        as_.and_(x86::eax, Imm(small_page - 4));
        as_.mov(x86::rdx, x86::qword_ptr(x86::rcx, offsetof(code_page, entries)));
        as_.mov(x86::rdx, x86::qword_ptr(x86::rdx, x86::rax, 1));
        as_.test(x86::rdx, x86::rdx);
        as_.jz(no_entry);
        as_.jmp(x86::rdx);

        as_.bind(no_entry);
        as_.lea(x86::rsi, x86::ptr(x86::rcx, x86::rax, 2));
        as_.mov(member(core_.page), x86::rcx);
        as_.mov(member(core_.run_start), x86::rsi);
        account();
        count(counters_.to_interpreted, 1);
        as_.test(x86::byte_ptr(x86::rdi), Imm(every_so_many - 1));  // where count() has counted
        restore();
        as_.jz(noted);
        dispatch();
        as_.bind(noted);
        jump_to(reinterpret_cast<const void*>(&engine_access::arrive_often));

        as_.bind(slow);
        as_.mov(x86::r8, x86::rax);
        account();
        count(counters_.to_unknown, 1);
        as_.mov(x86::rdx, x86::r8);
        restore();
        jump_to(reinterpret_cast<const void*>(&engine_access::leave_far));
    }

    /// \param again executed and run_start are right
    void call(bool again, std::uint64_t& counter) {
        const Label left = as_.newLabel();
        const Label dead = as_.newLabel();
        if (!again) {
            as_.mov(x86::rcx, member(core_.budget));
            as_.sub(x86::rcx, left_register);
            as_.mov(member(core_.executed), x86::rcx);
        }
        as_.mov(x86::rcx, x86::rsi);
        as_.sub(x86::rcx, x86::rdx);
        if (!again) {
            as_.mov(member(core_.run_start), x86::rcx);
        }
        as_.push(x86::rcx);  // and the return address: 16 bytes
        count(counter, 1);
        as_.mov(left_register, x86::r8);
        as_.mov(x86::rdi, core_register);
        as_.mov(x86::rcx, Imm(std::bit_cast<std::uint64_t>(&pefsim_call_handler)));
        as_.call(x86::rcx);
        as_.pop(x86::rdx);
        as_.cmp(x86::rax, left_register);
        as_.jne(left);
        // The handler may have counted some of what translated code will.
        as_.sub(x86::rdx, member(core_.run_start));
        as_.sar(x86::rdx, op_shift);
        as_.mov(left_register, member(core_.budget));
        as_.sub(left_register, member(core_.executed));
        as_.sub(left_register, x86::rdx);
        as_.mov(x86::rcx, member(core_.page));
        as_.cmp(x86::byte_ptr(x86::rcx, alive()), Imm(0));
        as_.je(dead);
        as_.ret();

        // The engine has already gone elsewhere, and has counted all.
        as_.bind(left);
        as_.mov(x86::rcx, member(core_.executed));
        add_executed(x86::rcx);
        count(counters_.interrupted, 1);
        as_.add(x86::rsp, 8);
        restore();
        as_.ret();

        as_.bind(dead);
        as_.add(x86::rsp, 8);
        as_.mov(x86::rsi, x86::rax);
        as_.sub(x86::rax, member(core_.run_start));
        as_.sar(x86::rax, op_shift);
        as_.mov(left_register, member(core_.budget));
        as_.sub(left_register, member(core_.executed));
        as_.sub(left_register, x86::rax);
        leave();
    }

    void refill(access_kind kind) {
        constexpr std::array kept{x86::rax, x86::rsi, x86::rdi, x86::r8, x86::r9, x86::r10, x86::r11};
        for (const x86::Gp& each : kept) {
            as_.push(each);
        }
        as_.sub(x86::rsp, 8);
        as_.mov(x86::rdi, core_register);
        as_.mov(x86::rsi, x86::rax);
        as_.mov(x86::edx, x86::ecx);
        as_.mov(x86::ecx, Imm(static_cast<int>(kind)));
        as_.mov(x86::rax,
                Imm(std::bit_cast<std::uint64_t>(reinterpret_cast<const void*>(&engine_access::refill))));
        as_.call(x86::rax);
        as_.mov(x86::ecx, x86::eax);
        as_.movzx(x86::edx, x86::al);
        as_.mov(x86::rdi, Imm(std::bit_cast<std::uint64_t>(&counters_.refills)));
        as_.add(x86::qword_ptr(x86::rdi), x86::rdx);
        as_.add(x86::rsp, 8);
        for (auto each = kept.rbegin(); each != kept.rend(); ++each) {
            as_.pop(*each);
        }
        as_.test(x86::cl, x86::cl);
        as_.ret();
    }

private:
    static constexpr int op_shift = 4;
    static_assert(sizeof(op) == 1 << op_shift);
    static_assert(sizeof(fetch_entry) == sizeof(tlb_entry));
    static_assert(sizeof(op) == 4 * 4, "a word's distance in ops is four times that in storage");

    [[nodiscard]] static x86::Mem member(std::int32_t offset) {
        return x86::qword_ptr(core_register, offset);
    }
    [[nodiscard]] std::int32_t special_offset(spr which) const {
        return core_.special + 8 * static_cast<std::int32_t>(which);
    }
    [[nodiscard]] std::int32_t xer() const { return special_offset(spr::xer); }
    [[nodiscard]] x86::Mem cfar() const { return member(special_offset(spr::cfar)); }
    template <typename Member>
    static std::int32_t place_in_shadow(Member shadow_page::*which) {
        static const shadow_page example;
        return static_cast<std::int32_t>(
            reinterpret_cast<const char*>(&(example.*which)) -
            reinterpret_cast<const char*>(&static_cast<const code_page&>(example)));
    }
    static std::int32_t original() { return place_in_shadow(&shadow_page::original); }
    static std::int32_t alive() { return place_in_shadow(&shadow_page::alive); }

    void count(std::uint64_t& counter, int by) {
        as_.mov(x86::rdi, Imm(std::bit_cast<std::uint64_t>(&counter)));
        as_.add(x86::qword_ptr(x86::rdi), Imm(by));
    }
    void subtract_executed(const x86::Gp& executed) {
        as_.mov(x86::rdi, Imm(std::bit_cast<std::uint64_t>(&counters_.instructions)));
        as_.sub(x86::qword_ptr(x86::rdi), executed);
    }
    void add_executed(const x86::Gp& executed) {
        as_.mov(x86::rdi, Imm(std::bit_cast<std::uint64_t>(&counters_.instructions)));
        as_.add(x86::qword_ptr(x86::rdi), executed);
    }
    /// The core's count, on the way out. rcx and rdi are lost.
    void account() {
        as_.mov(x86::rcx, member(core_.budget));
        as_.sub(x86::rcx, left_register);
        as_.mov(member(core_.executed), x86::rcx);
        add_executed(x86::rcx);
    }
    /// rcx is lost.
    void settle_cfar() {
        const Label settled = as_.newLabel();
        as_.mov(x86::rcx, member(core_.cfar_branch));
        as_.test(x86::rcx, x86::rcx);
        as_.jz(settled);
        as_.sub(x86::rcx, member(core_.page));
        as_.sar(x86::rcx, 2);
        as_.add(x86::rcx, member(core_.page_ea));
        as_.mov(cfar(), x86::rcx);
        as_.mov(member(core_.cfar_branch), Imm(0));
        as_.bind(settled);
    }
    /// The interpreter's registers; rdi: the core.
    void restore() {
        as_.mov(x86::rdi, core_register);
        for (auto each = saved.rbegin(); each != saved.rend(); ++each) {
            as_.pop(*each);
        }
    }
    /// To the op in rsi, as handlers do.
    void dispatch() {
        if constexpr (threaded) {
            as_.jmp(x86::qword_ptr(x86::rsi, offsetof(op, execute)));
        } else {
            as_.mov(x86::rax, x86::rsi);
            as_.ret();
        }
    }
    void jump_to(const void* function) {
        as_.mov(x86::rax, Imm(std::bit_cast<std::uint64_t>(function)));
        as_.jmp(x86::rax);
    }

    x86::Assembler as_;
    engine_access::offsets core_;
    run_counters& counters_;
};

}  // namespace

veneers make_veneers(code_memory& memory, core& engine, run_counters& counters) {
    veneers made;
    const auto add = [&](std::uint64_t veneers::*which, auto emit) {
        asmjit::CodeHolder code;
        code.init(asmjit::Environment::host());
        veneer_emitter emitter(code, engine, counters);
        emit(emitter);
        made.*which = memory.next();
        place(code, memory);
    };
    add(&veneers::enter, [](veneer_emitter& e) { e.enter(); });
    add(&veneers::leave, [](veneer_emitter& e) { e.leave(); });
    add(&veneers::leave_near, [](veneer_emitter& e) { e.leave_near(); });
    add(&veneers::far, [](veneer_emitter& e) { e.far(); });
    add(&veneers::call, [&](veneer_emitter& e) { e.call(false, counters.handler_calls); });
    add(&veneers::call_again, [&](veneer_emitter& e) { e.call(true, counters.handler_calls); });
    add(&veneers::access, [&](veneer_emitter& e) { e.call(false, counters.slow_accesses); });
    add(&veneers::refill_load, [](veneer_emitter& e) { e.refill(access_kind::load); });
    add(&veneers::refill_store, [](veneer_emitter& e) { e.refill(access_kind::store); });
    return made;
}

bool place(asmjit::CodeHolder& code, code_memory& memory) {
    if (code.flatten() != asmjit::kErrorOk || code.resolveUnresolvedLinks() != asmjit::kErrorOk ||
        code.relocateToBase(memory.next()) != asmjit::kErrorOk) {
        return false;
    }
    std::vector<std::byte> bytes(code.codeSize());
    return code.copyFlattenedData(bytes.data(), bytes.size()) == asmjit::kErrorOk && memory.append(bytes);
}

}  // namespace pefsim::power::host_code
