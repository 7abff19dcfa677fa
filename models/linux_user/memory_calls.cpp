// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "linux_user/calls.h"
#include "linux_user/linux_abi.h"
#include "linux_user/process.h"

namespace pefsim::linux_user::calls {
namespace {

constexpr std::uint64_t lowest_address = 65536;  // vm.mmap_min_addr
constexpr unsigned prot_mask = linux_abi::prot_read | linux_abi::prot_write | linux_abi::prot_exec;

/// A range that a program names: its end rounded up to a page; nothing when it is no range of its addresses.
struct range {
    address start = 0;
    std::uint64_t size = 0;
};
std::optional<range> range_at(const process& p, address start, std::uint64_t size) {
    if (start % p.memory.page_size() != 0 || size > linux_abi::task_size || start > linux_abi::task_size ||
        p.memory.round_up(size) > linux_abi::task_size - start) {
        return std::nullopt;
    }
    return range{start, p.memory.round_up(size)};
}

std::string file_name(int file) {
    std::error_code error;
    return std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", file), error).string();
}

/// Where a new mapping goes; an error number otherwise.
result place_for(process& p, address wish, std::uint64_t size, std::uint32_t flags) {
    address_space& memory = p.memory;
    if ((flags & (linux_abi::map_fixed | linux_abi::map_fixed_noreplace)) != 0) {
        const std::optional<range> at = range_at(p, wish, size);
        if (!at) {
            return wish % memory.page_size() != 0 ? -EINVAL : -ENOMEM;
        }
        if (wish < lowest_address) {
            return -EPERM;
        }
        const bool replaces = (flags & linux_abi::map_fixed_noreplace) == 0;
        return replaces || memory.is_free(wish, size) ? static_cast<result>(wish) : -EEXIST;
    }
    const std::optional<range> hinted = range_at(p, memory.round_up(wish), size);
    if (wish != 0 && hinted && hinted->start >= lowest_address && memory.is_free(hinted->start, size)) {
        return static_cast<result>(hinted->start);
    }
    const std::optional<address> found = memory.find_free(size);
    return found ? static_cast<result>(*found) : -ENOMEM;
}

}  // namespace

result brk(process& p, address end) { return static_cast<result>(p.memory.set_break(end)); }

result mmap(process& p, address start, std::uint64_t size, std::uint32_t prot, std::uint32_t flags,
            descriptor_number number, std::uint64_t offset) {
    const descriptor file = p.descriptors.pass(number.number);
    const std::uint32_t type = flags & linux_abi::map_type;
    const bool anonymous = (flags & linux_abi::map_anonymous) != 0;
    if (size == 0 || type == 0 || type > (linux_abi::map_shared | linux_abi::map_private) ||
        offset % p.memory.page_size() != 0) {
        return -EINVAL;
    }
    if (size > linux_abi::task_size) {
        return -ENOMEM;
    }
    if (!anonymous && ::fcntl(file, F_GETFD) < 0) {
        return -EBADF;
    }
    const std::uint64_t length = p.memory.round_up(size);
    const result place = place_for(p, start, length, flags);
    if (place < 0) {
        return place;
    }
    address_space::backing from;
    from.shared = type != linux_abi::map_private;
    if (!anonymous) {
        from.file = file;
        from.offset = offset;
        from.name = file_name(file);
    }
    const int error = p.memory.map(static_cast<address>(place), length, prot & prot_mask, from);
    return error != 0 ? error : place;
}

result munmap(process& p, address start, std::uint64_t size) {
    const std::optional<range> at = range_at(p, start, size);
    return at && at->size != 0 ? p.memory.unmap(at->start, at->size) : -EINVAL;
}

result mprotect(process& p, address start, std::uint64_t size, std::uint32_t prot) {
    const std::optional<range> at = range_at(p, start, size);
    if (!at) {
        return start % p.memory.page_size() != 0 ? -EINVAL : -ENOMEM;
    }
    return at->size == 0 ? 0 : p.memory.protect(at->start, at->size, prot & prot_mask);
}

result mremap(process& p, address start, std::uint64_t size, std::uint64_t new_size, std::uint32_t flags,
              address new_start) {
    constexpr std::uint32_t may_move = 1;
    constexpr std::uint32_t fixed = 2;
    address_space& memory = p.memory;
    const std::optional<range> old = range_at(p, start, size);
    const std::uint64_t length = memory.round_up(new_size);
    if (!old || old->size == 0 || new_size == 0 || new_size > linux_abi::task_size ||
        (flags & ~(may_move | fixed)) != 0) {
        return -EINVAL;
    }
    if (!memory.is_mapped(old->start, old->size)) {
        return -EFAULT;
    }
    if (length < old->size) {
        memory.unmap(old->start + length, old->size - length);
    }
    const std::uint64_t kept = std::min(length, old->size);
    address to = old->start;
    if ((flags & fixed) != 0) {
        const std::optional<range> wanted = range_at(p, new_start, length);
        if ((flags & may_move) == 0 || !wanted || new_start < lowest_address ||
            (new_start < old->start + old->size && old->start < new_start + length)) {
            return -EINVAL;
        }
        memory.unmap(new_start, length);
        to = new_start;
    } else if (length > old->size && (!range_at(p, old->start, length) ||
                                      !memory.is_free(old->start + old->size, length - old->size))) {
        const std::optional<address> found = memory.find_free(length);
        if ((flags & may_move) == 0 || !found) {
            return -ENOMEM;
        }
        to = *found;
    }
    if (to == old->start && length == kept) {
        return static_cast<result>(to);
    }
    const int error = memory.move(old->start, kept, to, length);
    return error != 0 ? error : static_cast<result>(to);
}

result madvise(process& p, address start, std::uint64_t size, int advice) {
    constexpr int last_advice = 25;
    const std::optional<range> at = range_at(p, start, size);
    if (!at || advice < 0 || (advice > last_advice && advice != 100 && advice != 101)) {
        return -EINVAL;
    }
    if (at->size != 0 && !p.memory.is_mapped(at->start, at->size)) {
        return -ENOMEM;
    }
    return advice == MADV_DONTNEED ? p.memory.discard(at->start, at->size) : 0;
}

/// Shared mappings are the host's own: what is stored there is in the file's pages at once.
result msync(process& p, address start, std::uint64_t size, int flags) {
    const std::optional<range> at = range_at(p, start, size);
    if (!at || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) != 0) {
        return -EINVAL;
    }
    return at->size == 0 || p.memory.is_mapped(at->start, at->size) ? 0 : -ENOMEM;
}

result mincore(process& p, address start, std::uint64_t size, address to) {
    const std::optional<range> at = range_at(p, start, size);
    if (!at) {
        return -EINVAL;
    }
    if (!p.memory.is_mapped(at->start, at->size)) {
        return -ENOMEM;
    }
    std::array<std::byte, 4096> resident{};
    resident.fill(std::byte{1});
    for (std::uint64_t left = at->size / p.memory.page_size(); left != 0;) {
        const std::uint64_t part = std::min<std::uint64_t>(left, resident.size());
        if (!p.memory.write_bytes(to, std::span(resident).first(part))) {
            return -EFAULT;
        }
        to += part;
        left -= part;
    }
    return 0;
}

result mlock(process& p, address start, std::uint64_t size) {
    const address first = start & ~(p.memory.page_size() - 1);
    const std::optional<range> at = range_at(p, first, size + (start - first));
    return at && (at->size == 0 || p.memory.is_mapped(at->start, at->size)) ? 0 : -ENOMEM;
}

}  // namespace pefsim::linux_user::calls
