// SPDX-License-Identifier: Apache-2.0
#include "memory/guest_ram.h"

#include <cerrno>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/mman.h>
#include <system_error>

#include "abi/platform.h"

namespace pefsim::memory {

namespace {

std::uint64_t checked_size(std::uint64_t size) {
    if (size == 0 || size > abi::platform::max_ram_size || size % abi::page_size != 0) {
        throw std::invalid_argument(fmt::format(
            "guest RAM of {} bytes: allowed is a multiple of 64 KiB from 64 KiB to 64 GiB", size));
    }
    return size;
}

[[noreturn]] void host_refuses(const char* what, std::uint64_t size) {
    throw std::system_error(errno, std::generic_category(),
                            fmt::format("guest RAM: {} of {} bytes", what, size));
}

}  // namespace

guest_ram::reservation::reservation(std::uint64_t size) : base_(nullptr), size_(size) {
    void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                          -1, 0);
    if (at == MAP_FAILED) {
        host_refuses("reserving address space", size);
    }
    base_ = static_cast<std::byte*>(at);
    // A huge page for one touched frame would break the promise that only touched frames take memory. Kernels without
    // huge pages refuse the advice, and need it not.
    (void)madvise(base_, size_, MADV_NOHUGEPAGE);
}

guest_ram::reservation::~reservation() { munmap(base_, size_); }

guest_ram::guest_ram(std::uint64_t size) : size_(checked_size(size)), normal_(size), secure_(size) {}

void guest_ram::discard(frame_kind kind, abi::gfn page) {
    plane& frames = of(kind);
    if (frames.touched[page] == 0) {
        return;
    }
    if (madvise(frames.at(page), abi::page_size, MADV_DONTNEED) != 0) {
        host_refuses("giving back a frame", abi::page_size);
    }
    frames.touched[page] = 0;
    resident_ -= abi::page_size;
}

}  // namespace pefsim::memory
