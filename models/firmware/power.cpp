// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include "firmware/rtas_service.h"

/// RTAS that ends the guest: power-off (PAPR 2.8, 7.3.6.3), system-reboot (7.3.7.2), ibm,os-term (7.3.9.1). None of
/// them returns.
namespace pefsim::firmware {

using abi::rtas_status;
using hypervisor::guest_end;

namespace {

rtas_status end(parts& here, const rtas_call& of, guest_end how) {
    here.host.end = std::move(how);
    of.trap.context.terminated = true;
    return rtas_status::success;
}

rtas_status power_off(parts& here, const rtas_call& of) {
    return end(here, of, {.what = guest_end::how::power_off});
}

rtas_status system_reboot(parts& here, const rtas_call& of) {
    return end(here, of, {.what = guest_end::how::reboot});
}

/// Its argument is a text, which may stand at the end of memory.
rtas_status os_term(parts& here, const rtas_call& of) {
    std::string text;
    for (std::uint32_t at = of.argument(0); text.size() < abi::rtas_buffer::max_text; ++at) {
        std::byte next{};
        if (!of.read(here, at, std::span(&next, 1)) || next == std::byte{0}) {
            break;
        }
        text += static_cast<char>(next);
    }
    return end(here, of, {.what = guest_end::how::os_term, .text = std::move(text)});
}

constexpr std::array rows{
    rtas_service{abi::rtas::power_off, power_off},
    rtas_service{abi::rtas::system_reboot, system_reboot},
    rtas_service{abi::rtas::os_term, os_term},
};

}  // namespace

std::span<const rtas_service> power_services() { return rows; }

}  // namespace pefsim::firmware
