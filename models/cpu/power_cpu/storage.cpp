// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <boost/endian/conversion.hpp>
#include <cstring>
#include <iterator>

#include "abi/platform.h"
#include "cpu/power_cpu/power_cpu.h"

/// What the engine of a POWER9 core asks of the machine: RAM by DMI grants, else by transactions; everything else is
/// MMIO.
namespace pefsim::cpu {

using abi::phys_addr;
using sc_core::sc_time;

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

std::byte* power_cpu::direct(std::uint64_t real, power::access_kind kind) {
    if (!may_be_ram(real)) {
        return nullptr;
    }
    const phys_addr at{real & power::small_page_mask};
    const dmi_table::row* row = memory_.granted(at, bus_kind(kind));
    if (row == nullptr) {
        return nullptr;
    }
    if (kind == power::access_kind::store) {
        const bool report = row->exposed && (secure() || parameters_.report_ordinary_stores);
        if (report || (!partition_.alone() && partition_.has_code(real))) {
            return nullptr;
        }
        if (row->noticed && noticed(real)) {
            watched_[row->bytes] = abi::gfn_of(at);
        }
    }
    return row->bytes + abi::page_offset(at);
}

/// A grant is of a page of 64 KiB.
std::byte* power_cpu::direct_block(std::uint64_t real, power::access_kind kind) {
    static_assert(power::block == abi::page_size);
    const std::uint64_t first = real & power::block_mask;
    if (kind == power::access_kind::store && !partition_.alone()) {
        for (std::uint64_t each = first; each < first + power::block; each += power::small_page) {
            if (partition_.has_code(each)) {
                return nullptr;
            }
        }
    }
    return direct(first, kind);
}

bool power_cpu::noticed(std::uint64_t real) const {
    return may_be_ram(real) && recorder_.ledger().stories().watched(abi::gfn_of(phys_addr{real}));
}

/// In the middle of a run, whose instructions local time does not contain yet.
void power_cpu::stored(const std::byte* to, std::size_t size) {
    const auto& [bytes, page] = *std::prev(watched_.upper_bound(to));
    const exposure::attribution by{.initiator = writer_.initiator, .origin = watched_site_.origin()};
    recorder_.ledger().stories().wrote(abi::page_base(page) + static_cast<std::uint64_t>(to - bytes), size,
                                       by, sc_time::from_value(units_at(core_.instructions())));
}

/// RAM: pages that are not there are trapped for, as often as it takes.
template <class Transaction>
power::real_storage::outcome power_cpu::access_ram(const storage_fault& what,
                                                   const Transaction& transaction) {
    for (unsigned attempt = 0; attempt < failed_.attempts(); ++attempt) {
        switch (transaction()) {
        case memory_port::result::done:
            return outcome::done;
        case memory_port::result::no_answer:
            failed_.report(what, access_failure::no_answer, now());
            return outcome::machine_check;
        case memory_port::result::page_fault:
            break;
        }
        storage_fault fault = what;
        switch (storage_interrupt(fault)) {
        case fault_outcome::retry:
            break;
        case fault_outcome::terminated:
            return outcome::stopped;
        case fault_outcome::emulated:
        case fault_outcome::bus_error:
            failed_.report(what, access_failure::bus_error, now());
            return outcome::machine_check;
        }
    }
    failed_.report(what, access_failure::page_missing, now());
    return outcome::machine_check;
}

power::real_storage::outcome power_cpu::read(std::uint64_t real, std::span<std::byte> to,
                                             power::access_kind kind) {
    if (!may_be_ram(real)) {
        return mmio_load(real, to);
    }
    const phys_addr at{real};
    return access_ram({.at = at, .kind = bus_kind(kind), .size = to.size()},
                      [&] { return memory_.read(at, to, time_); });
}

power::real_storage::outcome power_cpu::write(std::uint64_t real, std::span<const std::byte> from) {
    if (!may_be_ram(real)) {
        return mmio_store(real, from);
    }
    const phys_addr at{real};
    writer_.origin = site_.origin();
    memory_.set_writer(writer_);
    account();  // when it was written is on record
    const outcome result = memory_.write_granted(at, from.data(), from.size(), time_)
                               ? outcome::done
                               : access_ram(
                                     {.at = at, .kind = memory::access_kind::write, .size = from.size()},
                                     [&] { return memory_.write(at, from, time_); });
    if (!partition_.alone() && partition_.has_code(real)) {
        partition_.stored_into_code(real, from.size(), this);
    }
    return result;
}

power::real_storage::outcome power_cpu::prepare_fetch(std::uint64_t real) {
    if (!may_be_ram(real)) {
        failed_.report({.at = phys_addr{real}, .kind = memory::access_kind::fetch, .size = 4},
                       access_failure::no_code, now());
        return outcome::machine_check;
    }
    const phys_addr at{real & ~std::uint64_t{3}};
    std::array<std::byte, 4> word{};
    const outcome result = access_ram({.at = at, .kind = memory::access_kind::fetch, .size = word.size()},
                                      [&] { return memory_.fetch(at, word, time_); });
    return result == outcome::done && direct(real, power::access_kind::fetch) == nullptr
               ? outcome::machine_check
               : result;
}

void power_cpu::holds_code(std::uint64_t real) { partition_.decodes(real, this); }
void power_cpu::holds_no_code(std::uint64_t real) { partition_.has_none(real); }

// --- tables of translation

bool power_cpu::read(std::uint64_t real, std::uint64_t& value) {
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

bool power_cpu::write(std::uint64_t real, std::uint64_t value) {
    const std::uint64_t stored = boost::endian::native_to_big(value);
    return may_be_ram(real) && write(real, std::as_bytes(std::span(&stored, 1))) == outcome::done;
}

// --- MMIO: integers of little-endian accesses

power::real_storage::outcome power_cpu::mmio_load(std::uint64_t real, std::span<std::byte> to) {
    while (!to.empty()) {
        const std::size_t size = device_access_size(real, to.size());
        shows_.mmio_loads.add();
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

power::real_storage::outcome power_cpu::mmio_store(std::uint64_t real, std::span<const std::byte> from) {
    while (!from.empty()) {
        const std::size_t size = device_access_size(real, from.size());
        shows_.mmio_stores.add();
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

power::real_storage::outcome power_cpu::mmio(storage_fault& access) {
    account();
    catch_up();
    for (unsigned attempt = 0; attempt < failed_.attempts(); ++attempt) {
        switch (storage_interrupt(access)) {
        case fault_outcome::retry:
            break;
        case fault_outcome::emulated:
            return outcome::done;
        case fault_outcome::terminated:
            return outcome::stopped;
        case fault_outcome::bus_error:
            failed_.report(access, access_failure::mmio_no_answer, now());
            return outcome::machine_check;
        }
    }
    failed_.report(access, access_failure::mmio_unfinished, now());
    return outcome::machine_check;
}

}  // namespace pefsim::cpu
