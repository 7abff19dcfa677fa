// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>

#include "abi/platform.h"
#include "hypervisor/services.h"
#include "power/engine/interrupt.h"

/// Hypercalls that say how the guest's processors work: H_SET_MODE (PAPR 2.8, 14.5.4.7.1), H_REGISTER_PROC_TBL
/// (14.5.4.9), H_RPT_INVALIDATE (14.5.4.10) and H_GET_CPU_CHARACTERISTICS (14.5.6). They are about all processors of
/// the partition.
namespace pefsim::hypervisor {

using abi::h_status;
namespace lpcr = power::lpcr;

namespace {

void set_lpcr_of_all(host& here, std::uint64_t value, std::uint64_t mask) {
    for (int number = 0; number < here.cpus.size(); ++number) {
        here.cpus[number]->set_lpcr(value, mask);
    }
}

// --- H_SET_MODE

enum class mode_resource : std::uint64_t {
    completed_instruction_address_breakpoint = 1,
    data_watchpoint_0 = 2,
    address_translation_mode_on_interrupt = 3,
    interrupt_endian = 4,
    data_watchpoint_1 = 5,
};

h_status set_alternate_interrupt_location(host& here, const call& of) {
    const std::uint64_t mode = of.argument(0);
    if (of.argument(2) != 0) {
        return h_status::h_p3;
    }
    if (of.argument(3) != 0) {
        return h_status::h_p4;
    }
    if (mode > 3 || mode == 1) {  // 1 is reserved
        return h_status::h_unsupported_flag;
    }
    set_lpcr_of_all(here, mode << std::countr_zero(lpcr::ail), lpcr::ail);
    return h_status::h_success;
}

h_status set_interrupt_endian(host& here, const call& of) {
    const std::uint64_t little = of.argument(0);
    if (of.argument(2) != 0) {
        return h_status::h_p3;
    }
    if (of.argument(3) != 0) {
        return h_status::h_p4;
    }
    if (little > 1) {
        return h_status::h_unsupported_flag;
    }
    set_lpcr_of_all(here, little != 0 ? lpcr::ile : 0, lpcr::ile);
    return h_status::h_success;
}

/// Breakpoints and watchpoints that an operating system sets for itself: these processors have none.
h_status h_set_mode(host& here, const call& of) {
    switch (static_cast<mode_resource>(of.argument(1))) {
    case mode_resource::address_translation_mode_on_interrupt:
        return set_alternate_interrupt_location(here, of);
    case mode_resource::interrupt_endian:
        return set_interrupt_endian(here, of);
    case mode_resource::completed_instruction_address_breakpoint:
    case mode_resource::data_watchpoint_0:
    case mode_resource::data_watchpoint_1:
        break;
    }
    return h_status::h_p2;
}

// --- H_REGISTER_PROC_TBL

namespace process_table {
constexpr std::uint64_t all_flags = 0x1f;
constexpr std::uint64_t operation = 0x18;
constexpr std::uint64_t keep = 0x00;
constexpr std::uint64_t deregister = 0x10;
constexpr std::uint64_t register_new = 0x18;
constexpr std::uint64_t kind = 0x06;
constexpr std::uint64_t radix = 0x04;
constexpr std::uint64_t guest_invalidates = 0x01;  // GTSE
constexpr unsigned least_size_exponent = 12;
constexpr std::uint64_t greatest_size_field = 24;
}  // namespace process_table

/// The partition table is the Ultravisor's where there is one. Its first doubleword says HR and nothing else: this host
/// has no tree for its guest.
bool write_partition_entry(host& here, const call& of, std::uint64_t process_table) {
    constexpr std::uint64_t host_radix = std::uint64_t{1} << 63;
    return !here.ultravisor.open() ||
           here.ultravisor.call(abi::ucall::uv_write_pate, {abi::platform::lpid, host_radix, process_table},
                                of.context) == abi::u_status::u_success;
}

/// Radix only: these processors have no hashed page table.
h_status h_register_proc_tbl(host& here, const call& of) {
    namespace table = process_table;
    const std::uint64_t flags = of.argument(0);
    const std::uint64_t base = of.argument(1);
    const std::uint64_t size = of.argument(3);
    if ((flags & ~table::all_flags) != 0 || (flags & table::kind) != table::radix) {
        return h_status::h_parameter;
    }
    const std::uint64_t operation = flags & table::operation;
    if (operation != table::keep && operation != table::deregister && operation != table::register_new) {
        return h_status::h_parameter;
    }
    if (operation == table::register_new) {
        const std::uint64_t bytes = std::uint64_t{1} << (table::least_size_exponent + (size & 0x1f));
        if (size > table::greatest_size_field) {
            return h_status::h_p4;
        }
        if (base % bytes != 0 || !here.guest.contains(abi::phys_addr{base}) ||
            !here.guest.contains(abi::phys_addr{base + bytes - 1})) {
            return h_status::h_p2;
        }
        if (of.argument(2) != 0) {
            return h_status::h_p3;
        }
    }
    const bool registers_one = operation == table::register_new;
    if (operation != table::keep && !write_partition_entry(here, of, registers_one ? base | size : 0)) {
        return h_status::h_parameter;
    }
    set_lpcr_of_all(here, (flags & table::guest_invalidates) != 0 ? lpcr::gtse : 0, lpcr::gtse);
    for (int number = 0; operation != table::keep && number < here.cpus.size(); ++number) {
        here.cpus[number]->use_process_table(
            registers_one ? base : 0,
            registers_one ? static_cast<unsigned>(table::least_size_exponent + size) : 0);
    }
    return h_status::h_success;
}

// --- H_RPT_INVALIDATE

/// Of a process's translations, on processors and other agents; a guest with GTSE does it itself. All that processors
/// keep is forgotten, which is more than is asked for and never wrong.
h_status h_rpt_invalidate(host& here, const call& of) {
    constexpr std::uint64_t types =
        0x3f;  // TLB, page walk cache, process table, partition table, nested, all
    constexpr std::uint64_t nested = 0x1;
    const std::uint64_t type = of.argument(2);
    if ((type & nested) != 0) {
        return h_status::h_function;
    }
    if ((type & ~types) != 0) {
        return h_status::h_p3;
    }
    if (of.argument(5) < of.argument(4)) {
        return h_status::h_p5;
    }
    for (int number = 0; number < here.cpus.size(); ++number) {
        here.cpus[number]->forget_translations();
    }
    return h_status::h_success;
}

// --- H_GET_CPU_CHARACTERISTICS

/// A simulated core does not speculate: no flush, fence or barrier is ever needed, and the instructions that would do
/// it have no effect on caches.
constexpr std::uint64_t speculation_barrier_31 = big_endian_bit(0);
constexpr std::uint64_t count_cache_disabled = big_endian_bit(7);
constexpr std::uint64_t favour_security = big_endian_bit(0);

h_status h_get_cpu_characteristics(host& /*here*/, const call& of) {
    of.result(0, speculation_barrier_31 | count_cache_disabled);
    of.result(1, favour_security);
    return h_status::h_success;
}

constexpr std::array rows{
    service{abi::hcall::h_set_mode, h_set_mode},
    service{abi::hcall::h_register_proc_tbl, h_register_proc_tbl},
    service{abi::hcall::h_rpt_invalidate, h_rpt_invalidate},
    service{abi::hcall::h_get_cpu_characteristics, h_get_cpu_characteristics},
};

}  // namespace

std::span<const service> mode_services() { return rows; }

}  // namespace pefsim::hypervisor
