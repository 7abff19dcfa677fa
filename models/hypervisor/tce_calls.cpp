// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <boost/endian/arithmetic.hpp>

#include "hypervisor/hypervisor.h"

/// Hypercalls of the IOMMU. PAPR 2.8, 14.5.4.2; argument checks as in KVM's book3s_64_vio.c.
namespace pefsim::hypervisor {

using abi::h_status;

h_status hypervisor::h_get_tce(registers& state, trap_context& /*context*/) {
    const pci::tce_window* window = iommu_.find(state.gpr[4]);
    if (window == nullptr) {
        return h_status::h_parameter;
    }
    return window->get(state.gpr[5], state.gpr[4]);
}

h_status hypervisor::h_put_tce(registers& state, trap_context& /*context*/) {
    pci::tce_window* window = iommu_.find(state.gpr[4]);
    return window == nullptr ? h_status::h_parameter : window->put(state.gpr[5], state.gpr[6]);
}

h_status hypervisor::h_stuff_tce(registers& state, trap_context& /*context*/) {
    pci::tce_window* window = iommu_.find(state.gpr[4]);
    return window == nullptr ? h_status::h_parameter
                             : window->stuff(state.gpr[5], state.gpr[6], state.gpr[7]);
}

/// The list is big-endian, in one page of 4 KiB of guest memory. All of it is checked before any of it is used.
h_status hypervisor::h_put_tce_indirect(registers& state, trap_context& context) {
    constexpr std::uint64_t page = pci::tce_window::page_size;
    std::array<boost::endian::big_uint64_t, page / sizeof(std::uint64_t)> list;
    const std::uint64_t ioba = state.gpr[5];
    const std::uint64_t at = state.gpr[6];
    const std::uint64_t count = state.gpr[7];
    pci::tce_window* window = iommu_.find(state.gpr[4]);
    if (window == nullptr || count > list.size() || at % page != 0 ||
        window->check(ioba, count) != h_status::h_success) {
        return h_status::h_parameter;
    }
    const auto used = std::span(list).first(count);
    if (count > 0 && !read(abi::phys_addr{at}, std::as_writable_bytes(used), context.delay)) {
        return h_status::h_parameter;
    }
    for (const std::uint64_t tce : used) {
        if (window->check_tce(tce) != h_status::h_success) {
            return h_status::h_parameter;
        }
    }
    for (std::size_t n = 0; n < used.size(); ++n) {
        window->put(ioba + n * page, used[n]);
    }
    return h_status::h_success;
}

}  // namespace pefsim::hypervisor
