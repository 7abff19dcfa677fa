// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>

#include "linux_user/calls.h"
#include "linux_user/linux_abi.h"
#include "linux_user/process.h"
#include "linux_user/waiting.h"

namespace pefsim::linux_user::calls {
namespace {

constexpr std::uint64_t set_bytes = sizeof(std::uint64_t);

bool is_signal(int signal) { return signal > 0 && signal <= linux_abi::signal_count; }

bool is_self(int id) { return id == process_id || id == 0 || id == -process_id || id == -1; }

result send(process& p, int signal, int code) {
    if (signal < 0 || signal > linux_abi::signal_count) {
        return -EINVAL;
    }
    if (signal != 0) {
        const std::uint64_t sender = process_id | std::uint64_t{::getuid()} << 32;
        p.signals.send({.signo = signal, .code = code, .address = sender});
    }
    return 0;
}

result queue(process& p, int signal, address info) {
    linux_abi::siginfo what;
    if (!p.memory.get(info, what)) {
        return -EFAULT;
    }
    if (!is_signal(signal)) {
        return signal == 0 ? 0 : -EINVAL;
    }
    what.signo = signal;
    p.signals.send(what);
    return 0;
}

/// No signal comes within `timeout`.
result sleep_in_vain(process& p, address timeout) {
    const result slept = clock_nanosleep(p, CLOCK_MONOTONIC, 0, timeout, 0);
    return slept == 0 ? -EAGAIN : slept;
}

}  // namespace

result rt_sigaction(process& p, int signal, address action, address before, std::uint64_t set_size) {
    if (set_size != set_bytes || !is_signal(signal) ||
        (action != 0 && (signal == SIGKILL || signal == SIGSTOP))) {
        return -EINVAL;
    }
    linux_abi::sigaction wanted;
    if (action != 0 && !p.memory.get(action, wanted)) {
        return -EFAULT;
    }
    const linux_abi::sigaction old = p.signals.actions[static_cast<std::size_t>(signal)];
    if (action != 0) {
        wanted.mask &= ~(signals::bit(SIGKILL) | signals::bit(SIGSTOP));
        p.signals.set_action(signal, wanted);
    }
    return before == 0 || p.memory.put(before, old) ? 0 : -EFAULT;
}

result rt_sigprocmask(process& p, int how, address set, address before, std::uint64_t set_size) {
    if (set_size != set_bytes) {
        return -EINVAL;
    }
    const std::uint64_t old = p.signals.blocked();
    std::uint64_t wanted = 0;
    if (set != 0) {
        if (!p.memory.get(set, wanted)) {
            return -EFAULT;
        }
        switch (how) {
        case SIG_BLOCK:
            p.signals.set_blocked(old | wanted);
            break;
        case SIG_UNBLOCK:
            p.signals.set_blocked(old & ~wanted);
            break;
        case SIG_SETMASK:
            p.signals.set_blocked(wanted);
            break;
        default:
            return -EINVAL;
        }
    }
    return before == 0 || p.memory.put(before, old) ? 0 : -EFAULT;
}

result rt_sigpending(process& p, address to, std::uint64_t set_size) {
    if (set_size > set_bytes) {
        return -EINVAL;
    }
    return p.memory.put(to, p.signals.pending() & p.signals.blocked()) ? 0 : -EFAULT;
}

result rt_sigsuspend(process& p, address set, std::uint64_t set_size) {
    std::uint64_t wanted = 0;
    if (set_size != set_bytes) {
        return -EINVAL;
    }
    if (!p.memory.get(set, wanted)) {
        return -EFAULT;
    }
    p.signals.suspend(wanted);
    wait_for_signal(p);
    return -EINTR;
}

result pause(process& p) {
    wait_for_signal(p);
    return -EINTR;
}

result rt_sigtimedwait(process& p, address set, address info, address timeout, std::uint64_t set_size) {
    std::uint64_t wanted = 0;
    if (set_size != set_bytes) {
        return -EINVAL;
    }
    if (!p.memory.get(set, wanted)) {
        return -EFAULT;
    }
    std::optional<linux_abi::siginfo> got = p.signals.take(wanted);
    if (!got && timeout == 0) {
        wait_for_signal(p, wanted);
        got = p.signals.take(wanted);
    }
    if (!got) {
        return timeout == 0 ? -EINTR : sleep_in_vain(p, timeout);
    }
    return info == 0 || p.memory.put(info, *got) ? got->signo : -EFAULT;
}

result rt_sigqueueinfo(process& p, int group, int signal, address info) {
    return group == process_id ? queue(p, signal, info) : -ESRCH;
}

result rt_tgsigqueueinfo(process& p, int group, int thread, int signal, address info) {
    return group == process_id && thread == process_id ? queue(p, signal, info) : -ESRCH;
}

result rt_sigreturn(process& p) {
    if (!p.signals.return_from_handler()) {
        p.signals.force({.signo = SIGSEGV, .code = SI_KERNEL});
    }
    p.keep_registers();
    return 0;
}

result sigaltstack(process& p, address stack, address before) {
    const linux_abi::stack old = p.signals.alternate_stack;
    const bool in_use = p.signals.on_alternate_stack(p.core.state.gpr[1]);
    if (stack != 0) {
        linux_abi::stack wanted;
        if (!p.memory.get(stack, wanted)) {
            return -EFAULT;
        }
        if (in_use) {
            return -EPERM;
        }
        if ((wanted.flags & ~(linux_abi::ss_disable | linux_abi::ss_onstack)) != 0) {
            return -EINVAL;
        }
        if ((wanted.flags & linux_abi::ss_disable) != 0) {
            wanted = {};
        } else if (wanted.size < linux_abi::minimum_signal_stack) {
            return -ENOMEM;
        }
        wanted.flags &= linux_abi::ss_disable;
        p.signals.alternate_stack = wanted;
    }
    linux_abi::stack told = old;
    told.flags |= in_use ? linux_abi::ss_onstack : 0;
    return before == 0 || p.memory.put(before, told) ? 0 : -EFAULT;
}

result kill(process& p, int id, int signal) { return is_self(id) ? send(p, signal, SI_USER) : -ESRCH; }

result tkill(process& p, int thread, int signal) {
    return thread == process_id ? send(p, signal, SI_TKILL) : -ESRCH;
}

result tgkill(process& p, int group, int thread, int signal) {
    return group == process_id && thread == process_id ? send(p, signal, SI_TKILL) : -ESRCH;
}

}  // namespace pefsim::linux_user::calls
