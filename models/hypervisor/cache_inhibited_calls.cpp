// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>

#include "hypervisor/services.h"

/// Hypercalls of cache-inhibited memory. PAPR 2.8, 14.5.4.1.
namespace pefsim::hypervisor {

using abi::h_status;

namespace {

bool valid_access(const host& here, std::uint64_t size, std::uint64_t at) {
    return size <= 8 && std::has_single_bit(size) && at % size == 0 &&
           !here.guest.contains(abi::phys_addr{at});
}

h_status h_logical_ci_load(host& here, const call& of) {
    const std::uint64_t size = of.argument(0);
    const std::uint64_t at = of.argument(1);
    std::uint64_t value = 0;
    if (!valid_access(here, size, at) || !here.mmio.load(abi::phys_addr{at}, size, value, of.context)) {
        return h_status::h_parameter;
    }
    of.result(0, abi::logical_ci_value(value, size));
    return h_status::h_success;
}

h_status h_logical_ci_store(host& here, const call& of) {
    const std::uint64_t size = of.argument(0);
    const std::uint64_t at = of.argument(1);
    if (!valid_access(here, size, at)) {
        return h_status::h_parameter;
    }
    const std::uint64_t value = abi::logical_ci_value(of.argument(2), size);
    return here.mmio.store(abi::phys_addr{at}, size, value, of.context) ? h_status::h_success
                                                                        : h_status::h_parameter;
}

constexpr std::array rows{
    service{abi::hcall::h_logical_ci_load, h_logical_ci_load, true},
    service{abi::hcall::h_logical_ci_store, h_logical_ci_store, true},
};

}  // namespace

std::span<const service> cache_inhibited_services() { return rows; }

}  // namespace pefsim::hypervisor
