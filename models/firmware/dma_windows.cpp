// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "firmware/pci_address.h"
#include "firmware/rtas_service.h"

/// RTAS for dynamic DMA windows. PAPR 2.8, 7.4.3.3. Every function is a partitionable endpoint of its own.
namespace pefsim::firmware {

using abi::rtas_status;

namespace {

/// The bit of each page size in the answer to ibm,query-pe-dma-window.
constexpr std::uint32_t page_size_bit(unsigned shift) {
    switch (shift) {
    case 12:
        return 1U << 0;
    case 16:
        return 1U << 1;
    case 24:
        return 1U << 2;
    case 21:
        return 1U << 8;
    default:
        return 0;
    }
}

constexpr std::uint32_t page_sizes() {
    std::uint32_t mask = 0;
    for (const unsigned shift : pci::tce_iommu::page_shifts) {
        mask |= page_size_bit(shift);
    }
    return mask;
}

/// With one more result than five, the largest block has two words.
rtas_status query_pe_dma_window(parts& here, const rtas_call& of) {
    const pci::pci_function* function = function_at(here.bridge, of.argument(0), of.wide_argument(1));
    if (function == nullptr) {
        return rtas_status::parameter_error;
    }
    const bool available = here.bridge.iommu().windows(function->devfn()).dynamic == nullptr;
    const bool wide = of.results.size() > 4;
    of.result(0, available ? 1 : 0);
    of.result(wide ? 2 : 1, available ? static_cast<std::uint32_t>(pci::tce_iommu::most_pages) : 0);
    of.result(wide ? 3 : 2, page_sizes());
    of.result(wide ? 4 : 3, 0);  // windows do not migrate
    return rtas_status::success;
}

rtas_status create_pe_dma_window(parts& here, const rtas_call& of) {
    const pci::pci_function* function = function_at(here.bridge, of.argument(0), of.wide_argument(1));
    if (function == nullptr || page_size_bit(of.argument(3)) == 0 || of.argument(4) < of.argument(3)) {
        return rtas_status::parameter_error;
    }
    const unsigned devfn = function->devfn();
    const pci::tce_window* window = here.bridge.iommu().add_dynamic_window(devfn, of.argument(3),
                                                                           of.argument(4));
    if (window == nullptr) {
        return rtas_status::hardware_error;
    }
    of.result(0, static_cast<std::uint32_t>(abi::platform::dynamic_liobn_of(devfn)));
    of.result(1, static_cast<std::uint32_t>(window->base() >> 32));
    of.result(2, static_cast<std::uint32_t>(window->base()));
    return rtas_status::success;
}

rtas_status remove_pe_dma_window(parts& here, const rtas_call& of) {
    return here.bridge.iommu().remove(of.argument(0)) ? rtas_status::success : rtas_status::parameter_error;
}

rtas_status reset_pe_dma_window(parts& here, const rtas_call& of) {
    const pci::pci_function* function = function_at(here.bridge, of.argument(0), of.wide_argument(1));
    if (function == nullptr) {
        return rtas_status::parameter_error;
    }
    here.bridge.iommu().reset(function->devfn());
    return rtas_status::success;
}

constexpr std::array rows{
    rtas_service{abi::rtas::query_pe_dma_window, query_pe_dma_window},
    rtas_service{abi::rtas::create_pe_dma_window, create_pe_dma_window},
    rtas_service{abi::rtas::remove_pe_dma_window, remove_pe_dma_window},
    rtas_service{abi::rtas::reset_pe_dma_window, reset_pe_dma_window},
};

}  // namespace

std::span<const rtas_service> dma_window_services() { return rows; }

}  // namespace pefsim::firmware
