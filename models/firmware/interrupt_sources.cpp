// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "firmware/rtas_service.h"

/// RTAS for the sources of XICS. PAPR 2.8, 7.3.10.
namespace pefsim::firmware {

using abi::rtas_status;

namespace {

constexpr rtas_status known(bool source) {
    return source ? rtas_status::success : rtas_status::parameter_error;
}

rtas_status set_xive(parts& here, const rtas_call& of) {
    if (of.argument(2) > interrupt::masked_priority) {
        return rtas_status::parameter_error;
    }
    const interrupt::source_routing routing{of.argument(1), static_cast<std::uint8_t>(of.argument(2))};
    return known(here.host.interrupts.set_xive(of.argument(0), routing, of.trap.context.now()));
}

rtas_status get_xive(parts& here, const rtas_call& of) {
    const std::optional<interrupt::source_routing> routing = here.host.interrupts.get_xive(of.argument(0));
    if (routing) {
        of.result(0, routing->server);
        of.result(1, routing->priority);
    }
    return known(routing.has_value());
}

rtas_status int_off(parts& here, const rtas_call& of) {
    return known(here.host.interrupts.int_off(of.argument(0), of.trap.context.now()));
}

rtas_status int_on(parts& here, const rtas_call& of) {
    return known(here.host.interrupts.int_on(of.argument(0), of.trap.context.now()));
}

constexpr std::array rows{
    rtas_service{abi::rtas::set_xive, set_xive},
    rtas_service{abi::rtas::get_xive, get_xive},
    rtas_service{abi::rtas::int_off, int_off},
    rtas_service{abi::rtas::int_on, int_on},
};

}  // namespace

std::span<const rtas_service> interrupt_source_services() { return rows; }

}  // namespace pefsim::firmware
