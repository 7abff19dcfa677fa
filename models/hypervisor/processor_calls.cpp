// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <boost/endian/arithmetic.hpp>
#include <utility>

#include "hypervisor/services.h"

/// Hypercalls of virtual processors: areas and dispatch. PAPR 2.8, 14.11.
namespace pefsim::hypervisor {

using abi::h_status;

namespace {

// --- areas

/// The subfunction of H_REGISTER_VPA stands in bits 16 to 18 of the flags (big-endian numbering).
constexpr std::uint64_t area_function(std::uint64_t flags) { return flags >> (63 - 18) & 7; }

constexpr std::uint64_t area_alignment = 128;  // a cache line
constexpr std::uint64_t smallest_area = 8;     // struct reg_vpa
constexpr std::uint64_t vpa_size = 640;        // struct lppaca
constexpr std::uint64_t trace_entry_size = 48;

/// How an area begins: its length in bytes is a halfword or a word, at the same place.
struct area_header {
    boost::endian::big_uint32_t descriptor;
    boost::endian::big_uint16_t length_high;  // the VPA's length; upper half of the others'
    boost::endian::big_uint16_t length_low;
};
static_assert(sizeof(area_header) == smallest_area);

h_status register_area(host& here, area_kind kind, virtual_processor& of, abi::phys_addr at,
                       sc_core::sc_time& delay) {
    area_header header{};
    if (at.value() == 0 || at.value() % area_alignment != 0 || !here.guest.contains(at) ||
        !here.memory.read(at, std::as_writable_bytes(std::span(&header, 1)), delay)) {
        return h_status::h_parameter;
    }
    const bool is_vpa = kind == area_kind::vpa;
    std::uint64_t size = header.length_high;
    size = is_vpa ? size : size << 16 | header.length_low;
    const std::uint64_t needed = is_vpa                                  ? vpa_size
                                 : kind == area_kind::dispatch_trace_log ? trace_entry_size
                                                                         : smallest_area;
    if (size < needed || size > abi::page_size - abi::page_offset(at)) {
        return h_status::h_parameter;
    }
    if (!is_vpa && of.area(area_kind::vpa).size == 0) {
        return h_status::h_resource;
    }
    of.area(kind) = {at, size};
    return h_status::h_success;
}

h_status deregister_area(area_kind kind, virtual_processor& of) {
    const bool others = of.area(area_kind::dispatch_trace_log).size > 0 ||
                        of.area(area_kind::slb_shadow).size > 0;
    if (kind == area_kind::vpa && others) {
        return h_status::h_resource;
    }
    of.area(kind) = {};
    return h_status::h_success;
}

h_status h_register_vpa(host& here, const call& of) {
    using enum area_kind;
    const std::uint64_t number = of.argument(1);
    if (number >= here.processors.size()) {
        return h_status::h_parameter;
    }
    virtual_processor& processor = here.processors[number];
    const abi::phys_addr at{of.argument(2)};
    switch (area_function(of.argument(0))) {
    case 1:
        return register_area(here, vpa, processor, at, of.context.delay);
    case 2:
        return register_area(here, dispatch_trace_log, processor, at, of.context.delay);
    case 3:
        return register_area(here, slb_shadow, processor, at, of.context.delay);
    case 5:
        return deregister_area(vpa, processor);
    case 6:
        return deregister_area(dispatch_trace_log, processor);
    case 7:
        return deregister_area(slb_shadow, processor);
    default:
        return h_status::h_parameter;
    }
}

// --- dispatch

h_status h_cede(host& here, const call& of) {
    if ((of.state.msr & power::msr_hv) == 0) {
        of.state.msr |= power::msr_ee;  // for a secure guest the Ultravisor does it
    }
    virtual_processor& processor = here.processors.at(of.context.cpu);
    of.context.ceded = !processor.prodded;
    processor.prodded = false;
    return h_status::h_success;
}

/// Idles until H_PROD, whatever interrupts come; the last that joins goes on (H_CONTINUE).
h_status h_join(host& here, const call& of) {
    if ((of.state.msr & power::msr_ee) != 0) {
        return h_status::h_bad_mode;
    }
    virtual_processor& self = here.processors.at(of.context.cpu);
    if (std::exchange(self.prodded, false)) {
        return h_status::h_success;
    }
    bool last = true;
    for (std::size_t number = 0; number < here.processors.size(); ++number) {
        const bool runs = number < static_cast<std::size_t>(here.cpus.size()) &&
                          !here.cpus[static_cast<int>(number)]->stopped();
        last &= number == of.context.cpu || !runs || here.processors[number].joined;
    }
    if (last) {
        return h_status::h_continue;
    }
    self.joined = true;
    of.context.ceded = true;
    of.context.until_prodded = true;
    return h_status::h_success;
}

h_status h_confer(host& here, const call& of) {
    const bool all = of.argument(0) == ~std::uint64_t{0};
    return all || of.argument(0) < here.processors.size() ? h_status::h_success : h_status::h_parameter;
}

/// Wakes one that idles; the next H_CEDE of any other returns at once.
h_status h_prod(host& here, const call& of) {
    const std::uint64_t number = of.argument(0);
    if (number >= here.processors.size()) {
        return h_status::h_parameter;
    }
    const auto index = static_cast<int>(number);
    const bool woken = index < here.cpus.size() && here.cpus[index]->wake(of.context.now());
    here.processors[number].prodded = !woken;
    here.processors[number].joined = false;
    return h_status::h_success;
}

/// A System Reset interrupt of one processor (its number), of all (-1), or of all others (-2).
h_status h_signal_sys_reset(host& here, const call& of) {
    constexpr std::uint64_t all = ~std::uint64_t{0};
    constexpr std::uint64_t all_others = all - 1;
    const std::uint64_t target = of.argument(0);
    const auto processors = static_cast<std::uint64_t>(here.cpus.size());
    if (target >= processors && target != all && target != all_others) {
        return h_status::h_parameter;
    }
    for (std::uint64_t number = 0; number < processors; ++number) {
        const bool meant = target == number || target == all ||
                           (target == all_others && number != of.context.cpu);
        if (meant) {
            here.cpus[static_cast<int>(number)]->system_reset(of.context.now());
        }
    }
    return h_status::h_success;
}

// --- registers that only a hypervisor may set

h_status h_set_sprg0(host& /*here*/, const call& of) {
    of.state[power::spr::sprg0] = of.argument(0);
    return h_status::h_success;
}

/// These processors have no Data Address Breakpoint Register.
h_status no_breakpoint(host& /*here*/, const call& /*of*/) { return h_status::h_hardware; }

constexpr std::array rows{
    service{abi::hcall::h_register_vpa, h_register_vpa},
    service{abi::hcall::h_cede, h_cede},
    service{abi::hcall::h_confer, h_confer},
    service{abi::hcall::h_prod, h_prod},
    service{abi::hcall::h_join, h_join},
    service{abi::hcall::h_signal_sys_reset, h_signal_sys_reset},
    service{abi::hcall::h_set_sprg0, h_set_sprg0},
    service{abi::hcall::h_set_dabr, no_breakpoint},
    service{abi::hcall::h_set_xdabr, no_breakpoint},
};

}  // namespace

std::span<const service> processor_services() { return rows; }

}  // namespace pefsim::hypervisor
