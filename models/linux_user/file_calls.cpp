// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <span>
#include <string>
#include <vector>

#include "linux_user/calls.h"
#include "linux_user/host_result.h"
#include "linux_user/linux_abi.h"
#include "linux_user/process.h"
#include "linux_user/synthetic_files.h"
#include "linux_user/waiting.h"

namespace pefsim::linux_user::calls {
namespace {

using power::access_kind;

constexpr std::uint64_t most_bytes = 0x7fff'0000;  // MAX_RW_COUNT with pages of 64 KiB
constexpr int host_o_largefile = 0100000;          // a 64-bit host sets it by itself; glibc calls it 0

// --- flags of open(2) that have other numbers on ppc64
struct open_flag {
    int program;
    int host;
};
constexpr open_flag open_flags[] = {
    {linux_abi::o_directory, O_DIRECTORY},
    {linux_abi::o_nofollow, O_NOFOLLOW},
    {linux_abi::o_largefile, host_o_largefile},
    {linux_abi::o_direct, O_DIRECT},
};

int to_host_flags(int flags) {
    int host = flags;
    for (const open_flag& each : open_flags) {
        host &= ~each.program;
    }
    for (const open_flag& each : open_flags) {
        host |= (flags & each.program) != 0 ? each.host : 0;
    }
    return host;
}

int to_program_flags(int flags) {
    int program = flags;
    for (const open_flag& each : open_flags) {
        program &= ~each.host;
    }
    for (const open_flag& each : open_flags) {
        program |= (flags & each.host) != 0 ? each.program : 0;
    }
    return program;
}

/// A file that the program can only read: what it could make larger would be memory of the host.
result open_synthetic(const process& p, const std::string& content, int flags) {
    constexpr int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if ((flags & O_ACCMODE) != O_RDONLY) {
        return -EACCES;
    }
    if ((flags & O_DIRECTORY) != 0) {
        return -ENOTDIR;
    }
    const int file = ::memfd_create("pefsim",
                                    MFD_ALLOW_SEALING | ((flags & O_CLOEXEC) != 0 ? MFD_CLOEXEC : 0U));
    const bool whole = file < 0 ||
                       (::write(file, content.data(), content.size()) ==
                            static_cast<ssize_t>(content.size()) &&
                        ::lseek(file, 0, SEEK_SET) == 0 && ::fcntl(file, F_ADD_SEALS, all_seals) == 0);
    if (!whole) {
        ::close(file);
        return -EIO;
    }
    return p.descriptors.admit(file);
}

/// The host's memory as a device, or a file of procfs that is mounted elsewhere.
bool is_forbidden(int file, const paths::found& at) {
    constexpr unsigned memory_major = 1;
    constexpr std::array<unsigned, 3> memory_minors{1, 2, 4};  // mem, kmem, port
    struct ::stat about {};
    if (::fstat(file, &about) != 0) {
        return true;
    }
    const bool memory = S_ISCHR(about.st_mode) && major(about.st_rdev) == memory_major &&
                        std::ranges::find(memory_minors, minor(about.st_rdev)) != memory_minors.end();
    return memory || (!at.in_proc && !S_ISDIR(about.st_mode) && paths::is_in_proc(file));
}

/// One transfer between a descriptor and the program's memory.
/// \param move readv(), writev() or one of their like
template <typename Move>
result transfer(process& p, descriptor file, std::span<const iovec> buffers, access_kind kind,
                const Move& move) {
    std::vector<iovec> ranges;
    std::uint64_t wanted = 0;
    std::uint64_t reachable = 0;
    for (const iovec& each : buffers) {
        const std::uint64_t size = std::min<std::uint64_t>(each.iov_len, most_bytes - wanted);
        wanted += size;
        const std::uint64_t part = p.memory.host_ranges(std::bit_cast<address>(each.iov_base), size, kind,
                                                        ranges);
        reachable += part;
        if (part < size) {
            break;
        }
    }
    if (wanted != 0 && reachable == 0) {
        return ::fcntl(file, F_GETFD) < 0 ? -EBADF : -EFAULT;
    }
    ranges.resize(std::min<std::size_t>(ranges.size(), IOV_MAX));
    const result moved = move_or_wait(p, file, kind == access_kind::load ? reachable : 0, [&] {
        return host_result(move(file, ranges.data(), static_cast<int>(ranges.size())));
    });
    if (kind == access_kind::store) {
        std::uint64_t left = moved > 0 ? static_cast<std::uint64_t>(moved) : 0;
        for (const iovec& each : buffers) {
            const std::uint64_t part = std::min<std::uint64_t>(left, each.iov_len);
            p.memory.written(std::bit_cast<address>(each.iov_base), part);
            left -= part;
        }
    } else if (moved == -EPIPE) {
        p.signals.send({.signo = SIGPIPE, .code = SI_USER});
    }
    return moved;
}

iovec buffer_at(address at, std::uint64_t size) { return {std::bit_cast<void*>(at), size}; }

/// Reads a program's vector of buffers. \returns 0 or the error
result get_vector(const process& p, address at, std::uint64_t count, std::vector<iovec>& to) {
    if (count > IOV_MAX) {
        return -EINVAL;
    }
    to.resize(count);
    if (!p.memory.read_bytes(at, std::as_writable_bytes(std::span(to)))) {
        return -EFAULT;
    }
    const bool negative = std::ranges::any_of(to, [](const iovec& each) { return each.iov_len > SSIZE_MAX; });
    return negative ? -EINVAL : 0;
}

template <typename Move>
result transfer_vector(process& p, descriptor file, address vector, std::uint64_t count, access_kind kind,
                       const Move& move) {
    std::vector<iovec> buffers;
    if (const result error = get_vector(p, vector, count, buffers); error != 0) {
        return error;
    }
    return transfer(p, file, buffers, kind, move);
}

auto read_at(std::int64_t offset) {
    return [offset](int file, const iovec* to, int count) { return ::preadv(file, to, count, offset); };
}
auto write_at(std::int64_t offset) {
    return [offset](int file, const iovec* from, int count) { return ::pwritev(file, from, count, offset); };
}

}  // namespace

// --- opening and closing

result openat(process& p, directory_descriptor directory, path_address path, int flags, std::uint32_t mode) {
    std::string name;
    if (const int error = p.memory.get_string(path.at, name); error != 0) {
        return error;
    }
    const int host_flags = to_host_flags(flags);
    if (const auto content = synthetic_file(name)) {
        return open_synthetic(p, *content, host_flags);
    }
    constexpr int new_only = O_CREAT | O_EXCL;
    const bool follows = (host_flags & O_NOFOLLOW) == 0 && (host_flags & new_only) != new_only;
    paths::found at;
    if (const int error = p.paths.find(directory, name, follows ? paths::last::follow : paths::last::look,
                                       at);
        error != 0) {
        return error;
    }
    if (at.synthetic) {
        return open_synthetic(p, *at.synthetic, host_flags);
    }
    at.make_way();
    const int file = ::openat(at.directory, at.name.c_str(), host_flags, mode);
    if (file >= 0 && is_forbidden(file, at)) {
        ::close(file);
        return -EACCES;
    }
    return p.descriptors.admit(file);
}

result open(process& p, path_address path, int flags, std::uint32_t mode) {
    return openat(p, directory_descriptor::working(), path, flags, mode);
}

result creat(process& p, path_address path, std::uint32_t mode) {
    return openat(p, directory_descriptor::working(), path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

result close(process& /*p*/, descriptor file) { return host_result(::close(file)); }

result close_range(process& p, descriptor_number first, descriptor_number last, std::uint32_t flags) {
    constexpr std::uint32_t known_flags = CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC;
    const auto from = static_cast<unsigned>(first.number);
    const auto to = static_cast<unsigned>(last.number);
    return from > to || (flags & ~known_flags) != 0
               ? -EINVAL
               : p.descriptors.close_range(from, to, static_cast<int>(flags));
}

// --- reading and writing

result read(process& p, descriptor file, address buffer, std::uint64_t size) {
    return transfer(p, file, std::array{buffer_at(buffer, size)}, access_kind::store, ::readv);
}

result write(process& p, descriptor file, address buffer, std::uint64_t size) {
    return transfer(p, file, std::array{buffer_at(buffer, size)}, access_kind::load, ::writev);
}

result readv(process& p, descriptor file, address vector, std::uint64_t count) {
    return transfer_vector(p, file, vector, count, access_kind::store, ::readv);
}

result writev(process& p, descriptor file, address vector, std::uint64_t count) {
    return transfer_vector(p, file, vector, count, access_kind::load, ::writev);
}

result pread64(process& p, descriptor file, address buffer, std::uint64_t size, std::int64_t offset) {
    return transfer(p, file, std::array{buffer_at(buffer, size)}, access_kind::store, read_at(offset));
}

result pwrite64(process& p, descriptor file, address buffer, std::uint64_t size, std::int64_t offset) {
    return transfer(p, file, std::array{buffer_at(buffer, size)}, access_kind::load, write_at(offset));
}

result preadv(process& p, descriptor file, address vector, std::uint64_t count, std::int64_t offset) {
    return transfer_vector(p, file, vector, count, access_kind::store, read_at(offset));
}

result pwritev(process& p, descriptor file, address vector, std::uint64_t count, std::int64_t offset) {
    return transfer_vector(p, file, vector, count, access_kind::load, write_at(offset));
}

result lseek(process& /*p*/, descriptor file, std::int64_t offset, int whence) {
    return host_result(::lseek(file, offset, whence));
}

result llseek(process& p, descriptor file, std::uint32_t high, std::uint32_t low, address to, int whence) {
    const auto offset = static_cast<std::int64_t>(std::uint64_t{high} << 32 | low);
    const result at = lseek(p, file, offset, whence);
    return at < 0 ? at : p.memory.put(to, at) ? 0 : -EFAULT;
}

result sendfile(process& p, descriptor out, descriptor in, address offset, std::uint64_t count) {
    off_t from = 0;
    if (offset != 0 && !p.memory.get(offset, from)) {
        return -EFAULT;
    }
    const result moved = move_or_wait(
        p, out, 0, [&] { return host_result(::sendfile(out, in, offset != 0 ? &from : nullptr, count)); });
    return offset != 0 && !p.memory.put(offset, from) ? -EFAULT : moved;
}

result copy_file_range(process& p, descriptor in, address in_offset, descriptor out, address out_offset,
                       std::uint64_t size, std::uint32_t flags) {
    off64_t from = 0;
    off64_t to = 0;
    if ((in_offset != 0 && !p.memory.get(in_offset, from)) ||
        (out_offset != 0 && !p.memory.get(out_offset, to))) {
        return -EFAULT;
    }
    const result moved = host_result(::copy_file_range(in, in_offset != 0 ? &from : nullptr, out,
                                                       out_offset != 0 ? &to : nullptr, size, flags));
    const bool told = (in_offset == 0 || p.memory.put(in_offset, from)) &&
                      (out_offset == 0 || p.memory.put(out_offset, to));
    return told ? moved : -EFAULT;
}

// --- descriptors

result dup(process& p, descriptor file) { return p.descriptors.admit(::dup(file)); }

/// A number that is not below the limit is no descriptor, nor is one of pefsim's.
bool can_be(const process& p, descriptor to) {
    return to >= 0 && static_cast<std::uint64_t>(to) < p.descriptors.limit();
}

result dup2(process& p, descriptor file, descriptor to) {
    return can_be(p, to) ? host_result(::dup2(file, to)) : -EBADF;
}

result dup3(process& p, descriptor file, descriptor to, int flags) {
    return can_be(p, to) ? host_result(::dup3(file, to, flags)) : -EBADF;
}

result pipe2(process& p, address files, int flags) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), to_host_flags(flags)) != 0) {
        return -errno;
    }
    const result error = p.descriptors.admit(ends[0]) < 0 || p.descriptors.admit(ends[1]) < 0 ? -EMFILE
                         : !p.memory.put(files, ends)                                         ? -EFAULT
                                                                                              : 0;
    struct ::stat about {};
    if (error != 0) {
        ::close(ends[0]);
        ::close(ends[1]);
    } else if (::fstat(ends[0], &about) == 0) {
        p.pipes.emplace(about.st_dev, about.st_ino);
    }
    return error;
}

