// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "hypervisor/services.h"

/// Hypercalls of the platform: H_RANDOM (PAPR 2.8, 14.15), and H_EXIT, which is pefsim's own (abi/hcall.h).
namespace pefsim::hypervisor {

using abi::h_status;

namespace {

h_status h_random(host& here, const call& of) {
    of.result(0, here.random());
    return h_status::h_success;
}

h_status h_exit(host& here, const call& of) {
    here.end = guest_end{.status = of.argument(0)};
    of.context.terminated = true;
    return h_status::h_success;
}

constexpr std::array rows{
    service{abi::hcall::h_random, h_random},
    service{abi::hcall::h_exit, h_exit},
};

}  // namespace

std::span<const service> platform_services() { return rows; }

}  // namespace pefsim::hypervisor
