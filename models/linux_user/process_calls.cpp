// SPDX-License-Identifier: Apache-2.0
#include <linux/futex.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "linux_user/calls.h"
#include "linux_user/host_result.h"
#include "linux_user/linux_abi.h"
#include "linux_user/process.h"

namespace pefsim::linux_user::calls {
namespace {

constexpr std::uint32_t unchanged = 0xffff'ffff;

bool is_self(int id) { return id == 0 || id == process_id; }

/// A program may take the identity that it has.
result keep_identity(std::initializer_list<std::uint32_t> wanted, std::uint32_t own) {
    return std::ranges::all_of(wanted, [own](std::uint32_t each) { return each == unchanged || each == own; })
               ? 0
               : -EPERM;
}

result put_three(process& p, std::array<address, 3> to, std::uint32_t value) {
    return std::ranges::all_of(to, [&](address each) { return p.memory.put(each, value); }) ? 0 : -EFAULT;
}

resource_limit limit_of(const process& p, std::uint32_t resource) {
    if (p.resource_limits[resource]) {
        return *p.resource_limits[resource];
    }
    ::rlimit host{RLIM_INFINITY, RLIM_INFINITY};
    if (resource == RLIMIT_STACK) {
        host.rlim_cur = p.settings().stack_size;
    } else if (resource == RLIMIT_NOFILE) {
        host = {p.descriptors.limit(), p.descriptors.hard_limit()};
    } else if (resource == RLIMIT_FSIZE || resource == RLIMIT_CORE) {
        ::getrlimit(static_cast<decltype(RLIMIT_NOFILE)>(resource), &host);
    }
    return {host.rlim_cur, host.rlim_max};
}

/// Limits are remembered; that of open files is kept, too.
result set_limit(process& p, std::uint32_t resource, const resource_limit& wanted) {
    if (wanted.soft > wanted.hard) {
        return -EINVAL;
    }
    if (wanted.hard > limit_of(p, resource).hard) {
        return -EPERM;
    }
    if (resource == RLIMIT_NOFILE) {
        p.descriptors.set_limits(wanted.soft, wanted.hard);
    }
    p.resource_limits[resource] = wanted;
    return 0;
}

}  // namespace

// --- ends and identities

result exit(process& p, int status) {
    p.end(status);
    return 0;
}

result getpid(process& /*p*/) { return process_id; }
result getppid(process& /*p*/) { return 1; }
result getpgid(process& /*p*/, int of) { return is_self(of) ? process_id : -ESRCH; }
result setpgid(process& /*p*/, int of, int group) { return is_self(of) && is_self(group) ? 0 : -EPERM; }
result getuid(process& /*p*/) { return ::getuid(); }
result geteuid(process& /*p*/) { return ::geteuid(); }
result getgid(process& /*p*/) { return ::getgid(); }
result getegid(process& /*p*/) { return ::getegid(); }

result getresuid(process& p, address real, address effective, address saved) {
    return put_three(p, {real, effective, saved}, ::getuid());
}
result getresgid(process& p, address real, address effective, address saved) {
    return put_three(p, {real, effective, saved}, ::getgid());
}

result getgroups(process& p, int count, address to) {
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
    const auto have = ::getgroups(static_cast<int>(groups.size()), groups.data());
    if (have < 0 || count < 0 || (count != 0 && count < have)) {
        return -EINVAL;
    }
    return count == 0 || p.memory.write_bytes(to, std::as_bytes(std::span(groups))) ? have : -EFAULT;
}

result setuid(process& /*p*/, std::uint32_t user) { return keep_identity({user}, ::getuid()); }
result setgid(process& /*p*/, std::uint32_t group) { return keep_identity({group}, ::getgid()); }
result setreuid(process& /*p*/, std::uint32_t real, std::uint32_t effective) {
    return keep_identity({real, effective}, ::getuid());
}
result setregid(process& /*p*/, std::uint32_t real, std::uint32_t effective) {
    return keep_identity({real, effective}, ::getgid());
}
result setresuid(process& /*p*/, std::uint32_t real, std::uint32_t effective, std::uint32_t saved) {
    return keep_identity({real, effective, saved}, ::getuid());
}
result setresgid(process& /*p*/, std::uint32_t real, std::uint32_t effective, std::uint32_t saved) {
    return keep_identity({real, effective, saved}, ::getgid());
}

// --- surroundings

result uname(process& p, address to) {
    ::utsname name{};
    const auto set = [](auto& field, const char* text) { std::strncpy(field, text, sizeof field - 1); };
    set(name.sysname, "Linux");
    set(name.nodename, "pefsim");
    set(name.release, "6.1.0");
    set(name.version, "#1 SMP pefsim user_program");
    set(name.machine, "ppc64le");
    set(name.domainname, "(none)");
    return p.memory.put(to, name) ? 0 : -EFAULT;
}

result getrandom(process& p, address buffer, std::uint64_t size, std::uint32_t flags) {
    constexpr std::uint32_t known_flags = 7;
    constexpr std::uint64_t most = 1 << 20;
    if ((flags & ~known_flags) != 0) {
        return -EINVAL;
    }
    std::vector<std::byte> bytes(std::min(size, most));
    std::ranges::generate(bytes, [&p] { return static_cast<std::byte>(p.random()); });
    return p.memory.write_bytes(buffer, bytes) ? static_cast<result>(bytes.size()) : -EFAULT;
}

result prlimit64(process& p, int of, std::uint32_t resource, address set, address before) {
    if (resource >= p.resource_limits.size()) {
        return -EINVAL;
    }
    if (!is_self(of)) {
        return -ESRCH;
    }
    const resource_limit old = limit_of(p, resource);
    resource_limit wanted;
    if (set != 0) {
        if (!p.memory.get(set, wanted)) {
            return -EFAULT;
        }
        if (const result error = set_limit(p, resource, wanted); error != 0) {
            return error;
        }
    }
    return before == 0 || p.memory.put(before, old) ? 0 : -EFAULT;
}
result getrlimit(process& p, std::uint32_t resource, address to) {
    return to == 0 ? -EFAULT : prlimit64(p, 0, resource, 0, to);
}
result setrlimit(process& p, std::uint32_t resource, address from) {
    return from == 0 ? -EFAULT : prlimit64(p, 0, resource, from, 0);
}

result sysinfo(process& p, address to) {
    struct ::sysinfo about {};
    about.uptime = p.clock.elapsed() / 1'000'000'000;
    about.totalram = p.settings().memory.bytes;
    about.freeram = about.totalram - std::min<std::uint64_t>(about.totalram, p.memory.peak_bytes());
    about.procs = 1;
    about.mem_unit = 1;
    return p.memory.put(to, about) ? 0 : -EFAULT;
}

// --- the only thread and the only processor

result set_tid_address(process& p, address to) {
    p.clear_child_tid = to;
    return process_id;
}

result set_robust_list(process& /*p*/, address /*head*/, std::uint64_t size) {
    constexpr std::uint64_t head_size = 24;
    return size == head_size ? 0 : -EINVAL;
}

result rseq(process& /*p*/) { return -ENOSYS; }

result futex(process& p, address word, int operation, std::uint32_t value, address timeout) {
    const int command = operation & FUTEX_CMD_MASK;
    std::uint32_t now = 0;
    switch (command) {
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
        return p.memory.get(word, now) ? 0 : -EFAULT;
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        break;
    default:
        return -ENOSYS;
    }
    if (!p.memory.get(word, now)) {
        return -EFAULT;
    }
    if (now != value) {
        return -EAGAIN;
    }
    if (timeout == 0) {  // nobody will ever wake it
        return pause(p);
    }
    const bool absolute = command == FUTEX_WAIT_BITSET;
    const int clock = (operation & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
    const result slept = clock_nanosleep(p, clock, absolute ? TIMER_ABSTIME : 0, timeout, 0);
    return slept == 0 ? -ETIMEDOUT : slept;
}

result wait4(process& /*p*/) { return -ECHILD; }

result sched_getaffinity(process& p, int of, std::uint32_t size, address to) {
    constexpr std::uint64_t first_processor = 1;
    if (!is_self(of)) {
        return -ESRCH;
    }
    if (size < sizeof first_processor || size % sizeof first_processor != 0) {
        return -EINVAL;
    }
    return p.memory.put(to, first_processor) ? result{sizeof first_processor} : -EFAULT;
}

result sched_setaffinity(process& p, int of, std::uint32_t size, address from) {
    std::uint8_t first_byte = 0;
    if (!is_self(of)) {
        return -ESRCH;
    }
    if (size != 0 && !p.memory.get(from, first_byte)) {
        return -EFAULT;
    }
    return (first_byte & 1) != 0 ? 0 : -EINVAL;
}

result sched_get_priority_max(process& /*p*/, int policy) {
    return policy == SCHED_FIFO || policy == SCHED_RR ? 99 : 0;
}
result sched_get_priority_min(process& /*p*/, int policy) {
    return policy == SCHED_FIFO || policy == SCHED_RR ? 1 : 0;
}
result sched_getparam(process& p, int of, address to) {
    return !is_self(of) ? -ESRCH : p.memory.put(to, std::int32_t{0}) ? 0 : -EFAULT;
}

result getcpu(process& p, address cpu, address node) {
    constexpr std::uint32_t only = 0;
    return (cpu == 0 || p.memory.put(cpu, only)) && (node == 0 || p.memory.put(node, only)) ? 0 : -EFAULT;
}

result getpriority(process& /*p*/) { return 20; }  // nice 0, as the system call has it

// --- prctl

namespace {

constexpr std::size_t name_size = 16;

result set_fp_exceptions(process& p, std::uint64_t mode) {
    if (mode > PR_FP_EXC_PRECISE) {
        return -EINVAL;
    }
    p.fp_exception_mode = static_cast<unsigned>(mode);
    const std::uint64_t bits = (mode << 10 | mode << 8) & (linux_abi::msr_fe0 | linux_abi::msr_fe1);
    std::uint64_t& msr = p.core.state.msr;
    msr = (msr & ~(linux_abi::msr_fe0 | linux_abi::msr_fe1)) | bits;
    p.core.msr_changed();
    return 0;
}

}  // namespace

result prctl(process& p, int option, std::uint64_t argument) {
    switch (option) {
    case PR_SET_NAME:
        return p.memory.get_string(argument, p.thread_name, name_size) == -EFAULT
                   ? -EFAULT
                   : (p.thread_name.resize(std::min(p.thread_name.size(), name_size - 1)), 0);
    case PR_GET_NAME: {
        std::array<char, name_size> name{};
        p.thread_name.copy(name.data(), name_size - 1);
        return p.memory.put(argument, name) ? 0 : -EFAULT;
    }
    case PR_SET_FPEXC:
        return set_fp_exceptions(p, argument);
    case PR_GET_FPEXC:
        return p.memory.put(argument, std::uint32_t{p.fp_exception_mode}) ? 0 : -EFAULT;
    case PR_GET_ENDIAN:
        return p.memory.put(argument, std::uint32_t{PR_ENDIAN_LITTLE}) ? 0 : -EFAULT;
    case PR_GET_DUMPABLE:
        return 1;
    case PR_SET_DUMPABLE:
    case PR_SET_PDEATHSIG:
    case PR_SET_NO_NEW_PRIVS:
    case PR_GET_NO_NEW_PRIVS:
    case PR_CAPBSET_READ:
    case PR_GET_KEEPCAPS:
    case PR_SET_KEEPCAPS:
        return 0;
    default:
        return -EINVAL;
    }
}

result personality(process& /*p*/, std::uint32_t persona) {
    return persona == 0 || persona == unchanged ? 0 : -EINVAL;
}

result done(process& /*p*/) { return 0; }

}  // namespace pefsim::linux_user::calls
