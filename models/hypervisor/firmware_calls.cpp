// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "hypervisor/firmware_if.h"
#include "hypervisor/services.h"

/// Hypercalls of the code that firmware has in the guest: RTAS and the client interface. Of a machine without firmware
/// they are H_FUNCTION.
namespace pefsim::hypervisor {

using abi::h_status;

namespace {

template <h_status (firmware_if::*serve)(host&, const call&, abi::phys_addr)>
h_status to_firmware(host& here, const call& of) {
    return here.firmware.size() == 0 ? h_status::h_function
                                     : (here.firmware[0]->*serve)(here, of, abi::phys_addr{of.argument(0)});
}

constexpr std::array rows{
    service{abi::hcall::h_rtas, to_firmware<&firmware_if::rtas>},
    service{abi::hcall::h_client, to_firmware<&firmware_if::client_interface>},
};

}  // namespace

std::span<const service> firmware_services() { return rows; }

}  // namespace pefsim::hypervisor
