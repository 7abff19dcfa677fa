// SPDX-License-Identifier: Apache-2.0
#include "linux_user/system_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

#include "linux_user/calls.h"
#include "linux_user/process.h"

namespace pefsim::linux_user {
namespace {

template <typename T>
constexpr argument_kind kind_of = argument_kind::value;
template <>
constexpr argument_kind kind_of<descriptor> = argument_kind::descriptor;
template <>
constexpr argument_kind kind_of<directory_descriptor> = argument_kind::directory;
template <>
constexpr argument_kind kind_of<calls::descriptor_number> = argument_kind::descriptor_number;
template <>
constexpr argument_kind kind_of<calls::descriptors_address> = argument_kind::descriptors;
template <>
constexpr argument_kind kind_of<calls::path_address> = argument_kind::path;

/// A register as a parameter: as in C, but what is a descriptor comes from the gate.
template <typename T>
T parameter(const process& of, std::uint64_t value) {
    if constexpr (kind_of<T> == argument_kind::descriptor) {
        return of.descriptors.pass(static_cast<int>(value));
    } else if constexpr (kind_of<T> == argument_kind::directory) {
        return of.descriptors.pass_directory(static_cast<int>(value));
    } else if constexpr (kind_of<T> == argument_kind::descriptor_number) {
        return {static_cast<int>(value)};
    } else if constexpr (kind_of<T> == argument_kind::value) {
        return static_cast<T>(value);
    } else {
        return {value};
    }
}

template <typename... Parameters, std::size_t... n>
std::int64_t apply(std::int64_t (*function)(process&, Parameters...), process& of,
                   const system_call_arguments& arguments, std::index_sequence<n...> /*count*/) {
    return function(of, parameter<Parameters>(of, arguments[n])...);
}

/// A call with parameters of its own, as the table has it.
struct adapted {
    system_call_function function;
    std::uint8_t arguments;
    std::array<argument_kind, 6> kinds{};
};
template <auto function, typename... Parameters>
constexpr adapted adapt(std::int64_t (* /*same*/)(process&, Parameters...)) {
    return {[](process& of, const system_call_arguments& arguments) {
                return apply(function, of, arguments, std::index_sequence_for<Parameters...>());
            },
            sizeof...(Parameters),
            {kind_of<Parameters>...}};
}
template <auto function>
inline constexpr adapted call = adapt<function>(function);

struct named_call {
    std::uint16_t number = 0;
    std::string_view name;
    adapted does{nullptr, 0, {}};
};

/// 64-bit powerpc's numbers: arch/powerpc/kernel/syscalls/syscall.tbl. Calls without a function end in ENOSYS.
// clang-format off
constexpr named_call named_calls[] = {
    {0, "restart_syscall"},
    {1, "exit", call<calls::exit>},
    {2, "fork"},
    {3, "read", call<calls::read>},
    {4, "write", call<calls::write>},
    {5, "open", call<calls::open>},
    {6, "close", call<calls::close>},
    {7, "waitpid", call<calls::wait4>},
    {8, "creat", call<calls::creat>},
    {9, "link", call<calls::link>},
    {10, "unlink", call<calls::unlink>},
    {11, "execve"},
    {12, "chdir", call<calls::chdir>},
    {13, "time", call<calls::time>},
    {14, "mknod", call<calls::mknod>},
    {15, "chmod", call<calls::chmod>},
    {16, "lchown", call<calls::lchown>},
    {17, "break"},
    {18, "oldstat"},
    {19, "lseek", call<calls::lseek>},
    {20, "getpid", call<calls::getpid>},
    {21, "mount"},
    {22, "umount"},
    {23, "setuid", call<calls::setuid>},
    {24, "getuid", call<calls::getuid>},
    {25, "stime"},
    {26, "ptrace"},
    {27, "alarm", call<calls::alarm>},
    {28, "oldfstat"},
    {29, "pause", call<calls::pause>},
    {30, "utime", call<calls::utime>},
    {31, "stty"},
    {32, "gtty"},
    {33, "access", call<calls::access>},
    {34, "nice", call<calls::done>},
    {35, "ftime"},
    {36, "sync", call<calls::sync>},
    {37, "kill", call<calls::kill>},
    {38, "rename", call<calls::rename>},
    {39, "mkdir", call<calls::mkdir>},
    {40, "rmdir", call<calls::rmdir>},
    {41, "dup", call<calls::dup>},
    {42, "pipe", call<calls::pipe>},
    {43, "times", call<calls::times>},
    {44, "prof"},
    {45, "brk", call<calls::brk>},
    {46, "setgid", call<calls::setgid>},
    {47, "getgid", call<calls::getgid>},
    {48, "signal"},
    {49, "geteuid", call<calls::geteuid>},
    {50, "getegid", call<calls::getegid>},
    {51, "acct"},
    {52, "umount2"},
    {53, "lock"},
    {54, "ioctl", call<calls::ioctl>},
    {55, "fcntl", call<calls::fcntl>},
    {56, "mpx"},
    {57, "setpgid", call<calls::setpgid>},
    {58, "ulimit"},
    {59, "oldolduname"},
    {60, "umask", call<calls::umask>},
    {61, "chroot"},
    {62, "ustat"},
    {63, "dup2", call<calls::dup2>},
    {64, "getppid", call<calls::getppid>},
    {65, "getpgrp", call<calls::getpid>},
    {66, "setsid", call<calls::getpid>},
    {67, "sigaction"},
    {68, "sgetmask"},
    {69, "ssetmask"},
    {70, "setreuid", call<calls::setreuid>},
    {71, "setregid", call<calls::setregid>},
    {72, "sigsuspend"},
    {73, "sigpending"},
    {74, "sethostname"},
    {75, "setrlimit", call<calls::setrlimit>},
    {76, "getrlimit", call<calls::getrlimit>},
    {77, "getrusage", call<calls::getrusage>},
    {78, "gettimeofday", call<calls::gettimeofday>},
    {79, "settimeofday"},
    {80, "getgroups", call<calls::getgroups>},
    {81, "setgroups"},
    {82, "select", call<calls::select>},
    {83, "symlink", call<calls::symlink>},
    {84, "oldlstat"},
    {85, "readlink", call<calls::readlink>},
    {86, "uselib"},
    {87, "swapon"},
    {88, "reboot"},
    {89, "readdir"},
    {90, "mmap", call<calls::mmap>},
    {91, "munmap", call<calls::munmap>},
    {92, "truncate", call<calls::truncate>},
    {93, "ftruncate", call<calls::ftruncate>},
    {94, "fchmod", call<calls::fchmod>},
    {95, "fchown", call<calls::fchown>},
    {96, "getpriority", call<calls::getpriority>},
    {97, "setpriority", call<calls::done>},
    {98, "profil"},
    {99, "statfs", call<calls::statfs>},
    {100, "fstatfs", call<calls::fstatfs>},
    {101, "ioperm"},
    {102, "socketcall"},
    {103, "syslog"},
    {104, "setitimer", call<calls::setitimer>},
    {105, "getitimer", call<calls::getitimer>},
    {106, "stat", call<calls::stat>},
    {107, "lstat", call<calls::lstat>},
    {108, "fstat", call<calls::fstat>},
    {109, "olduname"},
    {110, "iopl"},
    {111, "vhangup"},
    {112, "idle"},
    {113, "vm86"},
    {114, "wait4", call<calls::wait4>},
    {115, "swapoff"},
    {116, "sysinfo", call<calls::sysinfo>},
    {117, "ipc"},
    {118, "fsync", call<calls::fsync>},
    {119, "sigreturn"},
    {120, "clone"},
    {121, "setdomainname"},
    {122, "uname", call<calls::uname>},
    {123, "modify_ldt"},
    {124, "adjtimex"},
    {125, "mprotect", call<calls::mprotect>},
    {126, "sigprocmask"},
    {127, "create_module"},
    {128, "init_module"},
    {129, "delete_module"},
    {130, "get_kernel_syms"},
    {131, "quotactl"},
    {132, "getpgid", call<calls::getpgid>},
    {133, "fchdir", call<calls::fchdir>},
    {134, "bdflush"},
    {135, "sysfs"},
    {136, "personality", call<calls::personality>},
    {137, "afs_syscall"},
    {138, "setfsuid"},
    {139, "setfsgid"},
    {140, "_llseek", call<calls::llseek>},
    {141, "getdents"},
    {142, "_newselect", call<calls::select>},
    {143, "flock", call<calls::flock>},
    {144, "msync", call<calls::msync>},
    {145, "readv", call<calls::readv>},
    {146, "writev", call<calls::writev>},
    {147, "getsid", call<calls::getpgid>},
    {148, "fdatasync", call<calls::fdatasync>},
    {149, "_sysctl"},
    {150, "mlock", call<calls::mlock>},
    {151, "munlock", call<calls::mlock>},
    {152, "mlockall", call<calls::done>},
    {153, "munlockall", call<calls::done>},
    {154, "sched_setparam", call<calls::done>},
    {155, "sched_getparam", call<calls::sched_getparam>},
    {156, "sched_setscheduler", call<calls::done>},
    {157, "sched_getscheduler", call<calls::done>},
    {158, "sched_yield", call<calls::done>},
    {159, "sched_get_priority_max", call<calls::sched_get_priority_max>},
    {160, "sched_get_priority_min", call<calls::sched_get_priority_min>},
    {161, "sched_rr_get_interval"},
    {162, "nanosleep", call<calls::nanosleep>},
    {163, "mremap", call<calls::mremap>},
    {164, "setresuid", call<calls::setresuid>},
    {165, "getresuid", call<calls::getresuid>},
    {166, "query_module"},
    {167, "poll", call<calls::poll>},
    {168, "nfsservctl"},
    {169, "setresgid", call<calls::setresgid>},
    {170, "getresgid", call<calls::getresgid>},
    {171, "prctl", call<calls::prctl>},
    {172, "rt_sigreturn", call<calls::rt_sigreturn>},
    {173, "rt_sigaction", call<calls::rt_sigaction>},
    {174, "rt_sigprocmask", call<calls::rt_sigprocmask>},
    {175, "rt_sigpending", call<calls::rt_sigpending>},
    {176, "rt_sigtimedwait", call<calls::rt_sigtimedwait>},
    {177, "rt_sigqueueinfo", call<calls::rt_sigqueueinfo>},
    {178, "rt_sigsuspend", call<calls::rt_sigsuspend>},
    {179, "pread64", call<calls::pread64>},
    {180, "pwrite64", call<calls::pwrite64>},
    {181, "chown", call<calls::chown>},
    {182, "getcwd", call<calls::getcwd>},
    {183, "capget"},
    {184, "capset"},
    {185, "sigaltstack", call<calls::sigaltstack>},
    {186, "sendfile", call<calls::sendfile>},
    {187, "getpmsg"},
    {188, "putpmsg"},
    {189, "vfork"},
    {190, "ugetrlimit", call<calls::getrlimit>},
    {191, "readahead", call<calls::readahead>},
    {198, "pciconfig_read"},
    {199, "pciconfig_write"},
    {200, "pciconfig_iobase"},
    {201, "multiplexer"},
    {202, "getdents64", call<calls::getdents64>},
    {203, "pivot_root"},
    {205, "madvise", call<calls::madvise>},
    {206, "mincore", call<calls::mincore>},
    {207, "gettid", call<calls::getpid>},
    {208, "tkill", call<calls::tkill>},
    {209, "setxattr", call<calls::no_attributes>},
    {210, "lsetxattr", call<calls::no_attributes>},
    {211, "fsetxattr", call<calls::no_attributes>},
    {212, "getxattr", call<calls::no_attributes>},
    {213, "lgetxattr", call<calls::no_attributes>},
    {214, "fgetxattr", call<calls::no_attributes>},
    {215, "listxattr", call<calls::no_attributes>},
    {216, "llistxattr", call<calls::no_attributes>},
    {217, "flistxattr", call<calls::no_attributes>},
    {218, "removexattr", call<calls::no_attributes>},
    {219, "lremovexattr", call<calls::no_attributes>},
    {220, "fremovexattr", call<calls::no_attributes>},
    {221, "futex", call<calls::futex>},
    {222, "sched_setaffinity", call<calls::sched_setaffinity>},
    {223, "sched_getaffinity", call<calls::sched_getaffinity>},
    {225, "tuxcall"},
    {227, "io_setup"},
    {228, "io_destroy"},
    {229, "io_getevents"},
    {230, "io_submit"},
    {231, "io_cancel"},
    {232, "set_tid_address", call<calls::set_tid_address>},
    {233, "fadvise64", call<calls::fadvise64>},
    {234, "exit_group", call<calls::exit>},
    {235, "lookup_dcookie"},
    {236, "epoll_create"},
    {237, "epoll_ctl"},
    {238, "epoll_wait"},
    {239, "remap_file_pages"},
    {240, "timer_create"},
    {241, "timer_settime"},
    {242, "timer_gettime"},
    {243, "timer_getoverrun"},
    {244, "timer_delete"},
    {245, "clock_settime"},
    {246, "clock_gettime", call<calls::clock_gettime>},
    {247, "clock_getres", call<calls::clock_getres>},
    {248, "clock_nanosleep", call<calls::clock_nanosleep>},
    {249, "swapcontext"},
    {250, "tgkill", call<calls::tgkill>},
    {251, "utimes", call<calls::utimes>},
    {252, "statfs64", call<calls::statfs64>},
    {253, "fstatfs64", call<calls::fstatfs64>},
    {255, "rtas"},
    {256, "sys_debug_setcontext"},
    {258, "migrate_pages"},
    {259, "mbind"},
    {260, "get_mempolicy"},
    {261, "set_mempolicy"},
    {262, "mq_open"},
    {263, "mq_unlink"},
    {264, "mq_timedsend"},
    {265, "mq_timedreceive"},
    {266, "mq_notify"},
    {267, "mq_getsetattr"},
    {268, "kexec_load"},
    {269, "add_key"},
    {270, "request_key"},
    {271, "keyctl"},
    {272, "waitid", call<calls::wait4>},
    {273, "ioprio_set"},
    {274, "ioprio_get"},
    {275, "inotify_init"},
    {276, "inotify_add_watch"},
    {277, "inotify_rm_watch"},
    {278, "spu_run"},
    {279, "spu_create"},
    {280, "pselect6", call<calls::pselect6>},
    {281, "ppoll", call<calls::ppoll>},
    {282, "unshare"},
    {283, "splice"},
    {284, "tee"},
    {285, "vmsplice"},
    {286, "openat", call<calls::openat>},
    {287, "mkdirat", call<calls::mkdirat>},
    {288, "mknodat", call<calls::mknodat>},
    {289, "fchownat", call<calls::fchownat>},
    {290, "futimesat", call<calls::futimesat>},
    {291, "newfstatat", call<calls::newfstatat>},
    {292, "unlinkat", call<calls::unlinkat>},
    {293, "renameat", call<calls::renameat>},
    {294, "linkat", call<calls::linkat>},
    {295, "symlinkat", call<calls::symlinkat>},
    {296, "readlinkat", call<calls::readlinkat>},
    {297, "fchmodat", call<calls::fchmodat>},
    {298, "faccessat", call<calls::faccessat>},
    {299, "get_robust_list"},
    {300, "set_robust_list", call<calls::set_robust_list>},
    {301, "move_pages"},
    {302, "getcpu", call<calls::getcpu>},
    {303, "epoll_pwait"},
    {304, "utimensat", call<calls::utimensat>},
    {305, "signalfd"},
    {306, "timerfd_create"},
    {307, "eventfd"},
    {308, "sync_file_range2"},
    {309, "fallocate", call<calls::fallocate>},
    {310, "subpage_prot"},
    {311, "timerfd_settime"},
    {312, "timerfd_gettime"},
    {313, "signalfd4"},
    {314, "eventfd2"},
    {315, "epoll_create1"},
    {316, "dup3", call<calls::dup3>},
    {317, "pipe2", call<calls::pipe2>},
    {318, "inotify_init1"},
    {319, "perf_event_open"},
    {320, "preadv", call<calls::preadv>},
    {321, "pwritev", call<calls::pwritev>},
    {322, "rt_tgsigqueueinfo", call<calls::rt_tgsigqueueinfo>},
    {323, "fanotify_init"},
    {324, "fanotify_mark"},
    {325, "prlimit64", call<calls::prlimit64>},
    {326, "socket"},
    {327, "bind"},
    {328, "connect"},
    {329, "listen"},
    {330, "accept"},
    {331, "getsockname"},
    {332, "getpeername"},
    {333, "socketpair"},
    {334, "send"},
    {335, "sendto"},
    {336, "recv"},
    {337, "recvfrom"},
    {338, "shutdown"},
    {339, "setsockopt"},
    {340, "getsockopt"},
    {341, "sendmsg"},
    {342, "recvmsg"},
    {343, "recvmmsg"},
    {344, "accept4"},
    {345, "name_to_handle_at"},
    {346, "open_by_handle_at"},
    {347, "clock_adjtime"},
    {348, "syncfs", call<calls::fsync>},
    {349, "sendmmsg"},
    {350, "setns"},
    {351, "process_vm_readv"},
    {352, "process_vm_writev"},
    {353, "finit_module"},
    {354, "kcmp"},
    {355, "sched_setattr"},
    {356, "sched_getattr"},
    {357, "renameat2", call<calls::renameat2>},
    {358, "seccomp"},
    {359, "getrandom", call<calls::getrandom>},
    {360, "memfd_create"},
    {361, "bpf"},
    {362, "execveat"},
    {363, "switch_endian"},
    {364, "userfaultfd"},
    {365, "membarrier", call<calls::done>},
    {378, "mlock2", call<calls::mlock>},
    {379, "copy_file_range", call<calls::copy_file_range>},
    {380, "preadv2"},
    {381, "pwritev2"},
    {382, "kexec_file_load"},
    {383, "statx", call<calls::statx>},
    {384, "pkey_alloc"},
    {385, "pkey_free"},
    {386, "pkey_mprotect"},
    {387, "rseq", call<calls::rseq>},
    {388, "io_pgetevents"},
    {392, "semtimedop"},
    {393, "semget"},
    {394, "semctl"},
    {395, "shmget"},
    {396, "shmctl"},
    {397, "shmat"},
    {398, "shmdt"},
    {399, "msgget"},
    {400, "msgsnd"},
    {401, "msgrcv"},
    {402, "msgctl"},
    {424, "pidfd_send_signal"},
    {425, "io_uring_setup"},
    {426, "io_uring_enter"},
    {427, "io_uring_register"},
    {428, "open_tree"},
    {429, "move_mount"},
    {430, "fsopen"},
    {431, "fsconfig"},
    {432, "fsmount"},
    {433, "fspick"},
    {434, "pidfd_open"},
    {435, "clone3"},
    {436, "close_range", call<calls::close_range>},
    {437, "openat2"},
    {438, "pidfd_getfd"},
    {439, "faccessat2", call<calls::faccessat2>},
    {440, "process_madvise"},
    {441, "epoll_pwait2"},
    {442, "mount_setattr"},
    {443, "quotactl_fd"},
    {444, "landlock_create_ruleset"},
    {445, "landlock_add_rule"},
    {446, "landlock_restrict_self"},
    {448, "process_mrelease"},
    {449, "futex_waitv"},
    {450, "set_mempolicy_home_node"},
};
// clang-format on

constexpr std::size_t row_count = std::size(named_calls);

constexpr std::array<system_call_row, row_count> make_table() {
    std::array<system_call_row, row_count> table;
    std::ranges::transform(named_calls, table.begin(), [](const named_call& each) {
        return system_call_row{each.number, each.name, each.does.function, each.does.arguments,
                               each.does.kinds};
    });
    return table;
}
constexpr std::array<system_call_row, row_count> table = make_table();
static_assert(std::ranges::is_sorted(table, std::ranges::less_equal(), &system_call_row::number));

constexpr std::size_t number_limit = std::tuple_size_v<decltype(run_statistics::system_calls)>;
static_assert(table.back().number < number_limit);

/// Row by number; null for numbers that are no calls.
constexpr std::array<const system_call_row*, number_limit> make_index() {
    std::array<const system_call_row*, number_limit> index{};
    for (const system_call_row& each : table) {
        index[each.number] = &each;
    }
    return index;
}
constexpr std::array<const system_call_row*, number_limit> by_number = make_index();

const system_call_row* find(std::uint64_t number) {
    return number < number_limit ? by_number[number] : nullptr;
}

void trace(std::FILE* to, std::uint64_t number, const system_call_arguments& arguments, bool ended,
           std::int64_t result) {
    const system_call_row* const row = find(number);
    std::string text = system_call_name(number) + '(';
    const std::size_t count = row != nullptr && row->function != nullptr ? row->arguments : arguments.size();
    for (std::size_t i = 0; i < count; ++i) {
        text += fmt::format("{}{:#x}", i == 0 ? "" : ", ", arguments[i]);
    }
    text += ended              ? ")\n"
            : is_error(result) ? fmt::format(") = -{}\n", -result)
                               : fmt::format(") = {:#x}\n", result);
    std::fputs(text.c_str(), to);
}

}  // namespace

std::span<const system_call_row> system_call_table() { return table; }

std::string system_call_name(std::uint64_t number) {
    const system_call_row* const row = find(number);
    return row == nullptr ? std::to_string(number) : std::string(row->name);
}

std::int64_t call_system(process& of, std::uint64_t number, const system_call_arguments& arguments) {
    const system_call_row* const row = find(number);
    of.current_call = number;
    if (row != nullptr) {
        ++of.statistics.system_calls[number];
    }
    const bool known = row != nullptr && row->function != nullptr;
    if (!known) {
        of.statistics.note_unknown(number);
    }
    const std::int64_t result = known ? row->function(of, arguments) : -ENOSYS;
    if (std::FILE* const to = of.settings().system_call_trace; to != nullptr) {
        trace(to, number, arguments, of.ended(), result);
    }
    return result;
}

}  // namespace pefsim::linux_user
