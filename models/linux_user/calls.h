// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "linux_user/descriptors.h"

/// The system calls, each with its parameters as the manual page has them (section 2) and its result as Linux returns
/// it: an error number is negative. Addresses are the program's.
namespace pefsim::linux_user {
class process;
}

namespace pefsim::linux_user::calls {

using address = std::uint64_t;
using result = std::int64_t;

/// The address of a path: only paths::find() knows what it leads to.
struct path_address {
    address at = 0;
};
/// A descriptor's number that the call itself takes to the gate: of a range, or one that is not always a descriptor.
struct descriptor_number {
    int number = -1;
};
/// The address of descriptors that the call itself takes to the gate: of pollfd structures, or of sets.
struct descriptors_address {
    address at = 0;
};

// --- file_calls.cpp: descriptors and what is read and written through them
result open(process&, path_address path, int flags, std::uint32_t mode);
result openat(process&, directory_descriptor directory, path_address path, int flags, std::uint32_t mode);
result creat(process&, path_address path, std::uint32_t mode);
result close(process&, descriptor file);
result close_range(process&, descriptor_number first, descriptor_number last, std::uint32_t flags);
result read(process&, descriptor file, address buffer, std::uint64_t size);
result write(process&, descriptor file, address buffer, std::uint64_t size);
result readv(process&, descriptor file, address vector, std::uint64_t count);
result writev(process&, descriptor file, address vector, std::uint64_t count);
result pread64(process&, descriptor file, address buffer, std::uint64_t size, std::int64_t offset);
result pwrite64(process&, descriptor file, address buffer, std::uint64_t size, std::int64_t offset);
result preadv(process&, descriptor file, address vector, std::uint64_t count, std::int64_t offset);
result pwritev(process&, descriptor file, address vector, std::uint64_t count, std::int64_t offset);
result lseek(process&, descriptor file, std::int64_t offset, int whence);
result llseek(process&, descriptor file, std::uint32_t high, std::uint32_t low, address to, int whence);
result sendfile(process&, descriptor out, descriptor in, address offset, std::uint64_t count);
result copy_file_range(process&, descriptor in, address in_offset, descriptor out, address out_offset,
                       std::uint64_t size, std::uint32_t flags);
result dup(process&, descriptor file);
result dup2(process&, descriptor file, descriptor to);
result dup3(process&, descriptor file, descriptor to, int flags);
result pipe(process&, address files);
result pipe2(process&, address files, int flags);
result fcntl(process&, descriptor file, int command, std::uint64_t argument);
result flock(process&, descriptor file, int operation);
result truncate(process&, path_address path, std::int64_t size);
result ftruncate(process&, descriptor file, std::int64_t size);
result fallocate(process&, descriptor file, int mode, std::int64_t offset, std::int64_t size);
result fadvise64(process&, descriptor file, std::int64_t offset, std::int64_t size, int advice);
result readahead(process&, descriptor file, std::int64_t offset, std::uint64_t size);
result fsync(process&, descriptor file);
result fdatasync(process&, descriptor file);
result sync(process&);

// --- wait_calls.cpp: waiting for descriptors
result poll(process&, descriptors_address files, std::uint32_t count, int milliseconds);
result ppoll(process&, descriptors_address files, std::uint32_t count, address timeout, address mask,
             std::uint64_t mask_size);
result select(process&, int count, descriptors_address readable, descriptors_address writable,
              descriptors_address exceptional, address timeout);
result pselect6(process&, int count, descriptors_address readable, descriptors_address writable,
                descriptors_address exceptional, address timeout, address mask);

// --- terminal.cpp
result ioctl(process&, descriptor file, std::uint32_t request, address argument);

// --- path_calls.cpp: names, directories, and what stands in an inode
result stat(process&, path_address path, address to);
result lstat(process&, path_address path, address to);
result fstat(process&, descriptor file, address to);
result newfstatat(process&, directory_descriptor directory, path_address path, address to, int flags);
result statx(process&, directory_descriptor directory, path_address path, int flags, std::uint32_t mask,
             address to);
result statfs(process&, path_address path, address to);
result fstatfs(process&, descriptor file, address to);
result statfs64(process&, path_address path, std::uint64_t size, address to);
result fstatfs64(process&, descriptor file, std::uint64_t size, address to);
result access(process&, path_address path, int mode);
result faccessat(process&, directory_descriptor directory, path_address path, int mode);
result faccessat2(process&, directory_descriptor directory, path_address path, int mode, int flags);
result unlink(process&, path_address path);
result unlinkat(process&, directory_descriptor directory, path_address path, int flags);
result rmdir(process&, path_address path);
result rename(process&, path_address from, path_address to);
result renameat(process&, directory_descriptor from_directory, path_address from,
                directory_descriptor to_directory, path_address to);
result renameat2(process&, directory_descriptor from_directory, path_address from,
                 directory_descriptor to_directory, path_address to, std::uint32_t flags);
result mkdir(process&, path_address path, std::uint32_t mode);
result mkdirat(process&, directory_descriptor directory, path_address path, std::uint32_t mode);
result mknod(process&, path_address path, std::uint32_t mode, std::uint32_t device);
result mknodat(process&, directory_descriptor directory, path_address path, std::uint32_t mode,
               std::uint32_t device);
result link(process&, path_address from, path_address to);
result linkat(process&, directory_descriptor from_directory, path_address from,
              directory_descriptor to_directory, path_address to, int flags);
result symlink(process&, address target, path_address path);
result symlinkat(process&, address target, directory_descriptor directory, path_address path);
result readlink(process&, path_address path, address buffer, std::uint64_t size);
result readlinkat(process&, directory_descriptor directory, path_address path, address buffer,
                  std::uint64_t size);
result chmod(process&, path_address path, std::uint32_t mode);
result fchmod(process&, descriptor file, std::uint32_t mode);
result fchmodat(process&, directory_descriptor directory, path_address path, std::uint32_t mode);
result chown(process&, path_address path, std::uint32_t user, std::uint32_t group);
result lchown(process&, path_address path, std::uint32_t user, std::uint32_t group);
result fchown(process&, descriptor file, std::uint32_t user, std::uint32_t group);
result fchownat(process&, directory_descriptor directory, path_address path, std::uint32_t user,
                std::uint32_t group, int flags);
result utime(process&, path_address path, address times);
result utimes(process&, path_address path, address times);
result futimesat(process&, directory_descriptor directory, path_address path, address times);
result utimensat(process&, directory_descriptor directory, path_address path, address times, int flags);
result chdir(process&, path_address path);
result fchdir(process&, descriptor file);
result getcwd(process&, address buffer, std::uint64_t size);
result getdents64(process&, descriptor file, address buffer, std::uint64_t size);
result umask(process&, std::uint32_t mask);
result no_attributes(process&);  ///< the calls on extended attributes: ENOTSUP

// --- memory_calls.cpp
result brk(process&, address end);
result mmap(process&, address start, std::uint64_t size, std::uint32_t prot, std::uint32_t flags,
            descriptor_number file, std::uint64_t offset);
result munmap(process&, address start, std::uint64_t size);
result mprotect(process&, address start, std::uint64_t size, std::uint32_t prot);
result mremap(process&, address start, std::uint64_t size, std::uint64_t new_size, std::uint32_t flags,
              address new_start);
result madvise(process&, address start, std::uint64_t size, int advice);
result msync(process&, address start, std::uint64_t size, int flags);
result mincore(process&, address start, std::uint64_t size, address to);
result mlock(process&, address start, std::uint64_t size);

// --- time_calls.cpp
result time(process&, address to);
result gettimeofday(process&, address to, address zone);
result clock_gettime(process&, std::int32_t clock, address to);
result clock_getres(process&, std::int32_t clock, address to);
result clock_nanosleep(process&, std::int32_t clock, int flags, address duration, address remaining);
result nanosleep(process&, address duration, address remaining);
result times(process&, address to);
result getrusage(process&, int who, address to);
result setitimer(process&, int which, address setting, address before);
result getitimer(process&, int which, address to);
result alarm(process&, std::uint32_t seconds);

// --- signal_calls.cpp
result rt_sigaction(process&, int signal, address action, address before, std::uint64_t set_size);
result rt_sigprocmask(process&, int how, address set, address before, std::uint64_t set_size);
result rt_sigpending(process&, address to, std::uint64_t set_size);
result rt_sigsuspend(process&, address set, std::uint64_t set_size);
result rt_sigtimedwait(process&, address set, address info, address timeout, std::uint64_t set_size);
result rt_sigqueueinfo(process&, int group, int signal, address info);
result rt_tgsigqueueinfo(process&, int group, int thread, int signal, address info);
result rt_sigreturn(process&);
result sigaltstack(process&, address stack, address before);
result kill(process&, int process_id, int signal);
result tkill(process&, int thread, int signal);
result tgkill(process&, int group, int thread, int signal);
result pause(process&);

// --- process_calls.cpp: the process itself and its surroundings
inline constexpr int process_id = 1000;  ///< of every program: runs are equal
result exit(process&, int status);
result getpid(process&);
result getppid(process&);
result getuid(process&);
result geteuid(process&);
result getgid(process&);
result getegid(process&);
result getresuid(process&, address real, address effective, address saved);
result getresgid(process&, address real, address effective, address saved);
result getgroups(process&, int count, address to);
result setuid(process&, std::uint32_t user);
result setgid(process&, std::uint32_t group);
result setreuid(process&, std::uint32_t real, std::uint32_t effective);
result setregid(process&, std::uint32_t real, std::uint32_t effective);
result setresuid(process&, std::uint32_t real, std::uint32_t effective, std::uint32_t saved);
result setresgid(process&, std::uint32_t real, std::uint32_t effective, std::uint32_t saved);
result getpgid(process&, int of);
result setpgid(process&, int of, int group);
result uname(process&, address to);
result getrandom(process&, address buffer, std::uint64_t size, std::uint32_t flags);
result getrlimit(process&, std::uint32_t resource, address to);
result setrlimit(process&, std::uint32_t resource, address from);
result prlimit64(process&, int of, std::uint32_t resource, address set, address before);
result set_tid_address(process&, address to);
result set_robust_list(process&, address head, std::uint64_t size);
result rseq(process&);
result futex(process&, address word, int operation, std::uint32_t value, address timeout);
result wait4(process&);
result sched_getaffinity(process&, int of, std::uint32_t size, address to);
result sched_setaffinity(process&, int of, std::uint32_t size, address from);
result sched_get_priority_max(process&, int policy);
result sched_get_priority_min(process&, int policy);
result sched_getparam(process&, int of, address to);
result getcpu(process&, address cpu, address node);
result getpriority(process&);
result sysinfo(process&, address to);
result prctl(process&, int option, std::uint64_t argument);
result personality(process&, std::uint32_t persona);
result done(process&);  ///< calls that have nothing to do here and succeed

}  // namespace pefsim::linux_user::calls
