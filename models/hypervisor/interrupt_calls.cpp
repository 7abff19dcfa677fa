// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "hypervisor/services.h"

/// Hypercalls of XICS's presentation. PAPR 2.8, 14.5.5.
namespace pefsim::hypervisor {

using abi::h_status;

namespace {

h_status h_xirr(host& here, const call& of) {
    of.result(0, here.interrupts.xirr(of.context.cpu, of.context.now()));
    return h_status::h_success;
}

/// Another CPU may have read a later time: it runs ahead of simulation by up to a quantum.
h_status h_xirr_x(host& here, const call& of) {
    const h_status status = h_xirr(here, of);
    std::uint64_t& given = here.time_base_given;
    given = std::max({given, of.context.time_base, here.ticks.ticks_at(of.context.now())});
    of.context.time_base = given;
    of.result(1, given);
    return status;
}

h_status h_eoi(host& here, const call& of) {
    const bool known = here.interrupts.eoi(of.context.cpu, static_cast<std::uint32_t>(of.argument(0)),
                                           of.context.now());
    return known ? h_status::h_success : h_status::h_parameter;
}

h_status h_cppr(host& here, const call& of) {
    here.interrupts.cppr(of.context.cpu, static_cast<std::uint8_t>(of.argument(0)), of.context.now());
    return h_status::h_success;
}

h_status h_ipi(host& here, const call& of) {
    const bool known = here.interrupts.ipi(of.argument(0), static_cast<std::uint8_t>(of.argument(1)),
                                           of.context.now());
    return known ? h_status::h_success : h_status::h_parameter;
}

constexpr std::array rows{
    service{abi::hcall::h_eoi, h_eoi},       service{abi::hcall::h_cppr, h_cppr},
    service{abi::hcall::h_ipi, h_ipi},       service{abi::hcall::h_xirr, h_xirr},
    service{abi::hcall::h_xirr_x, h_xirr_x},
};

}  // namespace

std::span<const service> interrupt_services() { return rows; }

}  // namespace pefsim::hypervisor
