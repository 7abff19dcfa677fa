// SPDX-License-Identifier: Apache-2.0
#include "memory/guest_ram.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <fmt/format.h>
#include <linux/mman.h>  // MADV_COLLAPSE
#include <stdexcept>
#include <sys/mman.h>
#include <system_error>

#include "abi/platform.h"

namespace pefsim::memory {

namespace {

constexpr std::uint64_t huge_page = std::uint64_t{2} << 20;

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

guest_ram::reservation::reservation(std::uint64_t size) : mapped_(nullptr), base_(nullptr), size_(size) {
    mapped_ = mmap(nullptr, size + huge_page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped_ == MAP_FAILED) {
        host_refuses("reserving address space", size);
    }
    const std::uint64_t behind = std::bit_cast<std::uint64_t>(mapped_) % huge_page;
    base_ = static_cast<std::byte*>(mapped_) + (huge_page - behind) % huge_page;
    // A huge page for one touched frame would break the promise that what is not used takes no memory. Kernels without
    // huge pages refuse the advice, and need it not.
    (void)madvise(base_, size_, MADV_NOHUGEPAGE);
}

guest_ram::reservation::~reservation() { munmap(mapped_, size_ + huge_page); }

guest_ram::guest_ram(std::uint64_t size) : size_(checked_size(size)), normal_(size), secure_(size) {}

void guest_ram::first_write(plane& frames, abi::gfn page) {
    frames.touched[page] = 1;
    resident_ += abi::page_size;
    const abi::gfn region = page / pages_of_region;
    if (frames.regions[region] == dense || ++frames.regions[region] != dense) {
        return;
    }
    // Both are advice: a kernel that has no huge pages, or none left, goes on with small ones.
    const std::uint64_t size = std::min(pages_of_region, pages() - region * pages_of_region) * abi::page_size;
    std::byte* const bytes = frames.at(region * pages_of_region);
    (void)madvise(bytes, size, MADV_HUGEPAGE);
    (void)madvise(bytes, size, MADV_COLLAPSE);
}

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
    if (std::uint8_t& written = frames.regions[page / pages_of_region]; written != dense) {
        --written;
    }
}

}  // namespace pefsim::memory
