// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
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
#include <cstddef>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <utime.h>
#include <vector>

#include "linux_user/calls.h"
#include "linux_user/host_result.h"
#include "linux_user/linux_abi.h"
#include "linux_user/process.h"

namespace pefsim::linux_user::calls {
namespace {

using last = paths::last;

/// Calls `function` with the directory and the name in it that the path at `path` leads to. With AT_EMPTY_PATH in
/// `flags` an empty path is `directory` itself.
template <typename Function>
result with_path(process& p, int directory, path_address path, last how, int flags,
                 const Function& function) {
    std::string name;
    if (const int error = p.memory.get_string(path.at, name); error != 0) {
        return error;
    }
    if (name.empty() && (flags & AT_EMPTY_PATH) != 0) {
        return host_result(function(directory, ""));
    }
    paths::found at;
    const int error = p.paths.find(directory, std::move(name), how, at);
    return error != 0 ? error : host_result(function(at.directory, at.name.c_str()));
}
template <typename Function>
result with_path(process& p, int directory, path_address path, last how, const Function& function) {
    return with_path(p, directory, path, how, 0, function);
}

/// The same with two of them, an entry that is there and one that is to be.
template <typename Function>
result with_paths(process& p, std::pair<int, path_address> from, last how, int flags,
                  std::pair<int, path_address> to, const Function& function) {
    return with_path(p, from.first, from.second, how, flags, [&](int first_directory, const char* first) {
        const result done = with_path(p, to.first, to.second, last::change,
                                      [&](int second_directory, const char* second) {
                                          return function(first_directory, first, second_directory, second);
                                      });
        errno = done < 0 ? static_cast<int>(-done) : 0;
        return done < 0 ? result{-1} : done;
    });
}

/// Calls `function` with a descriptor of what the path leads to, good for nothing but looking: O_PATH.
template <typename Function>
result with_opened(process& p, path_address path, int flags, const Function& function) {
    return with_path(p, AT_FDCWD, path, last::follow, [&](int directory, const char* name) {
        const owned_descriptor opened(::openat(directory, name, O_PATH | O_CLOEXEC | flags));
        return opened.get() < 0 ? -1 : function(opened.get());
    });
}

last look_or_follow(int flags) { return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? last::look : last::follow; }

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

/// Takes entries of a directory out that a program is not to see. \returns the bytes of those that stay, in front
result keep_shown(const std::function<bool(std::string_view)>& is_shown, std::span<std::byte> entries) {
    std::size_t kept = 0;
    for (std::size_t at = 0; at < entries.size();) {
        ::dirent64 entry{};
        constexpr std::size_t header = offsetof(::dirent64, d_name);
        std::memcpy(&entry, &entries[at], std::min(sizeof entry, entries.size() - at));
        const std::size_t length = entry.d_reclen;
        if (is_shown(std::string_view(entry.d_name, ::strnlen(entry.d_name, length - header)))) {
            std::memmove(&entries[kept], &entries[at], length);
            kept += length;
        }
        at += length;
    }
    return static_cast<result>(kept);
}

/// Sets the times of a file from two timespec; 0: to now.
result set_times(process& p, directory_descriptor directory, path_address path, const timespec* times,
                 int flags) {
    if (path.at == 0) {
        return host_result(::futimens(directory, times));
    }
    return with_path(p, directory, path, look_or_follow(flags), flags,
                     [&](int in, const char* name) { return ::utimensat(in, name, times, flags); });
}

}  // namespace

// --- what an inode holds

result newfstatat(process& p, directory_descriptor directory, path_address path, address to, int flags) {
    struct ::stat status {};
    const result done = with_path(
        p, directory, path, look_or_follow(flags), flags,
        [&](int in, const char* name) { return ::fstatat(in, name, &status, flags); });
    return put_stat(p, to, done, status);
}

result stat(process& p, path_address path, address to) {
    return newfstatat(p, directory_descriptor::working(), path, to, 0);
}
result lstat(process& p, path_address path, address to) {
    return newfstatat(p, directory_descriptor::working(), path, to, AT_SYMLINK_NOFOLLOW);
}

result fstat(process& p, descriptor file, address to) {
    struct ::stat status {};
    return put_stat(p, to, host_result(::fstat(file, &status)), status);
}

result statx(process& p, directory_descriptor directory, path_address path, int flags, std::uint32_t mask,
             address to) {
    struct ::statx status {};
    const result done = with_path(
        p, directory, path, look_or_follow(flags), flags,
        [&](int in, const char* name) { return ::statx(in, name, flags, mask, &status); });
    return done == 0 && !p.memory.put(to, status) ? -EFAULT : done;
}

result statfs(process& p, path_address path, address to) {
    struct ::statfs status {};
    const result done = with_opened(p, path, 0, [&](int file) { return ::fstatfs(file, &status); });
    return done == 0 && !p.memory.put(to, status) ? -EFAULT : done;
}

result fstatfs(process& p, descriptor file, address to) {
    struct ::statfs status {};
    const result done = host_result(::fstatfs(file, &status));
    return done == 0 && !p.memory.put(to, status) ? -EFAULT : done;
}

result statfs64(process& p, path_address path, std::uint64_t size, address to) {
    return size == sizeof(struct ::statfs) ? statfs(p, path, to) : -EINVAL;
}
result fstatfs64(process& p, descriptor file, std::uint64_t size, address to) {
    return size == sizeof(struct ::statfs) ? fstatfs(p, file, to) : -EINVAL;
}

result faccessat2(process& p, directory_descriptor directory, path_address path, int mode, int flags) {
    return with_path(p, directory, path, look_or_follow(flags), flags,
                     [&](int in, const char* name) { return ::faccessat(in, name, mode, flags); });
}
result faccessat(process& p, directory_descriptor directory, path_address path, int mode) {
    return faccessat2(p, directory, path, mode, 0);
}
result access(process& p, path_address path, int mode) {
    return faccessat2(p, directory_descriptor::working(), path, mode, 0);
}

// --- names

result unlinkat(process& p, directory_descriptor directory, path_address path, int flags) {
    return with_path(p, directory, path, last::change,
                     [&](int in, const char* name) { return ::unlinkat(in, name, flags); });
}
result unlink(process& p, path_address path) { return unlinkat(p, directory_descriptor::working(), path, 0); }
result rmdir(process& p, path_address path) {
    return unlinkat(p, directory_descriptor::working(), path, AT_REMOVEDIR);
}

result renameat2(process& p, directory_descriptor from_directory, path_address from,
                 directory_descriptor to_directory, path_address to, std::uint32_t flags) {
    return with_paths(p, {from_directory, from}, last::change, 0, {to_directory, to},
                      [&](int in, const char* name, int to_in, const char* to_name) {
                          return ::renameat2(in, name, to_in, to_name, flags);
                      });
}
result renameat(process& p, directory_descriptor from_directory, path_address from,
                directory_descriptor to_directory, path_address to) {
    return renameat2(p, from_directory, from, to_directory, to, 0);
}
result rename(process& p, path_address from, path_address to) {
    return renameat2(p, directory_descriptor::working(), from, directory_descriptor::working(), to, 0);
}

result mkdirat(process& p, directory_descriptor directory, path_address path, std::uint32_t mode) {
    return with_path(p, directory, path, last::change,
                     [&](int in, const char* name) { return ::mkdirat(in, name, mode); });
}
result mkdir(process& p, path_address path, std::uint32_t mode) {
    return mkdirat(p, directory_descriptor::working(), path, mode);
}

result mknodat(process& p, directory_descriptor directory, path_address path, std::uint32_t mode,
               std::uint32_t device) {
    return with_path(p, directory, path, last::change,
                     [&](int in, const char* name) { return ::mknodat(in, name, mode, device); });
}
result mknod(process& p, path_address path, std::uint32_t mode, std::uint32_t device) {
    return mknodat(p, directory_descriptor::working(), path, mode, device);
}

result linkat(process& p, directory_descriptor from_directory, path_address from,
              directory_descriptor to_directory, path_address to, int flags) {
    const last how = (flags & AT_SYMLINK_FOLLOW) != 0 ? last::follow : last::look;
    return with_paths(p, {from_directory, from}, how, flags, {to_directory, to},
                      [&](int in, const char* name, int to_in, const char* to_name) {
                          return ::linkat(in, name, to_in, to_name, flags);
                      });
}
result link(process& p, path_address from, path_address to) {
    return linkat(p, directory_descriptor::working(), from, directory_descriptor::working(), to, 0);
}

result symlinkat(process& p, address target, directory_descriptor directory, path_address path) {
    std::string text;
    if (const int error = p.memory.get_string(target, text); error != 0) {
        return error;
    }
    return with_path(p, directory, path, last::change,
                     [&](int in, const char* name) { return ::symlinkat(text.c_str(), in, name); });
}
result symlink(process& p, address target, path_address path) {
    return symlinkat(p, target, directory_descriptor::working(), path);
}

result readlinkat(process& p, directory_descriptor directory, path_address path, address buffer,
                  std::uint64_t size) {
    if (static_cast<std::int32_t>(size) <= 0) {
        return -EINVAL;
    }
    std::string target(PATH_MAX, '\0');
    const result length = with_path(p, directory, path, last::look, AT_EMPTY_PATH,
                                    [&](int in, const char* name) -> ssize_t {
                                        if (auto text = p.paths.link_text(in, name)) {
                                            target = std::move(*text);
                                            return std::ssize(target);
                                        }
                                        return ::readlinkat(in, name, target.data(), target.size());
                                    });
    if (length < 0) {
        return length;
    }
    target.resize(std::min(static_cast<std::uint64_t>(length), size));
    return p.memory.write_bytes(buffer, std::as_bytes(std::span(target))) ? static_cast<result>(target.size())
                                                                          : -EFAULT;
}
result readlink(process& p, path_address path, address buffer, std::uint64_t size) {
    return readlinkat(p, directory_descriptor::working(), path, buffer, size);
}

// --- modes, owners, times

result fchmodat(process& p, directory_descriptor directory, path_address path, std::uint32_t mode) {
    return with_path(p, directory, path, last::follow,
                     [&](int in, const char* name) { return ::fchmodat(in, name, mode, 0); });
}
result chmod(process& p, path_address path, std::uint32_t mode) {
    return fchmodat(p, directory_descriptor::working(), path, mode);
}
result truncate(process& p, path_address path, std::int64_t size) {
    return with_opened(p, path, 0, [size](int file) {
        return ::truncate(fmt::format("/proc/self/fd/{}", file).c_str(), size);
    });
}
result fchmod(process& /*p*/, descriptor file, std::uint32_t mode) {
    return host_result(::fchmod(file, mode));
}

result fchownat(process& p, directory_descriptor directory, path_address path, std::uint32_t user,
                std::uint32_t group, int flags) {
    return with_path(p, directory, path, look_or_follow(flags), flags,
                     [&](int in, const char* name) { return ::fchownat(in, name, user, group, flags); });
}
result chown(process& p, path_address path, std::uint32_t user, std::uint32_t group) {
    return fchownat(p, directory_descriptor::working(), path, user, group, 0);
}
result lchown(process& p, path_address path, std::uint32_t user, std::uint32_t group) {
    return fchownat(p, directory_descriptor::working(), path, user, group, AT_SYMLINK_NOFOLLOW);
}
result fchown(process& /*p*/, descriptor file, std::uint32_t user, std::uint32_t group) {
    return host_result(::fchown(file, user, group));
}

result utimensat(process& p, directory_descriptor directory, path_address path, address times, int flags) {
    std::array<timespec, 2> both{};
    if (times != 0 && !p.memory.get(times, both)) {
        return -EFAULT;
    }
    return set_times(p, directory, path, times != 0 ? both.data() : nullptr, flags);
}

result futimesat(process& p, directory_descriptor directory, path_address path, address times) {
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
result utimes(process& p, path_address path, address times) {
    return futimesat(p, directory_descriptor::working(), path, times);
}

result utime(process& p, path_address path, address times) {
    ::utimbuf from{};
    if (times != 0 && !p.memory.get(times, from)) {
        return -EFAULT;
    }
    const std::array<timespec, 2> both{timespec{from.actime, 0}, timespec{from.modtime, 0}};
    return set_times(p, directory_descriptor::working(), path, times != 0 ? both.data() : nullptr, 0);
}

// --- directories

result chdir(process& p, path_address path) {
    return with_opened(p, path, O_DIRECTORY, [](int directory) { return ::fchdir(directory); });
}
result fchdir(process& /*p*/, descriptor file) { return host_result(::fchdir(file)); }

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

result getdents64(process& p, descriptor file, address buffer, std::uint64_t size) {
    constexpr std::uint64_t largest = 1 << 20;
    std::vector<std::byte> entries(std::min(size & 0xffff'ffff, largest));
    result length = 0;
    do {
        length = host_result(
            ::syscall(SYS_getdents64, static_cast<int>(file), entries.data(), entries.size()));
        if (length <= 0) {
            return length;
        }
        if (paths::is_in_proc(file)) {
            length = keep_shown(p.paths.shown_in(file),
                                std::span(entries).first(static_cast<std::size_t>(length)));
        }
    } while (length == 0);  // none of them is to be seen
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

}  // namespace pefsim::linux_user::calls
