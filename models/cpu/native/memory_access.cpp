// SPDX-License-Identifier: Apache-2.0
//
// native_cpu's accesses to memory and MMIO, and the storage interrupts that they take.
#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

#include "abi/platform.h"
#include "cpu/native/native_cpu.h"

namespace pefsim::cpu::native {

using abi::phys_addr;

namespace {

constexpr std::byte ones{0xff};

std::size_t in_page(phys_addr at, std::size_t size) {
    return std::min<std::size_t>(abi::page_size - abi::page_offset(at), size);
}

}  // namespace

void native_cpu::read(phys_addr from, std::span<std::byte> to) {
    read_bytes(from, to);
    spend(access_cost_ + copy_cost(to.size()));
}

void native_cpu::write(phys_addr to, std::span<const std::byte> from) {
    if (block_write_watcher_) {
        block_write_watcher_(to, from.size());
    }
    write_bytes(to, from);
    spend(access_cost_ + copy_cost(from.size()));
}

void native_cpu::fill(phys_addr at, std::size_t size, std::byte value) {
    if (block_write_watcher_) {
        block_write_watcher_(at, size);
    }
    time_.spend(access_cost_);
    while (size > 0) {
        const std::size_t part = in_page(at, size);
        if (!memory_.fill_granted(at, part, value, time_)) {
            staging_.assign(part, value);
            write_bytes(at, staging_);
        }
        spend(copy_cost(part));
        at = at + part;
        size -= part;
    }
}

void native_cpu::copy(phys_addr to, phys_addr from, std::size_t size) {
    while (size > 0) {
        const std::size_t part = in_page(to, in_page(from, size));
        const std::byte* const source = memory_.readable(from, part);
        if (source == nullptr || !memory_.write_granted(to, source, part, time_)) [[unlikely]] {
            // Either access may trap, and the trap may take the other page's grant away.
            staging_.resize(part);
            read_bytes(from, staging_);
            write_bytes(to, staging_);
        }
        const sc_core::sc_time cost = copy_cost(part);
        use_.copies += cost;
        spend(cost);
        to = to + part;
        from = from + part;
        size -= part;
    }
}

void native_cpu::read_bytes(phys_addr at, std::span<std::byte> to) {
    while (!to.empty()) {
        const std::span<std::byte> part = to.first(in_page(at, to.size()));
        if (const std::byte* from = memory_.readable(at, part.size()); from != nullptr) {
            std::ranges::copy_n(from, static_cast<std::ptrdiff_t>(part.size()), part.begin());
        } else {
            const storage_fault access{.at = at, .kind = memory::access_kind::read, .size = part.size()};
            for (unsigned attempt = 0;; ++attempt) {
                const auto result = memory_.read(at, part, time_);
                if (result == memory_port::result::done) {
                    break;
                }
                if (!resolve(result, access, attempt)) {
                    std::ranges::fill(part, ones);
                    break;
                }
            }
        }
        at = at + part.size();
        to = to.subspan(part.size());
    }
}

void native_cpu::write_bytes(phys_addr at, std::span<const std::byte> from) {
    while (!from.empty()) {
        const std::span<const std::byte> part = from.first(in_page(at, from.size()));
        if (!memory_.write_granted(at, part.data(), part.size(), time_)) {
            const storage_fault access{.at = at, .kind = memory::access_kind::write, .size = part.size()};
            for (unsigned attempt = 0;; ++attempt) {
                const auto result = memory_.write(at, part, time_);
                if (result == memory_port::result::done || !resolve(result, access, attempt)) {
                    break;
                }
            }
        }
        at = at + part.size();
        from = from.subspan(part.size());
    }
}

/// \returns whether the access that came to `result` is to be tried again
bool native_cpu::resolve(memory_port::result result, const storage_fault& access, unsigned attempt) {
    if (result == memory_port::result::no_answer) {
        failed_.report(access, access_failure::no_answer, now());
        return false;
    }
    if (attempt == failed_.attempts()) {
        failed_.report(access, access_failure::page_missing, now());
        return false;
    }
    shows_.storage_interrupts.add();
    storage_fault fault = access;
    switch (storage_interrupt(fault)) {
    case fault_outcome::retry:
        return true;
    case fault_outcome::emulated:
        throw std::logic_error(fmt::format("{}: {}: a {} of {} bytes of RAM at {:#x} was emulated as MMIO",
                                           now().to_string(), name(), to_name(access.kind), access.size,
                                           access.at.value()));
    case fault_outcome::bus_error:
    case fault_outcome::terminated:
        break;
    }
    failed_.report(access, access_failure::bus_error, now());
    return false;
}

std::uint64_t native_cpu::mmio(storage_fault access) {
    synchronize();
    const bool loads = access.kind == memory::access_kind::read;
    (loads ? shows_.mmio_loads : shows_.mmio_stores).add();
    state_.gpr[30] = access.at.value();
    if (!loads) {
        state_.gpr[31] = access.value;
    }
    for (unsigned attempt = 0; attempt < failed_.attempts(); ++attempt) {
        switch (emulate(access)) {
        case fault_outcome::retry:
            continue;
        case fault_outcome::emulated:
            state_.gpr[31] = access.value;
            return access.value;
        case fault_outcome::bus_error:
        case fault_outcome::terminated:
            failed_.report(access, access_failure::mmio_no_answer, now());
            return ~std::uint64_t{0};
        }
    }
    failed_.report(access, access_failure::mmio_unfinished, now());
    return ~std::uint64_t{0};
}

/// One attempt at a cache-inhibited access: RAM answers on the bus, everything else is trapped.
fault_outcome native_cpu::emulate(storage_fault& access) {
    // RAM ends below the host bridge's windows, so the bus need not be asked about those.
    if (access.at < abi::platform::mmio_base) {
        const auto bytes = std::as_writable_bytes(std::span(&access.value, 1)).first(access.size);
        const auto result = access.kind == memory::access_kind::read ? memory_.read(access.at, bytes, time_)
                                                                     : memory_.write(access.at, bytes, time_);
        if (result == memory_port::result::done) {
            return fault_outcome::emulated;
        }
    }
    return storage_interrupt(access);
}

}  // namespace pefsim::cpu::native
