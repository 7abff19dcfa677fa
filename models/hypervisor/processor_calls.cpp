// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <boost/endian/arithmetic.hpp>

#include "hypervisor/hypervisor.h"

/// Hypercalls of virtual processors: interrupts (PAPR 2.8, 14.5.5), virtual processor areas and dispatch (14.11).
namespace pefsim::hypervisor {

using abi::h_status;

namespace {

/// The time base runs at 512 MHz.
std::uint64_t time_base(const sc_core::sc_time& at) {
    return static_cast<std::uint64_t>(at / sc_core::sc_time(1, sc_core::SC_US) * 512);
}

/// H_REGISTER_VPA: the subfunction stands in bits 16 to 18 of the flags (big-endian numbering).
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

}  // namespace

h_status hypervisor::h_xirr(registers& state, trap_context& context) {
    state.gpr[4] = interrupts_.xirr(context.cpu, context.now());
    return h_status::h_success;
}

h_status hypervisor::h_xirr_x(registers& state, trap_context& context) {
    state.gpr[4] = interrupts_.xirr(context.cpu, context.now());
    // Another CPU may have read a later time: it runs ahead of simulation by up to a quantum.
    time_base_given_ = std::max({time_base_given_, context.time_base, time_base(context.now())});
    context.time_base = time_base_given_;
    state.gpr[5] = time_base_given_;
    return h_status::h_success;
}

h_status hypervisor::h_eoi(registers& state, trap_context& context) {
    const bool known = interrupts_.eoi(context.cpu, static_cast<std::uint32_t>(state.gpr[4]), context.now());
    return known ? h_status::h_success : h_status::h_parameter;
}

h_status hypervisor::h_cppr(registers& state, trap_context& context) {
    interrupts_.cppr(context.cpu, static_cast<std::uint8_t>(state.gpr[4]), context.now());
    return h_status::h_success;
}

h_status hypervisor::h_ipi(registers& state, trap_context& context) {
    const bool known = interrupts_.ipi(state.gpr[4], static_cast<std::uint8_t>(state.gpr[5]), context.now());
    return known ? h_status::h_success : h_status::h_parameter;
}

h_status hypervisor::h_cede(registers& state, trap_context& context) {
    if ((state.msr & power::msr_hv) == 0) {
        state.msr |= power::msr_ee;  // for a secure guest the Ultravisor does it
    }
    processor& here = processors_.at(context.cpu);
    context.ceded = !here.prodded;
    here.prodded = false;
    return h_status::h_success;
}

h_status hypervisor::h_confer(registers& state, trap_context& /*context*/) {
    const bool all = state.gpr[4] == ~std::uint64_t{0};
    return all || state.gpr[4] < processors_.size() ? h_status::h_success : h_status::h_parameter;
}

h_status hypervisor::h_prod(registers& state, trap_context& /*context*/) {
    if (state.gpr[4] >= processors_.size()) {
        return h_status::h_parameter;
    }
    processors_[state.gpr[4]].prodded = true;
    return h_status::h_success;
}

h_status hypervisor::h_exit(registers& state, trap_context& context) {
    exit_status_ = state.gpr[4];
    context.terminated = true;
    return h_status::h_success;
}

h_status hypervisor::h_random(registers& state, trap_context& /*context*/) {
    state.gpr[4] = random_();
    return h_status::h_success;
}

h_status hypervisor::h_register_vpa(registers& state, trap_context& context) {
    using enum area_kind;
    if (state.gpr[5] >= processors_.size()) {
        return h_status::h_parameter;
    }
    processor& of = processors_[state.gpr[5]];
    const abi::phys_addr at{state.gpr[6]};
    switch (area_function(state.gpr[4])) {
    case 1:
        return register_area(vpa, of, at, context);
    case 2:
        return register_area(dispatch_trace_log, of, at, context);
    case 3:
        return register_area(slb_shadow, of, at, context);
    case 5:
        return deregister_area(vpa, of);
    case 6:
        return deregister_area(dispatch_trace_log, of);
    case 7:
        return deregister_area(slb_shadow, of);
    default:
        return h_status::h_parameter;
    }
}

h_status hypervisor::register_area(area_kind kind, processor& of, abi::phys_addr at, trap_context& context) {
    area_header header{};
    if (at.value() == 0 || at.value() % area_alignment != 0 || !guest_.contains(at) ||
        !read(at, std::as_writable_bytes(std::span(&header, 1)), context.delay)) {
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
    if (!is_vpa && of.areas[static_cast<std::size_t>(area_kind::vpa)].size == 0) {
        return h_status::h_resource;
    }
    of.areas[static_cast<std::size_t>(kind)] = {at, size};
    return h_status::h_success;
}

h_status hypervisor::deregister_area(area_kind kind, processor& of) {
    const bool others = of.areas[static_cast<std::size_t>(area_kind::dispatch_trace_log)].size > 0 ||
                        of.areas[static_cast<std::size_t>(area_kind::slb_shadow)].size > 0;
    if (kind == area_kind::vpa && others) {
        return h_status::h_resource;
    }
    of.areas[static_cast<std::size_t>(kind)] = {};
    return h_status::h_success;
}

}  // namespace pefsim::hypervisor