result pipe(process& p, address files) { return pipe2(p, files, 0); }

result fcntl(process& p, descriptor file, int command, std::uint64_t argument) {
    switch (command) {
    case F_GETFL: {
        const result flags = host_result(::fcntl(file, F_GETFL));
        return flags < 0 ? flags : to_program_flags(static_cast<int>(flags));
    }
    case F_SETFL:
        return host_result(::fcntl(file, F_SETFL, to_host_flags(static_cast<int>(argument))));
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW: {
        struct ::flock lock {};
        if (!p.memory.get(argument, lock)) {
            return -EFAULT;
        }
        const result done = host_result(::fcntl(file, command, &lock));
        return done == 0 && command == F_GETLK && !p.memory.put(argument, lock) ? -EFAULT : done;
    }
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return argument < p.descriptors.limit() ? p.descriptors.admit(::fcntl(file, command, argument))
                                                : -EINVAL;
    case F_GETFD:
    case F_SETFD:
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ:
    case F_ADD_SEALS:
    case F_GET_SEALS:
        return host_result(::fcntl(file, command, argument));
    default:
        return -EINVAL;
    }
}

result flock(process& /*p*/, descriptor file, int operation) { return host_result(::flock(file, operation)); }

// --- sizes and stable storage

result ftruncate(process& /*p*/, descriptor file, std::int64_t size) {
    return host_result(::ftruncate(file, size));
}

result fallocate(process& /*p*/, descriptor file, int mode, std::int64_t offset, std::int64_t size) {
    return host_result(::fallocate(file, mode, offset, size));
}

result fadvise64(process& /*p*/, descriptor file, std::int64_t offset, std::int64_t size, int advice) {
    return -::posix_fadvise(file, offset, size, advice);
}

result readahead(process& /*p*/, descriptor file, std::int64_t offset, std::uint64_t size) {
    return host_result(::readahead(file, offset, size));
}

result fsync(process& /*p*/, descriptor file) { return host_result(::fsync(file)); }
result fdatasync(process& /*p*/, descriptor file) { return host_result(::fdatasync(file)); }
result sync(process& /*p*/) {
    ::sync();
    return 0;
}

}  // namespace pefsim::linux_user::calls
