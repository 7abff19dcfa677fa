// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <boost/endian/arithmetic.hpp>

#include "hypervisor/services.h"

/// Hypercalls of the IOMMU. PAPR 2.8, 14.5.4.2; argument checks as in KVM's book3s_64_vio.c.
namespace pefsim::hypervisor {

using abi::h_status;

namespace {

h_status h_get_tce(host& here, const call& of) {
    const pci::tce_window* window = here.iommu.find(of.argument(0));
    if (window == nullptr) {
        return h_status::h_parameter;
    }
    std::uint64_t tce = of.argument(0);
    const h_status status = window->get(of.argument(1), tce);
    of.result(0, tce);
    return status;
}

h_status h_put_tce(host& here, const call& of) {
    pci::tce_window* window = here.iommu.find(of.argument(0));
    return window == nullptr ? h_status::h_parameter : window->put(of.argument(1), of.argument(2));
}

h_status h_stuff_tce(host& here, const call& of) {
    pci::tce_window* window = here.iommu.find(of.argument(0));
    return window == nullptr ? h_status::h_parameter
                             : window->stuff(of.argument(1), of.argument(2), of.argument(3));
}

/// The list is big-endian, in one page of 4 KiB of guest memory. All of it is checked before any of it is used.
h_status h_put_tce_indirect(host& here, const call& of) {
    constexpr std::uint64_t list_size = 4096;
    std::array<boost::endian::big_uint64_t, list_size / sizeof(std::uint64_t)> list;
    const std::uint64_t ioba = of.argument(1);
    const std::uint64_t at = of.argument(2);
    const std::uint64_t count = of.argument(3);
    pci::tce_window* window = here.iommu.find(of.argument(0));
    if (window == nullptr || count > list.size() || at % list_size != 0 ||
        window->check(ioba, count) != h_status::h_success) {
        return h_status::h_parameter;
    }
    const auto used = std::span(list).first(count);
    if (count > 0 && !here.memory.read(abi::phys_addr{at}, std::as_writable_bytes(used), of.context.delay)) {
        return h_status::h_parameter;
    }
    for (const std::uint64_t tce : used) {
        if (window->check_tce(tce) != h_status::h_success) {
            return h_status::h_parameter;
        }
    }
    for (std::size_t n = 0; n < used.size(); ++n) {
        window->put(ioba + n * window->page_size(), used[n]);
    }
    return h_status::h_success;
}

constexpr std::array rows{
    service{abi::hcall::h_get_tce, h_get_tce},
    service{abi::hcall::h_put_tce, h_put_tce},
    service{abi::hcall::h_put_tce_indirect, h_put_tce_indirect},
    service{abi::hcall::h_stuff_tce, h_stuff_tce},
};

}  // namespace

std::span<const service> tce_services() { return rows; }

}  // namespace pefsim::hypervisor
