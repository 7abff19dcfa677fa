// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "hypervisor/services.h"

/// Hypercalls of XICS's presentation. PAPR 2.8, 14.5.5. A guest that exploits XIVE does not have them.
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

template <h_status (*serve)(host&, const call&)>
h_status with_xics(host& here, const call& of) {
    return here.controllers.active() == interrupt::controller_kind::xics ? serve(here, of)
                                                                         : h_status::h_function;
}

constexpr std::array rows{
    service{abi::hcall::h_eoi, with_xics<h_eoi>},       service{abi::hcall::h_cppr, with_xics<h_cppr>},
    service{abi::hcall::h_ipi, with_xics<h_ipi>},       service{abi::hcall::h_xirr, with_xics<h_xirr>},
    service{abi::hcall::h_xirr_x, with_xics<h_xirr_x>},
};

}  // namespace

std::span<const service> interrupt_services() { return rows; }

}  // namespace pefsim::hypervisor
