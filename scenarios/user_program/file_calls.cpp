// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
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

#include "user_program/calls.h"
#include "user_program/host_result.h"
#include "user_program/linux_abi.h"
#include "user_program/process.h"
#include "user_program/synthetic_files.h"

namespace pefsim::user_program::calls {
namespace {

using cpu::power::access_kind;

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
result open_synthetic(const std::string& content, int flags) {
    if ((flags & O_ACCMODE) != O_RDONLY) {
        return -EACCES;
    }
    const int whole = ::memfd_create("pefsim", MFD_CLOEXEC);
    if (whole < 0) {
        return -errno;
    }
    const bool written = ::write(whole, content.data(), content.size()) ==
                         static_cast<ssize_t>(content.size());
    const std::string path = fmt::format("/proc/self/fd/{}", whole);
    const result file = written ? host_result(::open(path.c_str(), O_RDONLY | (flags & O_CLOEXEC))) : -EIO;
    ::close(whole);
    return file;
}

/// One transfer between a descriptor and the program's memory.
/// \param move readv(), writev() or one of their like
template <typename Move>
result transfer(process& p, int file, std::span<const iovec> buffers, access_kind kind, const Move& move) {
    if (p.is_reserved(file)) {
        return -EBADF;
    }
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
    const result moved = host_result(move(file, ranges.data(), static_cast<int>(ranges.size())));
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
result transfer_vector(process& p, int file, address vector, std::uint64_t count, access_kind kind,
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

result openat(process& p, int directory, address path, int flags, std::uint32_t mode) {
    std::string name;
    if (const int error = p.memory.get_string(path, name); error != 0) {
        return error;
    }
    if (const auto content = synthetic_file(p, name)) {
        return open_synthetic(*content, flags);
    }
    if (const auto target = synthetic_link(p, name)) {
        name = *target;
    }
    return host_result(::openat(directory, name.c_str(), to_host_flags(flags), mode));
}

result open(process& p, address path, int flags, std::uint32_t mode) {
    return openat(p, AT_FDCWD, path, flags, mode);
}

result creat(process& p, address path, std::uint32_t mode) {
    return openat(p, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

result close(process& p, int file) { return p.is_reserved(file) ? -EBADF : host_result(::close(file)); }

result close_range(process& p, std::uint32_t first, std::uint32_t last, std::uint32_t flags) {
    constexpr std::uint32_t close_on_exec = 4;
    if (first > last || (flags & ~close_on_exec) != 0) {
        return -EINVAL;
    }
    const auto limit = static_cast<std::uint32_t>(::sysconf(_SC_OPEN_MAX));
    for (std::uint32_t file = first; file <= std::min(last, limit) && (flags & close_on_exec) == 0; ++file) {
        close(p, static_cast<int>(file));
    }
    return 0;
}

// --- reading and writing

result read(process& p, int file, address buffer, std::uint64_t size) {
    return transfer(p, file, std::array{buffer_at(buffer, size)}, access_kind::store, ::readv);
}

result write(process& p, int file, address buffer, std::uint64_t size) {
    return transfer(p, file, std::array{buffer_at(buffer, size)}, access_kind::load, ::writev);
}

result readv(process& p, int file, address vector, std::uint64_t count) {
    return transfer_vector(p, file, vector, count, access_kind::store, ::readv);
}

result writev(process& p, int file, address vector, std::uint64_t count) {
    return transfer_vector(p, file, vector, count, access_kind::load, ::writev);
}

result pread64(process& p, int file, address buffer, std::uint64_t size, std::int64_t offset) {
    return transfer(p, file, std::array{buffer_at(buffer, size)}, access_kind::store, read_at(offset));
}

result pwrite64(process& p, int file, address buffer, std::uint64_t size, std::int64_t offset) {
    return transfer(p, file, std::array{buffer_at(buffer, size)}, access_kind::load, write_at(offset));
}

result preadv(process& p, int file, address vector, std::uint64_t count, std::int64_t offset) {
    return transfer_vector(p, file, vector, count, access_kind::store, read_at(offset));
}

result pwritev(process& p, int file, address vector, std::uint64_t count, std::int64_t offset) {
    return transfer_vector(p, file, vector, count, access_kind::load, write_at(offset));
}

result lseek(process& /*p*/, int file, std::int64_t offset, int whence) {
    return host_result(::lseek(file, offset, whence));
}

result llseek(process& p, int file, std::uint32_t high, std::uint32_t low, address to, int whence) {
    const auto offset = static_cast<std::int64_t>(std::uint64_t{high} << 32 | low);
    const result at = lseek(p, file, offset, whence);
    return at < 0 ? at : p.memory.put(to, at) ? 0 : -EFAULT;
}

result sendfile(process& p, int out, int in, address offset, std::uint64_t count) {
    off_t from = 0;
    if (offset != 0 && !p.memory.get(offset, from)) {
        return -EFAULT;
    }
    const result moved = host_result(::sendfile(out, in, offset != 0 ? &from : nullptr, count));
    return offset != 0 && !p.memory.put(offset, from) ? -EFAULT : moved;
}

result copy_file_range(process& p, int in, address in_offset, int out, address out_offset, std::uint64_t size,
                       std::uint32_t flags) {
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

result dup(process& p, int file) { return p.is_reserved(file) ? -EBADF : host_result(::dup(file)); }

result dup2(process& p, int file, int to) {
    return p.is_reserved(file) || p.is_reserved(to) ? -EBADF : host_result(::dup2(file, to));
}

result dup3(process& p, int file, int to, int flags) {
    return p.is_reserved(file) || p.is_reserved(to) ? -EBADF : host_result(::dup3(file, to, flags));
}

result pipe2(process& p, address files, int flags) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), to_host_flags(flags)) != 0) {
        return -errno;
    }
    if (!p.memory.put(files, ends)) {
        ::close(ends[0]);
        ::close(ends[1]);
        return -EFAULT;
    }
    return 0;
}

result pipe(process& p, address files) { return pipe2(p, files, 0); }

result fcntl(process& p, int file, int command, std::uint64_t argument) {
    if (p.is_reserved(file)) {
        return -EBADF;
    }
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

result flock(process& /*p*/, int file, int operation) { return host_result(::flock(file, operation)); }

// --- sizes and stable storage

result truncate(process& p, address path, std::int64_t size) {
    std::string name;
    const int error = p.memory.get_string(path, name);
    return error != 0 ? error : host_result(::truncate(name.c_str(), size));
}

result ftruncate(process& /*p*/, int file, std::int64_t size) { return host_result(::ftruncate(file, size)); }

result fallocate(process& /*p*/, int file, int mode, std::int64_t offset, std::int64_t size) {
    return host_result(::fallocate(file, mode, offset, size));
}

result fadvise64(process& /*p*/, int file, std::int64_t offset, std::int64_t size, int advice) {
    return -::posix_fadvise(file, offset, size, advice);
}

result readahead(process& /*p*/, int file, std::int64_t offset, std::uint64_t size) {
    return host_result(::readahead(file, offset, size));
}

result fsync(process& /*p*/, int file) { return host_result(::fsync(file)); }
result fdatasync(process& /*p*/, int file) { return host_result(::fdatasync(file)); }
result sync(process& /*p*/) {
    ::sync();
    return 0;
}

}  // namespace pefsim::user_program::calls
