// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <span>
#include <string>
#include <utime.h>
#include <vector>

#include "user_program/calls.h"
#include "user_program/host_result.h"
#include "user_program/linux_abi.h"
#include "user_program/process.h"
#include "user_program/synthetic_files.h"

namespace pefsim::user_program::calls {
namespace {

/// Calls `function` with the path at `path`.
template <typename Function>
result with_path(const process& p, address path, const Function& function) {
    std::string name;
    if (const int error = p.memory.get_string(path, name); error != 0) {
        return error;
    }
    if (const auto target = synthetic_link(p, name)) {
        name = *target;
    }
    return host_result(function(name.c_str()));
}

template <typename Function>
result with_paths(const process& p, address from, address to, const Function& function) {
    return with_path(p, from, [&](const char* first) {
        const result done = with_path(p, to, [&](const char* second) { return function(first, second); });
        errno = done < 0 ? static_cast<int>(-done) : 0;
        return done < 0 ? result{-1} : done;
    });
}

linux_abi::stat to_program(const struct ::stat& from) {
    return {.dev = from.st_dev,
            .ino = from.st_ino,
            .nlink = from.st_nlink,
            .mode = from.st_mode,
            .uid = from.st_uid,
            .gid = from.st_gid,
            .rdev = from.st_rdev,
            .size = from.st_size,
            .blksize = static_cast<std::uint64_t>(from.st_blksize),
            .blocks = static_cast<std::uint64_t>(from.st_blocks),
            .atime = static_cast<std::uint64_t>(from.st_atim.tv_sec),
            .atime_nsec = static_cast<std::uint64_t>(from.st_atim.tv_nsec),
            .mtime = static_cast<std::uint64_t>(from.st_mtim.tv_sec),
            .mtime_nsec = static_cast<std::uint64_t>(from.st_mtim.tv_nsec),
            .ctime = static_cast<std::uint64_t>(from.st_ctim.tv_sec),
            .ctime_nsec = static_cast<std::uint64_t>(from.st_ctim.tv_nsec)};
}

result put_stat(process& p, address to, result done, const struct ::stat& status) {
    return done == 0 && !p.memory.put(to, to_program(status)) ? -EFAULT : done;
}

/// Sets the times of a file from two timespec; 0: to now.
result set_times(const process& p, int directory, address path, const timespec* times, int flags) {
    if (path == 0) {
        return host_result(::futimens(directory, times));
    }
    return with_path(p, path, [&](const char* name) { return ::utimensat(directory, name, times, flags); });
}

}  // namespace

// --- what an inode holds

result newfstatat(process& p, int directory, address path, address to, int flags) {
    struct ::stat status {};
    const result done = with_path(
        p, path, [&](const char* name) { return ::fstatat(directory, name, &status, flags); });
    return put_stat(p, to, done, status);
}

result stat(process& p, address path, address to) { return newfstatat(p, AT_FDCWD, path, to, 0); }
result lstat(process& p, address path, address to) {
    return newfstatat(p, AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}

result fstat(process& p, int file, address to) {
    struct ::stat status {};
    return put_stat(p, to, host_result(::fstat(file, &status)), status);
}

result statx(process& p, int directory, address path, int flags, std::uint32_t mask, address to) {
    struct ::statx status {};
    const result done = with_path(
        p, path, [&](const char* name) { return ::statx(directory, name, flags, mask, &status); });
    return done == 0 && !p.memory.put(to, status) ? -EFAULT : done;
}

result statfs(process& p, address path, address to) {
    struct ::statfs status {};
    const result done = with_path(p, path, [&](const char* name) { return ::statfs(name, &status); });
    return done == 0 && !p.memory.put(to, status) ? -EFAULT : done;
}

result fstatfs(process& p, int file, address to) {
    struct ::statfs status {};
    const result done = host_result(::fstatfs(file, &status));
    return done == 0 && !p.memory.put(to, status) ? -EFAULT : done;
}

result statfs64(process& p, address path, std::uint64_t size, address to) {
    return size == sizeof(struct ::statfs) ? statfs(p, path, to) : -EINVAL;
}
result fstatfs64(process& p, int file, std::uint64_t size, address to) {
    return size == sizeof(struct ::statfs) ? fstatfs(p, file, to) : -EINVAL;
}

result faccessat2(process& p, int directory, address path, int mode, int flags) {
    return with_path(p, path, [&](const char* name) { return ::faccessat(directory, name, mode, flags); });
}
result faccessat(process& p, int directory, address path, int mode) {
    return faccessat2(p, directory, path, mode, 0);
}
result access(process& p, address path, int mode) { return faccessat2(p, AT_FDCWD, path, mode, 0); }

// --- names

result unlinkat(process& p, int directory, address path, int flags) {
    return with_path(p, path, [&](const char* name) { return ::unlinkat(directory, name, flags); });
}
result unlink(process& p, address path) { return unlinkat(p, AT_FDCWD, path, 0); }
result rmdir(process& p, address path) { return unlinkat(p, AT_FDCWD, path, AT_REMOVEDIR); }

result renameat2(process& p, int from_directory, address from, int to_directory, address to,
                 std::uint32_t flags) {
    return with_paths(p, from, to, [&](const char* first, const char* second) {
        return ::renameat2(from_directory, first, to_directory, second, flags);
    });
}
result renameat(process& p, int from_directory, address from, int to_directory, address to) {
    return renameat2(p, from_directory, from, to_directory, to, 0);
}
result rename(process& p, address from, address to) { return renameat2(p, AT_FDCWD, from, AT_FDCWD, to, 0); }

result mkdirat(process& p, int directory, address path, std::uint32_t mode) {
    return with_path(p, path, [&](const char* name) { return ::mkdirat(directory, name, mode); });
}
result mkdir(process& p, address path, std::uint32_t mode) { return mkdirat(p, AT_FDCWD, path, mode); }

result mknodat(process& p, int directory, address path, std::uint32_t mode, std::uint32_t device) {
    return with_path(p, path, [&](const char* name) { return ::mknodat(directory, name, mode, device); });
}
result mknod(process& p, address path, std::uint32_t mode, std::uint32_t device) {
    return mknodat(p, AT_FDCWD, path, mode, device);
}

result linkat(process& p, int from_directory, address from, int to_directory, address to, int flags) {
    return with_paths(p, from, to, [&](const char* first, const char* second) {
        return ::linkat(from_directory, first, to_directory, second, flags);
    });
}
result link(process& p, address from, address to) { return linkat(p, AT_FDCWD, from, AT_FDCWD, to, 0); }

result symlinkat(process& p, address target, int directory, address path) {
    return with_paths(p, target, path, [&](const char* first, const char* second) {
        return ::symlinkat(first, directory, second);
    });
}
result symlink(process& p, address target, address path) { return symlinkat(p, target, AT_FDCWD, path); }

result readlinkat(process& p, int directory, address path, address buffer, std::uint64_t size) {
    std::string name;
    if (const int error = p.memory.get_string(path, name); error != 0) {
        return error;
    }
    if (static_cast<std::int32_t>(size) <= 0) {
        return -EINVAL;
    }
    std::string target(PATH_MAX, '\0');
    if (const auto synthetic = synthetic_link(p, name)) {
        target = *synthetic;
    } else {
        const result length = host_result(
            ::readlinkat(directory, name.c_str(), target.data(), target.size()));
        if (length < 0) {
            return length;
        }
        target.resize(static_cast<std::size_t>(length));
    }
    target.resize(std::min<std::uint64_t>(target.size(), size));
    return p.memory.write_bytes(buffer, std::as_bytes(std::span(target))) ? static_cast<result>(target.size())
                                                                          : -EFAULT;
}
result readlink(process& p, address path, address buffer, std::uint64_t size) {
    return readlinkat(p, AT_FDCWD, path, buffer, size);
}

// --- modes, owners, times

result fchmodat(process& p, int directory, address path, std::uint32_t mode) {
    return with_path(p, path, [&](const char* name) { return ::fchmodat(directory, name, mode, 0); });
}
result chmod(process& p, address path, std::uint32_t mode) { return fchmodat(p, AT_FDCWD, path, mode); }
result fchmod(process& /*p*/, int file, std::uint32_t mode) { return host_result(::fchmod(file, mode)); }

result fchownat(process& p, int directory, address path, std::uint32_t user, std::uint32_t group, int flags) {
    return with_path(p, path,
                     [&](const char* name) { return ::fchownat(directory, name, user, group, flags); });
}
result chown(process& p, address path, std::uint32_t user, std::uint32_t group) {
    return fchownat(p, AT_FDCWD, path, user, group, 0);
}
result lchown(process& p, address path, std::uint32_t user, std::uint32_t group) {
    return fchownat(p, AT_FDCWD, path, user, group, AT_SYMLINK_NOFOLLOW);
}
result fchown(process& /*p*/, int file, std::uint32_t user, std::uint32_t group) {
    return host_result(::fchown(file, user, group));
}

result utimensat(process& p, int directory, address path, address times, int flags) {
    std::array<timespec, 2> both{};
    if (times != 0 && !p.memory.get(times, both)) {
        return -EFAULT;
    }
    return set_times(p, directory, path, times != 0 ? both.data() : nullptr, flags);
}

result futimesat(process& p, int directory, address path, address times) {
    std::array<timeval, 2> from{};
    if (times != 0 && !p.memory.get(times, from)) {
        return -EFAULT;
    }
    std::array<timespec, 2> both{};
    for (std::size_t i = 0; i < both.size(); ++i) {
        if (from[i].tv_usec < 0 || from[i].tv_usec >= 1'000'000) {
            return -EINVAL;
        }
        both[i] = {from[i].tv_sec, from[i].tv_usec * 1000};
    }
    return set_times(p, directory, path, times != 0 ? both.data() : nullptr, 0);
}
result utimes(process& p, address path, address times) { return futimesat(p, AT_FDCWD, path, times); }

result utime(process& p, address path, address times) {
    ::utimbuf from{};
    if (times != 0 && !p.memory.get(times, from)) {
        return -EFAULT;
    }
    const std::array<timespec, 2> both{timespec{from.actime, 0}, timespec{from.modtime, 0}};
    return set_times(p, AT_FDCWD, path, times != 0 ? both.data() : nullptr, 0);
}

// --- directories

result chdir(process& p, address path) {
    return with_path(p, path, [](const char* name) { return ::chdir(name); });
}
result fchdir(process& /*p*/, int file) { return host_result(::fchdir(file)); }

result getcwd(process& p, address buffer, std::uint64_t size) {
    std::array<char, PATH_MAX> name{};
    const result length = host_result(::syscall(SYS_getcwd, name.data(), name.size()));
    if (length < 0) {
        return length;
    }
    if (static_cast<std::uint64_t>(length) > size) {
        return -ERANGE;
    }
    const auto bytes = std::as_bytes(std::span(name)).first(static_cast<std::size_t>(length));
    return p.memory.write_bytes(buffer, bytes) ? length : -EFAULT;
}

result getdents64(process& p, int file, address buffer, std::uint64_t size) {
    constexpr std::uint64_t largest = 1 << 20;
    std::vector<std::byte> entries(std::min(size & 0xffff'ffff, largest));
    const result length = host_result(::syscall(SYS_getdents64, file, entries.data(), entries.size()));
    if (length <= 0) {
        return length;
    }
    entries.resize(static_cast<std::size_t>(length));
    return p.memory.write_bytes(buffer, entries) ? length : -EFAULT;
}

result umask(process& p, std::uint32_t mask) {
    const std::uint32_t before = p.file_mode_mask;
    p.file_mode_mask = mask & 0777;
    ::umask(p.file_mode_mask);
    return before;
}

result no_attributes(process& /*p*/) { return -EOPNOTSUPP; }

}  // namespace pefsim::user_program::calls
