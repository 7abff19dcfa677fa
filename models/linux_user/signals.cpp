// SPDX-License-Identifier: Apache-2.0
#include "linux_user/signals.h"

#include <algorithm>
#include <bit>
#include <csignal>
#include <cstddef>

#include "linux_user/process.h"

namespace pefsim::linux_user {
namespace {

using namespace linux_abi;  // NOLINT(google-build-using-namespace)
using power::spr;

constexpr std::uint64_t unblockable = signals::bit(SIGKILL) | signals::bit(SIGSTOP);
constexpr std::uint64_t synchronous = signals::bit(SIGSEGV) | signals::bit(SIGBUS) | signals::bit(SIGILL) |
                                      signals::bit(SIGTRAP) | signals::bit(SIGFPE) | signals::bit(SIGSYS);
constexpr std::uint64_t ignored_by_default = signals::bit(SIGCHLD) | signals::bit(SIGURG) |
                                             signals::bit(SIGWINCH) | signals::bit(SIGCONT);
constexpr std::uint64_t stopping_by_default = signals::bit(SIGSTOP) | signals::bit(SIGTSTP) |
                                              signals::bit(SIGTTIN) | signals::bit(SIGTTOU);
constexpr std::uint64_t handler_default = 0;
constexpr std::uint64_t handler_ignore = 1;

/// Where the vector registers stand in a frame at `frame`: the first 16-byte boundary of vmx_reserve.
constexpr std::uint64_t vectors_of(std::uint64_t frame) {
    const std::uint64_t reserve = frame + offsetof(rt_sigframe, uc) + offsetof(ucontext, mcontext) +
                                  offsetof(sigcontext, vmx_reserve);
    return (reserve + 15) & ~std::uint64_t{15};
}

void save(const process& of, std::uint64_t frame, sigcontext& to, vector_registers& vectors) {
    const power::registers& state = of.core.state;
    to.regs = frame + offsetof(rt_sigframe, uc) + offsetof(ucontext, mcontext) +
              offsetof(sigcontext, gp_regs);
    std::copy_n(state.gpr.begin(), 32, to.gp_regs.gpr.begin());
    to.gp_regs.nip = state.nip;
    to.gp_regs.msr = state.msr;
    to.gp_regs.orig_gpr3 = of.last_trap.gpr3;
    to.gp_regs.ctr = state[spr::ctr];
    to.gp_regs.link = state[spr::lr];
    to.gp_regs.xer = state[spr::xer];
    to.gp_regs.ccr = static_cast<std::uint32_t>(state.cr);
    to.gp_regs.trap = of.last_trap.vector;
    to.gp_regs.dar = of.last_trap.dar;
    to.gp_regs.dsisr = of.last_trap.dsisr;
    to.gp_regs.result = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        to.fp_regs[i] = state.vsr[i].high;
        vectors.vsr_low[i] = state.vsr[i].low;
        vectors.vr[i] = state.vsr[32 + i];
    }
    to.fpscr = state.fpscr;
    vectors.vscr[0] = state.vscr;
    vectors.vrsave[0] = static_cast<std::uint32_t>(state[spr::vrsave]);
    to.v_regs = vectors_of(frame);
}

void restore(process& of, const sigcontext& from, const vector_registers& vectors) {
    power::registers& state = of.core.state;
    std::copy_n(from.gp_regs.gpr.begin(), 32, state.gpr.begin());
    state.nip = from.gp_regs.nip & ~std::uint64_t{3};
    constexpr std::uint64_t changeable = msr_fe0 | msr_fe1;
    state.msr = msr_user | (from.gp_regs.msr & changeable);
    state[spr::ctr] = from.gp_regs.ctr;
    state[spr::lr] = from.gp_regs.link;
    state[spr::xer] = from.gp_regs.xer;
    state.cr = static_cast<std::uint32_t>(from.gp_regs.ccr);
    for (std::size_t i = 0; i < 32; ++i) {
        state.vsr[i] = {.low = vectors.vsr_low[i], .high = from.fp_regs[i]};
        state.vsr[32 + i] = vectors.vr[i];
    }
    state.fpscr = from.fpscr;
    state.vscr = vectors.vscr[0];
    state[spr::vrsave] = vectors.vrsave[0];
    of.core.msr_changed();
}

}  // namespace

void signals::set_blocked(std::uint64_t set) { blocked_ = set & ~unblockable; }

void signals::suspend(std::uint64_t set) {
    blocked_before_suspend_ = blocked_;
    set_blocked(set);
}

bool signals::ignores(int signal) const {
    const std::uint64_t handler = actions[signal].handler;
    return handler == handler_ignore ||
           (handler == handler_default && (ignored_by_default & bit(signal)) != 0);
}

bool signals::handles(int signal) const {
    const std::uint64_t handler = actions[signal].handler;
    return handler != handler_default && handler != handler_ignore;
}

void signals::set_action(int signal, const sigaction& action) {
    actions[signal] = action;
    if (ignores(signal)) {
        pending_ &= ~bit(signal);
    }
}

