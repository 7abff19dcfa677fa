// SPDX-License-Identifier: Apache-2.0
#include "power/translator/code_memory.h"

#include <bit>
#include <cstring>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

namespace pefsim::power::host_code {
namespace {

constexpr std::size_t alignment = 64;  // of a piece: the host's line

std::size_t rounded_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }
std::size_t host_page() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

code_memory::code_memory(std::size_t bytes) : size_(rounded_up(bytes, host_page())) {
    void* reserved = mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (reserved == MAP_FAILED) {
        throw std::bad_alloc();
    }
    begin_ = static_cast<std::byte*>(reserved);
}

code_memory::~code_memory() { munmap(begin_, size_); }

std::uint64_t code_memory::next() const { return std::bit_cast<std::uint64_t>(begin_ + used_); }

bool code_memory::append(std::span<const std::byte> code) {
    const std::size_t first = used_ / host_page() * host_page();
    const std::size_t bytes = rounded_up(used_ + code.size(), host_page()) - first;
    if (code.size() > left() || mprotect(begin_ + first, bytes, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    std::memcpy(begin_ + used_, code.data(), code.size());
    if (mprotect(begin_ + first, bytes, PROT_READ | PROT_EXEC) != 0) {
        return false;
    }
    used_ = std::min(rounded_up(used_ + code.size(), alignment), size_);
    return true;
}

void code_memory::keep(std::size_t bytes) {
    const std::size_t first = rounded_up(bytes, host_page());
    if (first < used_) {
        madvise(begin_ + first, rounded_up(used_, host_page()) - first, MADV_DONTNEED);
    }
    used_ = bytes;
}

}  // namespace pefsim::power::host_code
