// SPDX-License-Identifier: Apache-2.0
#include "cpu/power_cpu/guest_storage.h"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/endian/conversion.hpp>
#include <cstring>
#include <iterator>

#include "abi/platform.h"
#include "exposure/ledger.h"

namespace pefsim::cpu {

using abi::phys_addr;

namespace {

constexpr memory::access_kind bus_kind(power::access_kind kind) {
    switch (kind) {
    case power::access_kind::fetch:
        return memory::access_kind::fetch;
    case power::access_kind::load:
        return memory::access_kind::read;
    case power::access_kind::store:
        return memory::access_kind::write;
    }
    return memory::access_kind::read;
}

/// RAM ends below the host bridge's windows.
bool may_be_ram(std::uint64_t real) { return phys_addr{real} < abi::platform::mmio_base; }

/// The largest part of an access at `real` that a device takes in one piece.
std::size_t device_access_size(std::uint64_t real, std::size_t size) {
    const std::size_t aligned = real == 0 ? 8 : std::size_t{1} << std::min(std::countr_zero(real), 3);
    return std::min(aligned, std::bit_floor(size));
}

}  // namespace

std::byte* guest_storage::direct(std::uint64_t real, power::access_kind kind) {
    if (!may_be_ram(real)) {
        return nullptr;
    }
    const phys_addr at{real & power::small_page_mask};
    const dmi_table::row* row = cpu_.memory.granted(at, bus_kind(kind));
    if (row == nullptr) {
        return nullptr;
    }
    if (kind == power::access_kind::store) {
        const bool report = row->exposed &&
                            (report_ordinary_stores_ || (cpu_.core.state.msr & power::msr_s) != 0);
        if (report || (!cpu_.partition.alone() && cpu_.partition.has_code(real))) {
            return nullptr;
        }
        if (row->noticed && noticed(real)) {
            watched_[row->bytes] = abi::gfn_of(at);
        }
    }
    return row->bytes + abi::page_offset(at);
}

/// A grant is of a page of 64 KiB.
std::byte* guest_storage::direct_block(std::uint64_t real, power::access_kind kind) {
    static_assert(power::block == abi::page_size);
    const std::uint64_t first = real & power::block_mask;
    if (kind == power::access_kind::store && !cpu_.partition.alone()) {
        for (std::uint64_t each = first; each < first + power::block; each += power::small_page) {
            if (cpu_.partition.has_code(each)) {
                return nullptr;
            }
        }
    }
    return direct(first, kind);
}

bool guest_storage::noticed(std::uint64_t real) const {
    return may_be_ram(real) && cpu_.recorder.ledger().stories().watched(abi::gfn_of(phys_addr{real}));
}

/// In the middle of a run, whose instructions local time does not contain yet.
void guest_storage::stored(const std::byte* to, std::size_t size) {
    const auto& [bytes, page] = *std::prev(watched_.upper_bound(to));
    const exposure::attribution by{.initiator = cpu_.author.writer.initiator,
                                   .origin = cpu_.author.watched_site.origin()};
    cpu_.recorder.ledger().stories().wrote(abi::page_base(page) + static_cast<std::uint64_t>(to - bytes),
                                           size, by, cpu_.clock.at(cpu_.core.instructions()));
}

/// RAM: pages that are not there are trapped for, as often as it takes.
template <class Transaction>
power::real_storage::outcome guest_storage::access_ram(const storage_fault& what,
                                                       const Transaction& transaction) {
    for (unsigned attempt = 0; attempt < failed_.attempts(); ++attempt) {
        switch (transaction()) {
        case memory_port::result::done:
            return outcome::done;
        case memory_port::result::no_answer:
            failed_.report(what, access_failure::no_answer, cpu_.time.now());
            return outcome::machine_check;
        case memory_port::result::page_fault:
            break;
        }
        storage_fault fault = what;
        switch (cpu_.above.storage_interrupt(fault)) {
        case fault_outcome::retry:
            break;
        case fault_outcome::terminated:
            return outcome::stopped;
        case fault_outcome::emulated:
        case fault_outcome::bus_error:
            failed_.report(what, access_failure::bus_error, cpu_.time.now());
            return outcome::machine_check;
        }
    }
    failed_.report(what, access_failure::page_missing, cpu_.time.now());
    return outcome::machine_check;
}

power::real_storage::outcome guest_storage::read(std::uint64_t real, std::span<std::byte> to,
                                                 power::access_kind kind) {
    if (!may_be_ram(real)) {
        return mmio_load(real, to);
    }
    const phys_addr at{real};
    return access_ram({.at = at, .kind = bus_kind(kind), .size = to.size()},
                      [&] { return cpu_.memory.read(at, to, cpu_.time); });
}

power::real_storage::outcome guest_storage::write(std::uint64_t real, std::span<const std::byte> from) {
    if (!may_be_ram(real)) {
        return mmio_store(real, from);
    }
    const phys_addr at{real};
    cpu_.author.writer.origin = cpu_.author.site.origin();
    cpu_.memory.set_writer(cpu_.author.writer);
    cpu_.clock.account();  // when it was written is on record
    const outcome result = cpu_.memory.write_granted(at, from.data(), from.size(), cpu_.time)
                               ? outcome::done
                               : access_ram(
                                     {.at = at, .kind = memory::access_kind::write, .size = from.size()},
                                     [&] { return cpu_.memory.write(at, from, cpu_.time); });
    if (!cpu_.partition.alone() && cpu_.partition.has_code(real)) {
        cpu_.partition.stored_into_code(real, from.size(), &cpu_.processor);
    }
    return result;
}

power::real_storage::outcome guest_storage::prepare_fetch(std::uint64_t real) {
    if (!may_be_ram(real)) {
        failed_.report({.at = phys_addr{real}, .kind = memory::access_kind::fetch, .size = 4},
                       access_failure::no_code, cpu_.time.now());
        return outcome::machine_check;
    }
    const phys_addr at{real & ~std::uint64_t{3}};
    std::array<std::byte, 4> word{};
    const outcome result = access_ram({.at = at, .kind = memory::access_kind::fetch, .size = word.size()},
                                      [&] { return cpu_.memory.fetch(at, word, cpu_.time); });
    return result == outcome::done && direct(real, power::access_kind::fetch) == nullptr
               ? outcome::machine_check
               : result;
}

void guest_storage::holds_code(std::uint64_t real) { cpu_.partition.decodes(real, &cpu_.processor); }
void guest_storage::holds_no_code(std::uint64_t real) { cpu_.partition.has_none(real); }

// --- tables of translation

bool guest_storage::read(std::uint64_t real, std::uint64_t& value) {
    if (!may_be_ram(real)) {
        return false;
    }
    std::array<std::byte, sizeof value> bytes{};
    if (const std::byte* from = direct(real, power::access_kind::load); from != nullptr) [[likely]] {
        std::memcpy(bytes.data(), from + real % power::small_page, bytes.size());
    } else if (read(real, bytes, power::access_kind::load) != outcome::done) {
        return false;
    }
    std::memcpy(&value, bytes.data(), sizeof value);
    value = boost::endian::big_to_native(value);
    return true;
}

bool guest_storage::write(std::uint64_t real, std::uint64_t value) {
    const std::uint64_t stored = boost::endian::native_to_big(value);
    return may_be_ram(real) && write(real, std::as_bytes(std::span(&stored, 1))) == outcome::done;
}

// --- MMIO: integers of little-endian accesses

power::real_storage::outcome guest_storage::mmio_load(std::uint64_t real, std::span<std::byte> to) {
    while (!to.empty()) {
        const std::size_t size = device_access_size(real, to.size());
        cpu_.shows.mmio_loads.add();
        storage_fault access{.at = phys_addr{real}, .kind = memory::access_kind::read, .size = size};
        if (const outcome result = mmio(access); result != outcome::done) {
            return result;
        }
        const std::uint64_t little = boost::endian::native_to_little(access.value);
        std::memcpy(to.data(), &little, size);
        real += size;
        to = to.subspan(size);
    }
    return outcome::done;
}

power::real_storage::outcome guest_storage::mmio_store(std::uint64_t real, std::span<const std::byte> from) {
    while (!from.empty()) {
        const std::size_t size = device_access_size(real, from.size());
        cpu_.shows.mmio_stores.add();
        std::uint64_t little = 0;
        std::memcpy(&little, from.data(), size);
        storage_fault access{.at = phys_addr{real},
                             .kind = memory::access_kind::write,
                             .size = size,
                             .value = boost::endian::little_to_native(little)};
        if (const outcome result = mmio(access); result != outcome::done) {
            return result;
        }
        real += size;
        from = from.subspan(size);
    }
    return outcome::done;
}

power::real_storage::outcome guest_storage::mmio(storage_fault& access) {
    cpu_.clock.account();
    cpu_.clock.catch_up();
    for (unsigned attempt = 0; attempt < failed_.attempts(); ++attempt) {
        switch (cpu_.above.storage_interrupt(access)) {
        case fault_outcome::retry:
            break;
        case fault_outcome::emulated:
            return outcome::done;
        case fault_outcome::terminated:
            return outcome::stopped;
        case fault_outcome::bus_error:
            failed_.report(access, access_failure::mmio_no_answer, cpu_.time.now());
            return outcome::machine_check;
        }
    }
    failed_.report(access, access_failure::mmio_unfinished, cpu_.time.now());
    return outcome::machine_check;
}

// --- grants that are taken back

void guest_storage::invalidate_grants(std::uint64_t first, std::uint64_t last) {
    cpu_.memory.invalidate(first, last);
    invalidated_.add(first, last);
}

void guest_storage::apply_invalidations() {
    if (invalidated_.empty()) [[likely]] {
        return;
    }
    for (const range_set::range& each : invalidated_.ranges()) {
        const std::uint64_t distance = each.last - each.first;
        cpu_.core.forget_real(each.first, std::max(distance, distance + 1));
    }
    invalidated_.clear();
}

}  // namespace pefsim::cpu
