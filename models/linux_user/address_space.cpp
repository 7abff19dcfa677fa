// SPDX-License-Identifier: Apache-2.0
#include "linux_user/address_space.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

#include "linux_user/linux_abi.h"
#include "power/engine/interrupt.h"
#include "power/engine/tlb.h"

namespace pefsim::linux_user {
namespace {

using power::access_kind;
using power::storage_error;
namespace storage_status = power::storage_status;

constexpr std::uint64_t lowest_mapping = 65536;  // vm.mmap_min_addr
/// Mappings that stand in huge pages. A smaller one may be a thread's stack, a larger one is more likely address space
/// than memory: what a program touches of them shall not grow 512 fold.
constexpr std::uint64_t smallest_in_huge_pages = std::uint64_t{16} << 20;
constexpr std::uint64_t largest_in_huge_pages = std::uint64_t{1} << 30;

/// A file that was cut short under a mapping: zeros take the place of what is gone, where Linux would send SIGBUS.
extern "C" void replace_lost_page(int /*signal*/, siginfo_t* info, void* /*context*/) {
    const auto size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const std::uintptr_t page = std::bit_cast<std::uintptr_t>(info->si_addr) & ~(size - 1);
    if (info->si_code != BUS_ADRERR || ::mmap(std::bit_cast<void*>(page), size, PROT_READ | PROT_WRITE,
                                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        ::signal(SIGBUS, SIG_DFL);
    }
}

std::byte* host_map(std::uint64_t size, int prot, int flags, int file, std::uint64_t offset) {
    void* const at = ::mmap(nullptr, size, prot, flags | MAP_NORESERVE, file, static_cast<off_t>(offset));
    return at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at);
}

}  // namespace

address_space::address_space(const limits& of) : limits_(of) {
    struct sigaction action {};
    action.sa_sigaction = replace_lost_page;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGBUS, &action, nullptr);
}

address_space::~address_space() {
    for (const auto& [start, each] : mappings_) {
        ::munmap(each.host, each.end - start);
    }
}

// --- mappings

/// The first mapping that ends behind `ea`.
address_space::mappings::iterator address_space::first_behind(std::uint64_t ea) {
    ++work_;
    const auto above = mappings_.upper_bound(ea);
    if (above != mappings_.begin()) {
        if (const auto below = std::prev(above); below->second.end > ea) {
            return below;
        }
    }
    return above;
}
address_space::mappings::const_iterator address_space::first_behind(std::uint64_t ea) const {
    return const_cast<address_space*>(this)->first_behind(ea);
}

const address_space::mapping* address_space::find(std::uint64_t ea) const {
    if (last_ != nullptr && ea - last_->start < last_->end - last_->start) {
        return last_;
    }
    const auto found = first_behind(ea);
    if (found == mappings_.end() || found->first > ea) {
        return nullptr;
    }
    last_ = &found->second;
    return last_;
}

void address_space::insert(mapping made) {
    if (made.prot != 0) {
        bytes_ += made.end - made.start;
        peak_ = std::max(peak_, bytes_);
    }
    free_.take(made.start, made.end);
    mappings_.emplace(made.start, std::move(made));
}

void address_space::erase(mappings::iterator gone) {
    if (last_ == &gone->second) {
        last_ = nullptr;
    }
    free_.give(gone->first, gone->second.end);
    mappings_.erase(gone);
}

/// Makes `ea` the boundary of two mappings if it lies within one.
void address_space::split_at(std::uint64_t ea) {
    const auto at = first_behind(ea);
    if (at == mappings_.end() || at->first >= ea) {
        return;
    }
    mapping upper = at->second;
    upper.host += ea - upper.start;
    upper.from.offset += ea - upper.start;
    upper.start = ea;
    at->second.end = ea;
    mappings_.emplace(ea, std::move(upper));
}

void address_space::set_mapping_top(std::uint64_t top) {
    mapping_top_ = top;
    free_ = free_ranges(lowest_mapping, top);
    for (const auto& [start, each] : mappings_) {
        free_.take(start, each.end);
    }
}

void address_space::forget(const mapping& changed) {
    if (core_ == nullptr) {
        return;
    }
    if ((changed.prot & linux_abi::prot_exec) != 0) {
        core_->forget_real(changed.start, changed.end - changed.start);
    } else {
        core_->forget_translations();
    }
}

