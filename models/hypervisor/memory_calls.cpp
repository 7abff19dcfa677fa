// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "hypervisor/services.h"

/// Hypercalls that work on the guest's memory for it: H_PAGE_INIT (PAPR 2.8, 14.5.4.2.3) and H_LOGICAL_MEMOP, which is
/// QEMU's and firmware's: elements of 1 to 8 bytes copied or inverted, RAM or MMIO.
namespace pefsim::hypervisor {

using abi::h_status;
using abi::phys_addr;

namespace {

// --- H_PAGE_INIT

constexpr std::uint64_t zero_page = big_endian_bit(48);
constexpr std::uint64_t copy_page = big_endian_bit(49);
/// Of the instruction cache; a simulated one is always coherent.
constexpr std::uint64_t cache_flags = big_endian_bit(40) | big_endian_bit(41);
constexpr std::uint64_t initialised_page = 4096;

h_status h_page_init(host& here, const call& of) {
    const std::uint64_t flags = of.argument(0);
    const phys_addr to{of.argument(1)};
    const phys_addr from{of.argument(2)};
    if ((flags & ~(zero_page | copy_page | cache_flags)) != 0 || (flags & zero_page && flags & copy_page)) {
        return h_status::h_parameter;
    }
    if (to.value() % initialised_page != 0 || !here.guest.contains(to) ||
        ((flags & copy_page) != 0 && (from.value() % initialised_page != 0 || !here.guest.contains(from)))) {
        return h_status::h_parameter;
    }
    std::array<std::byte, initialised_page> content{};
    const bool read = (flags & copy_page) == 0 || here.memory.read(from, content, of.context.delay);
    const bool written = (flags & (zero_page | copy_page)) == 0 ||
                         (read && here.memory.write(to, content, of.context.delay));
    return read && written ? h_status::h_success : h_status::h_parameter;
}

// --- H_LOGICAL_MEMOP

constexpr std::uint64_t copy_operation = 0;
constexpr std::uint64_t invert_operation = 1;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 24;

bool load(host& here, const call& of, std::uint64_t at, std::span<std::byte> to) {
    if (here.guest.contains(phys_addr{at})) {
        return here.memory.read(phys_addr{at}, to, of.context.delay);
    }
    std::uint64_t value = 0;
    const bool answered = here.mmio.load(phys_addr{at}, to.size(), value, of.context);
    std::ranges::copy(std::as_bytes(std::span(&value, 1)).first(to.size()), to.begin());
    return answered;
}

bool store(host& here, const call& of, std::uint64_t at, std::span<const std::byte> from) {
    if (here.guest.contains(phys_addr{at})) {
        return here.memory.write(phys_addr{at}, from, of.context.delay);
    }
    std::uint64_t value = 0;
    std::ranges::copy(from, std::as_writable_bytes(std::span(&value, 1)).begin());
    return here.mmio.store(phys_addr{at}, from.size(), value, of.context);
}

/// Where the ranges overlap, in the order that keeps what is still to be read.
h_status h_logical_memop(host& here, const call& of) {
    const std::uint64_t to = of.argument(0);
    const std::uint64_t from = of.argument(1);
    const std::uint64_t size = std::uint64_t{1} << (of.argument(2) & 3);
    const std::uint64_t count = of.argument(3);
    const std::uint64_t operation = of.argument(4);
    if (of.argument(2) > 3 || operation > invert_operation || count > most_bytes / size || to % size != 0 ||
        from % size != 0) {
        return h_status::h_parameter;
    }
    const bool backwards = to > from && to - from < count * size;
    std::array<std::byte, sizeof(std::uint64_t)> element{};
    for (std::uint64_t n = 0; n < count; ++n) {
        const std::uint64_t offset = (backwards ? count - 1 - n : n) * size;
        const std::span<std::byte> bytes = std::span(element).first(size);
        if (!load(here, of, from + offset, bytes)) {
            return h_status::h_parameter;
        }
        if (operation != copy_operation) {
            std::ranges::transform(bytes, bytes.begin(), [](std::byte each) { return ~each; });
        }
        if (!store(here, of, to + offset, bytes)) {
            return h_status::h_parameter;
        }
    }
    return h_status::h_success;
}

constexpr std::array rows{
    service{abi::hcall::h_page_init, h_page_init},
    service{abi::hcall::h_logical_memop, h_logical_memop},
};

}  // namespace

std::span<const service> memory_services() { return rows; }

}  // namespace pefsim::hypervisor