void signals::send(const siginfo& what) {
    if (!drops(what.signo) && (pending_ & bit(what.signo)) == 0) {
        pending_ |= bit(what.signo);
        waiting_[what.signo] = what;
    }
}

void signals::force(const siginfo& what) {
    sigaction& action = actions[what.signo];
    if (action.handler == handler_ignore || (blocked_ & bit(what.signo)) != 0) {
        action.handler = handler_default;
        blocked_ &= ~bit(what.signo);
    }
    pending_ |= bit(what.signo);
    waiting_[what.signo] = what;
}

std::optional<siginfo> signals::take(std::uint64_t set) {
    const std::uint64_t wanted = pending_ & set;
    if (wanted == 0) {
        return std::nullopt;
    }
    const int signal = std::countr_zero((wanted & synchronous) != 0 ? wanted & synchronous : wanted) + 1;
    pending_ &= ~bit(signal);
    return waiting_[signal];
}

void signals::deliver() {
    while (!process_.ended()) {
        const std::optional<siginfo> next = take(~blocked_);
        if (!next) {
            break;
        }
        act(*next);
    }
    if (blocked_before_suspend_) {
        set_blocked(*blocked_before_suspend_);
        blocked_before_suspend_.reset();
    }
}

void signals::act(const siginfo& what) {
    const sigaction action = actions[what.signo];
    if (action.handler == handler_ignore) {
        return;
    }
    if (action.handler == handler_default) {
        act_by_default(what.signo);
        return;
    }
    if ((action.flags & sa_resethand) != 0) {
        actions[what.signo].handler = handler_default;
    }
    if (call_handler(what, action)) {
        set_blocked(blocked_ | action.mask | ((action.flags & sa_nodefer) != 0 ? 0 : bit(what.signo)));
        return;
    }
    if (what.signo == SIGSEGV) {  // no stack to tell it on
        actions[SIGSEGV].handler = handler_default;
    }
    force({.signo = SIGSEGV, .code = SI_KERNEL});
}

void signals::act_by_default(int signal) {
    if ((ignored_by_default & bit(signal)) != 0) {
        return;
    }
    if ((stopping_by_default & bit(signal)) != 0) {
        ::raise(SIGSTOP);
        return;
    }
    process_.end_by_signal(signal);
}

bool signals::call_handler(const siginfo& what, const sigaction& action) {
    power::registers& state = process_.core.state;
    const std::uint64_t sp = state.gpr[1];
    const bool switches = (action.flags & sa_onstack) != 0 && (alternate_stack.flags & ss_disable) == 0 &&
                          alternate_stack.size != 0 && !on_alternate_stack(sp);
    const std::uint64_t top = switches ? alternate_stack.sp + alternate_stack.size : sp;
    const std::uint64_t at = (top - sizeof(rt_sigframe)) & ~std::uint64_t{15};
    const std::uint64_t new_sp = at - signal_frame_gap;

    rt_sigframe frame;
    vector_registers vectors;
    frame.uc.stack = alternate_stack;
    frame.uc.sigmask = blocked_before_suspend_.value_or(blocked_);
    blocked_before_suspend_.reset();
    frame.uc.mcontext.signal = what.signo;
    frame.uc.mcontext.handler = action.handler;
    frame.uc.mcontext.oldmask = frame.uc.sigmask;
    frame.pinfo = at + offsetof(rt_sigframe, info);
    frame.puc = at + offsetof(rt_sigframe, uc);
    frame.info = what;
    save(process_, at, frame.uc.mcontext, vectors);
    address_space& memory = process_.memory;
    if (!memory.put(at, frame) || !memory.put(vectors_of(at), vectors) || !memory.put(new_sp, sp)) {
        return false;
    }
    state.gpr[1] = new_sp;
    state.gpr[3] = static_cast<std::uint64_t>(what.signo);
    state.gpr[4] = frame.pinfo;
    state.gpr[5] = frame.puc;
    state.gpr[6] = at;
    if ((action.flags & sa_siginfo) == 0) {
        state.gpr[4] = frame.puc + offsetof(ucontext, mcontext);
    }
    state.gpr[12] = action.handler;
    state.nip = action.handler & ~std::uint64_t{3};
    state[spr::lr] = trampoline;
    state.fpscr = 0;
    state.msr = msr_user | (state.msr & (msr_fe0 | msr_fe1));
    process_.core.msr_changed();
    return true;
}

bool signals::return_from_handler() {
    const address_space& memory = process_.memory;
    const std::uint64_t at = process_.core.state.gpr[1];  // the trampoline has taken the gap away
    ucontext context;
    vector_registers vectors;
    if (!memory.get(at, context) || !memory.get(context.mcontext.v_regs, vectors)) {
        return false;
    }
    set_blocked(context.sigmask);
    restore(process_, context.mcontext, vectors);
    alternate_stack = context.stack;
    return true;
}

}  // namespace pefsim::linux_user