void address_space::release(const mapping& gone) {
    forget(gone);
    if (gone.prot != 0) {
        bytes_ -= gone.end - gone.start;
    }
}

/// Gives a mapping its host memory. False: errno says why not.
bool address_space::back(mapping& made) const {
    const std::uint64_t size = made.end - made.start;
    if (made.from.file < 0) {
        made.host = host_map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (made.host != nullptr && size >= smallest_in_huge_pages && size <= largest_in_huge_pages) {
            ::madvise(made.host, size, MADV_HUGEPAGE);
        }
        return made.host != nullptr;
    }
    const int flags = ::fcntl(made.from.file, F_GETFL);
    struct ::stat status {};
    if (flags < 0 || ::fstat(made.from.file, &status) != 0) {
        return false;
    }
    made.host_writable = !made.from.shared || (flags & O_ACCMODE) == O_RDWR;
    if ((flags & O_ACCMODE) == O_WRONLY ||
        (!made.host_writable && (made.prot & linux_abi::prot_write) != 0)) {
        errno = EACCES;
        return false;
    }
    made.host = host_map(size, made.host_writable ? PROT_READ | PROT_WRITE : PROT_READ,
                         made.from.shared ? MAP_SHARED : MAP_PRIVATE, made.from.file, made.from.offset);
    if (made.host == nullptr) {
        return false;
    }
    if (S_ISREG(status.st_mode)) {
        const auto length = static_cast<std::uint64_t>(status.st_size);
        const std::uint64_t in_file = length > made.from.offset ? length - made.from.offset : 0;
        made.valid_end = std::min(made.end, made.start + round_up(std::min(in_file, size)));
        // The program's last page may be several of the host's: they read as zeros, too.
        const auto host_page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        const std::uint64_t first = (in_file + host_page - 1) / host_page * host_page;
        if (const std::uint64_t last = made.valid_end - made.start; first < last) {
            return ::mmap(made.host + first, last - first, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
        }
    }
    return true;
}

int address_space::map(std::uint64_t start, std::uint64_t size, unsigned prot, const backing& from) {
    if (prot != 0 && (size > limits_.bytes || bytes_ > limits_.bytes - size)) {
        return -ENOMEM;
    }
    mapping made{.start = start,
                 .end = start + size,
                 .valid_end = start + size,
                 .host = nullptr,
                 .prot = prot,
                 .host_writable = true,
                 .from = from};
    if (!back(made)) {
        return -errno;
    }
    unmap(start, size);
    made.from.file = -1;  // it may be closed
    insert(std::move(made));
    return 0;
}

int address_space::unmap(std::uint64_t start, std::uint64_t size) {
    split_at(start);
    split_at(start + size);
    for (auto each = first_behind(start); each != mappings_.end() && each->first < start + size;) {
        const auto gone = each++;
        ++work_;
        release(gone->second);
        const std::uint64_t length = gone->second.end - gone->first;
        if (::munmap(gone->second.host, length) != 0) {  // a hole in the host's mapping, and no more can be
            ::madvise(gone->second.host, length, MADV_DONTNEED);
        }
        erase(gone);
    }
    return 0;
}

int address_space::protect(std::uint64_t start, std::uint64_t size, unsigned prot) {
    if (!is_mapped(start, size)) {
        return -ENOMEM;
    }
    split_at(start);
    split_at(start + size);
    for (auto at = first_behind(start); at != mappings_.end() && at->first < start + size; ++at) {
        mapping& each = at->second;
        ++work_;
        if ((prot & linux_abi::prot_write) != 0 && !each.host_writable) {
            return -EACCES;
        }
        const std::uint64_t length = each.end - each.start;
        if (prot != 0 && each.prot == 0 && (length > limits_.bytes || bytes_ > limits_.bytes - length)) {
            return -ENOMEM;
        }
        release(each);
        each.prot = prot;
        if (prot != 0) {
            bytes_ += length;
            peak_ = std::max(peak_, bytes_);
        }
    }
    return 0;
}

int address_space::move(std::uint64_t start, std::uint64_t size, std::uint64_t to, std::uint64_t to_size) {
    if (to_size > size && bytes_ + (to_size - size) > limits_.bytes) {
        return -ENOMEM;
    }
    split_at(start);
    split_at(start + size);
    const auto at = mappings_.find(start);
    if (at == mappings_.end() || at->second.end != start + size) {
        return -EFAULT;
    }
    mapping moved = at->second;
    void* const host = ::mremap(moved.host, size, to_size, MREMAP_MAYMOVE);
    if (host == MAP_FAILED) {
        return -errno;
    }
    release(moved);
    erase(at);
    const bool whole = moved.valid_end >= moved.end;
    moved.valid_end = whole ? to + to_size : moved.valid_end - moved.start + to;
    moved.start = to;
    moved.end = to + to_size;
    moved.host = static_cast<std::byte*>(host);
    insert(std::move(moved));
    return 0;
}

int address_space::discard(std::uint64_t start, std::uint64_t size) {
    for (auto at = first_behind(start); at != mappings_.end() && at->first < start + size; ++at) {
        const mapping& each = at->second;
        ++work_;
        const std::uint64_t first = std::max(start, each.start);
        const std::uint64_t last = std::min(start + size, each.end);
        ::madvise(each.host + (first - each.start), last - first, MADV_DONTNEED);
        forget(each);
    }
    return 0;
}

bool address_space::is_free(std::uint64_t start, std::uint64_t size) const {
    const auto at = first_behind(start);
    return at == mappings_.end() || at->first >= start + size;
}

bool address_space::is_mapped(std::uint64_t start, std::uint64_t size) const {
    const std::uint64_t end = start + size;
    for (auto at = first_behind(start); at != mappings_.end() && at->first <= start; ++at) {
        start = at->second.end;
        ++work_;
        if (start >= end) {
            return true;
        }
    }
    return start >= end;
}

std::string address_space::describe() const {
    std::string text;
    for (const auto& [start, each] : mappings_) {
        text += fmt::format("{:08x}-{:08x} {}{}{}{} {:08x} 00:00 0", start, each.end,
                            (each.prot & linux_abi::prot_read) != 0 ? 'r' : '-',
                            (each.prot & linux_abi::prot_write) != 0 ? 'w' : '-',
                            (each.prot & linux_abi::prot_exec) != 0 ? 'x' : '-', each.from.shared ? 's' : 'p',
                            each.from.offset);
        text += each.from.name.empty() ? "\n" : fmt::format("{:>26}{}\n", "", each.from.name);
    }
    return text;
}

std::uint64_t address_space::set_break(std::uint64_t to) {
    if (to < heap_start_ || to >= mapping_top_) {
        return heap_end_;
    }
    const std::uint64_t old_end = round_up(heap_end_);
    const std::uint64_t new_end = round_up(to);
    if (new_end < old_end) {
        unmap(new_end, old_end - new_end);
    } else if (new_end > old_end) {
        if (!is_free(old_end, new_end - old_end)) {
            return heap_end_;
        }
        const auto at = old_end == round_up(heap_start_) ? mappings_.end() : first_behind(old_end - 1);
        const unsigned usual = linux_abi::prot_read | linux_abi::prot_write;
        const bool grows = at != mappings_.end() && at->second.end == old_end && at->second.prot == usual;
        const std::uint64_t start = grows ? at->first : old_end;
        const int error = grows ? move(start, old_end - start, start, new_end - start)
                                : map(start, new_end - start, usual, {.name = "[heap]"});
        if (error != 0) {
            return heap_end_;
        }
    }
    heap_end_ = to;
    return heap_end_;
}

// --- access

bool address_space::permits(const mapping& in, access_kind kind) {
    switch (kind) {
    case access_kind::fetch:
        return (in.prot & linux_abi::prot_exec) != 0;
    case access_kind::store:
        return (in.prot & linux_abi::prot_write) != 0;
    default:
        return (in.prot & (linux_abi::prot_read | linux_abi::prot_write)) != 0;  // radix: written is read
    }
}

address_space::access_fault address_space::fault_of(std::uint64_t ea, access_kind kind) const {
    const mapping* const at = find(ea);
    if (at == nullptr) {
        return access_fault::not_mapped;
    }
    if (!permits(*at, kind)) {
        return access_fault::not_permitted;
    }
    return ea < at->valid_end ? access_fault::none : access_fault::behind_file;
}

std::uint64_t address_space::host_ranges(std::uint64_t ea, std::uint64_t size, access_kind kind,
                                         std::vector<iovec>& to) const {
    std::uint64_t done = 0;
    while (done < size) {
        if (fault_of(ea + done, kind) != access_fault::none) {
            break;
        }
        const mapping& at = *find(ea + done);
        const std::uint64_t part = std::min(size - done, std::min(at.end, at.valid_end) - (ea + done));
        to.push_back({at.host + (ea + done - at.start), part});
        done += part;
    }
    return done;
}

bool address_space::read_bytes(std::uint64_t ea, std::span<std::byte> to) const {
    while (!to.empty()) {
        if (fault_of(ea, access_kind::load) != access_fault::none) {
            return false;
        }
        const mapping& at = *find(ea);
        const std::uint64_t part = std::min(to.size(), std::min(at.end, at.valid_end) - ea);
        std::memcpy(to.data(), at.host + (ea - at.start), part);
        to = to.subspan(part);
        ea += part;
    }
    return true;
}

bool address_space::write_bytes(std::uint64_t ea, std::span<const std::byte> from) {
    while (!from.empty()) {
        if (fault_of(ea, access_kind::store) != access_fault::none) {
            return false;
        }
        const mapping& at = *find(ea);
        const std::uint64_t part = std::min(from.size(), std::min(at.end, at.valid_end) - ea);
        std::memcpy(at.host + (ea - at.start), from.data(), part);
        written(ea, part);
        from = from.subspan(part);
        ea += part;
    }
    return true;
}

int address_space::get_string(std::uint64_t ea, std::string& to, std::size_t limit) const {
    to.clear();
    while (to.size() < limit) {
        if (fault_of(ea, access_kind::load) != access_fault::none) {
            return -EFAULT;
        }
        const mapping& at = *find(ea);
        const std::uint64_t part = std::min<std::uint64_t>(limit - to.size(),
                                                           std::min(at.end, at.valid_end) - ea);
        const auto* const first = std::bit_cast<const char*>(at.host + (ea - at.start));
        const std::size_t length = ::strnlen(first, part);
        to.append(first, length);
        if (length < part) {
            return 0;
        }
        ea += part;
    }
    return -ENAMETOOLONG;
}

void address_space::written(std::uint64_t ea, std::uint64_t size) {
    const std::uint64_t end = ea + size;
    for (auto at = first_behind(ea); at != mappings_.end() && at->first < end; ++at) {
        if ((at->second.prot & linux_abi::prot_exec) != 0 && core_ != nullptr) {
            core_->forget_real(ea, size);
            return;
        }
    }
}

power::translation address_space::translate(const power::registers& /*state*/, std::uint64_t ea,
                                            access_kind kind) {
    switch (fault_of(ea, kind)) {
    case access_fault::none:
        return {.real = ea, .of_block = true};  // direct_block() knows where the mapping ends
    case access_fault::not_permitted:
        return {.error = storage_error::storage, .status = storage_status::protection};
    default:
        return {.error = storage_error::storage, .status = storage_status::no_translation};
    }
}

std::byte* address_space::direct(std::uint64_t real, access_kind /*kind*/) {
    const mapping* const at = find(real);
    const std::uint64_t first = real & power::small_page_mask;
    return at == nullptr ? nullptr : at->host + (first - at->start);
}

std::byte* address_space::direct_block(std::uint64_t real, access_kind /*kind*/) {
    const mapping* const at = find(real);
    const std::uint64_t first = real & power::block_mask;
    const bool whole = at != nullptr && first >= at->start &&
                       first + power::block <= std::min(at->end, at->valid_end);
    return whole ? at->host + (first - at->start) : nullptr;
}

address_space::outcome address_space::read(std::uint64_t /*real*/, std::span<std::byte> /*to*/,
                                           access_kind /*kind*/) {
    return outcome::machine_check;  // direct() serves every mapping
}

address_space::outcome address_space::write(std::uint64_t /*real*/, std::span<const std::byte> /*from*/) {
    return outcome::machine_check;
}

}  // namespace pefsim::linux_user
